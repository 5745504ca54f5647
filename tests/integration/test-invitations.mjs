// SPDX-License-Identifier: LGPL-2.1-or-later
// Being asked to a server: the rows of requirements.md about the personal channel of the source.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { randomBytes } from 'node:crypto';
import { Hub, PATIENCE_MS } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';

// Longer than any test takes on any machine: what is refused because of it is refused for that reason.
const INTERVAL_MS = 600000;

let hub, owner, servers;
const users = {};

before(async () => {
  hub = await Hub.start({ settings: { 'notifications.raise': 'reaction;mention;invitation;member', 'invitations.interval': `${INTERVAL_MS}ms` } });
  for (const name of ['ann', 'bob', 'carla', 'dmitri', 'eve', 'frank']) users[name] = await hub.user(name);
  servers = [];
  for (const name of ['Harbour', 'Workshop']) servers.push((await hub.ctl('server', 'add', name, '--owner', 'ann')).server_id);
  owner = await Client.connect(hub, users.ann.token);
});
after(async () => {
  await owner.close();
  await hub.stop();
});

const personal = (events) => events.map((m) => m.type).filter((type) => /invitation$/.test(type));

test('001-4: an invitation reaches all sessions of the invited user alone; accepting makes a member', async () => {
  const tabs = [await Client.connect(hub, users.bob.token), await Client.connect(hub, users.bob.token)];
  const stranger = await Client.connect(hub, users.eve.token), otherTab = await Client.connect(hub, users.ann.token);
  await tabs[0].request('set_profile', { profile_pic: 'https://example.org/bob.png' });
  // What pages send, more than is needed.
  const { invitation_id } = await owner.request('invitation', {
    invited: 'bob', invited_img: 'evil.png', inviting: 'mallory', server_id: servers[0],
  });
  for (const tab of tabs) {
    const got = await tab.event('invitation');
    assert.deepEqual([got.invited, got.invited_img, got.inviting, got.server_id, got.invitation_id],
                     ['bob', 'https://example.org/bob.png', 'ann', servers[0], invitation_id]);
    const notice = await tab.event('notification');
    assert.deepEqual([notice.action, notice.action_id, notice.by_user, notice.affected, notice.affected_id],
                     ['invitation', invitation_id, 'ann', 'server', servers[0]]);
  }
  assert.deepEqual((await tabs[1].request('get_invitations')).invitations.map((i) => i.invitation_id), [invitation_id]);
  await tabs[1].request('accept_invitation', { invited: 'bob', inviting: 'ann', server_id: servers[0] });
  assert.deepEqual((await tabs[0].request('get_servers')).servers.map((s) => s.server_id), [servers[0]]);
  for (const tab of [owner, otherTab]) {
    assert.equal((await tab.event('accept_invitation')).invited, 'bob');
    assert.equal((await tab.event('notification')).action, 'member');
  }
  assert.deepEqual(personal(await stranger.drain()), []);
  assert.deepEqual(personal(await tabs[0].drain()), []);
  await tabs[0].fails('not_found', 'accept_invitation', { server_id: servers[0] });
  for (const client of [...tabs, stranger, otherTab]) await client.close();
});

test('001-4: cancelling and rejecting are told to the other; what was never offered or is withdrawn cannot be accepted', async () => {
  const carla = await Client.connect(hub, users.carla.token);
  await carla.fails('not_found', 'accept_invitation', { server_id: servers[0] });
  await carla.fails('not_found', 'cancel_invitation', { server_id: servers[0] });
  await owner.request('invitation', { invited: 'carla', server_id: servers[0] });
  await carla.event('invitation');
  await owner.request('cancel_invitation', { invited: 'carla', server_id: servers[0] });
  const withdrawn = await carla.event('cancel_invitation');
  assert.deepEqual([withdrawn.inviting, withdrawn.invited, withdrawn.by], ['ann', 'carla', 'inviting']);
  await carla.fails('not_found', 'accept_invitation', { server_id: servers[0] });
  const dmitri = await Client.connect(hub, users.dmitri.token);
  await owner.request('invitation', { invited: users.dmitri.id, server_id: servers[0] });
  await dmitri.event('invitation');
  // As the source's pages do: the invited user names itself.
  await dmitri.request('cancel_invitation', { invited: 'dmitri', inviting: 'ann', server_id: servers[0] });
  const declined = await owner.event('cancel_invitation');
  assert.deepEqual([declined.inviting, declined.invited, declined.by], ['ann', 'dmitri', 'invited']);
  await dmitri.fails('not_found', 'accept_invitation', { server_id: servers[0] });
  for (const client of [carla, dmitri]) await client.close();
});

test('001-5: the same to the same user is refused within the interval, to another user it passes, and accepting is exempt', async () => {
  const reply = await owner.fails('rate_limited', 'invitation', { invited: 'carla', server_id: servers[1] });
  assert.ok(reply.retry_after_ms > 0 && reply.retry_after_ms <= INTERVAL_MS + 1, `${reply.retry_after_ms}`);
  await owner.fails('rate_limited', 'invitation', { invited: Number(users.carla.id), server_id: servers[1] });
  await owner.fails('rate_limited', 'cancel_invitation', { invited: 'carla', server_id: servers[1] });
  await owner.request('invitation', { invited: 'eve', server_id: servers[1] });
  const eve = await Client.connect(hub, users.eve.token);
  await eve.event('invitation');
  await eve.request('accept_invitation', { server_id: servers[1] });
  await eve.request('get_servers');
  await eve.close();
});

// A client frame with one text message.
function frame(text) {
  const payload = Buffer.from(text), mask = randomBytes(4);
  assert.ok(payload.length < 65536);
  const head = payload.length < 126 ? Buffer.from([0x81, 0x80 | payload.length])
                                    : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i & 3])]);
}

// The server's text frames, unmasked and whole.
function* frames(buffer) {
  for (let at = 0; at + 2 <= buffer.length;) {
    let length = buffer[at + 1] & 127, head = 2;
    if (length === 126) { length = buffer.readUInt16BE(at + 2); head = 4; }
    if (at + head + length > buffer.length) return;
    if ((buffer[at] & 15) === 1) yield JSON.parse(buffer.subarray(at + head, at + head + length).toString());
    at += head + length;
  }
}

test('001-6: of 100 invitations at once from a raw socket 1 is delivered and 99 are refused by code', async () => {
  const frank = await Client.connect(hub, users.frank.token);
  const socket = net.connect(hub.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`GET /ws/${users.ann.token}/ HTTP/1.1\r\nHost: 127.0.0.1:${hub.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
    + `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
  let received = Buffer.alloc(0);
  const replies = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('not every request was answered')), PATIENCE_MS);
    socket.on('close', () => reject(new Error('the socket was closed')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const start = received.indexOf('\r\n\r\n');
      const all = start < 0 ? [] : [...frames(received.subarray(start + 4))].filter((m) => m.ref !== undefined);
      if (all.length < 100) return;
      clearTimeout(late);
      resolve(all);
    });
  });
  const burst = Buffer.concat(Array.from({ length: 100 }, (_, i) =>
    frame(JSON.stringify({ type: 'invitation', invited: i % 2 ? 'frank' : users.frank.id, server_id: servers[1], ref: i }))));
  socket.write(burst);
  const all = await replies;
  assert.equal(all.filter((m) => m.type === 'invitation').length, 1);
  assert.equal(all.filter((m) => m.type === 'error' && m.code === 'rate_limited' && m.retry_after_ms > 0).length, 99);
  await frank.event('invitation');
  await frank.event('notification');
  assert.deepEqual(await frank.drain(), []);
  socket.removeAllListeners('close');
  socket.destroy();
  await frank.close();
});

test('001-4: who was away gets the invitations that wait, in order and once in each session, also after a crash', async () => {
  const late = await hub.user('late');
  await owner.request('invitation', { invited: 'late', server_id: servers[0] });
  await hub.kill9();
  await hub.spawn();
  owner = await Client.connect(hub, users.ann.token);
  await owner.request('invitation', { invited: 'late', server_id: servers[1] });
  for (let i = 0; i < 2; i++) {
    const client = await Client.connect(hub, late.token);
    const got = [await client.event('invitation'), await client.event('invitation')];
    assert.deepEqual(got.map((m) => m.server_id), servers);
    assert.deepEqual(personal(await client.drain()), []);
    await client.close();
  }
});
