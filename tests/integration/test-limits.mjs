// SPDX-License-Identifier: LGPL-2.1-or-later
// What one user can make the hub do and keep has a bound: who passes it is told so, and when to come again, it is
// counted, and only who goes on is disconnected. doc/limits.md has the list.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import WebSocket from 'ws';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';

const users = {};
let hub, server, channel;

// One a second in the long run, so that nothing comes back while a test looks.
before(async () => {
  hub = await Hub.start({
    settings: {
      'limits.requests-per-second': 1, 'limits.requests-burst': 60, 'limits.messages-per-second': 1, 'limits.messages-burst': 3,
      'limits.forwards-per-second': 1, 'limits.forwards-burst': 2, 'limits.client-messages-per-second': 1, 'limits.client-messages-burst': 2,
      'limits.bytes-per-second': '1K', 'limits.bytes-burst': '80K', 'limits.message-max': '32K', 'limits.sessions-per-user': 2,
      'limits.subscriptions-per-session': 5, 'limits.loaded-users-per-session': 3, 'limits.parts-per-subscription': 1, 'limits.strikes-max': 10,
      'limits.head-max': '2K', 'limits.head-fields-max': 20, 'http.body-max': '2K', 'chat.name-length-max': 10, 'notifications.length-max': 20,
      'invitations.intervals-max': 1,
    },
  });
  for (const name of ['ann', 'bob', 'carl', 'dora', 'eve', 'fay', 'gus', 'hal']) users[name] = await hub.user(name);
  users.root = await hub.user('root', '--admin');
  server = (await hub.ctl('server', 'add', 'Harbour', '--owner', 'ann')).server_id;
  for (const name of ['bob', 'carl', 'dora', 'eve']) await hub.ctl('member', 'add', 'Harbour', name);
  channel = (await hub.ctl('channel', 'add', 'Harbour', 'general')).channel_id;
});

after(() => hub.stop());

const open = (name) => Client.connect(hub, users[name].token);

async function metric(name) {
  const text = await (await fetch(`${hub.origin}/metrics`)).text();
  const found = text.match(new RegExp(`^${name} (\\d+)$`, 'm'));
  assert.ok(found, `${name} is a metric`);
  return Number(found[1]);
}

async function counts(name, what) {
  const before = await metric(name);
  const result = await what();
  assert.ok(await metric(name) > before, `${name} counts it`);
  return result;
}

for (const [quota, user, at_once, ask, fields] of [
  ['messages', 'bob', 3, 'message', () => ({ channel, message: 'hi' })],
  ['forwards', 'carl', 2, 'forward', () => ({ target: users.carl.id })],
  ['client_messages', 'dora', 2, 'client_message', () => ({ message: 'hi' })],
])
  test(`${quota} of one user: over the bound rate_limited says when, in all of his sessions, and not to others`, async () => {
    const [one, two] = [await open(user), await open(user)];
    for (let i = 0; i < at_once; i++) await (i % 2 ? one : two).request(ask, fields());
    const refused = await counts(`hark_quota_refused_${quota}_total`, () => two.fails('rate_limited', ask, fields()));
    assert.ok(refused.retry_after_ms > 0 && refused.retry_after_ms <= 1000, `${refused.retry_after_ms}`);
    await one.request('ping');
    await Promise.all([one.close(), two.close()]);
  });

test('bytes of one user: a few large requests are as many small ones', async () => {
  const one = await open('eve');
  const large = { data: 'x'.repeat(30000) };
  await one.request('ping', large);
  await one.request('ping', large);
  const refused = await counts('hark_quota_refused_bytes_total', () => one.fails('rate_limited', 'ping', large));
  assert.ok(refused.retry_after_ms > 0);
  await one.request('ping');
  await one.close();
});

test('requests of one user: over the bound rate_limited; a single excess disconnects nobody, persistent abuse does with 1008', async () => {
  const one = await open('fay');
  for (let i = 0; i < 60; i++) await one.request('ping');
  await counts('hark_quota_refused_requests_total', () => one.fails('rate_limited', 'ping'));
  assert.equal(one.socket.readyState, WebSocket.OPEN);
  await counts('hark_sessions_abuse_total', async () => {
    for (let i = 0; i < 20; i++) one.socket.send('{"type":"ping"}');
    assert.equal((await one.closed).code, 1008);
  });
  assert.ok(await metric('hark_errors_rate_limited_total') > 5);
});

test('sessions of one user: one too many is refused with 1013, and the others stay', async () => {
  const [one, two] = [await open('gus'), await open('gus')];
  await counts('hark_sessions_refused_total', async () => {
    const socket = new WebSocket(hub.url(users.gus.token));
    const [code] = await once(socket, 'close');
    assert.equal(code, 1013);
  });
  await one.request('ping');
  await Promise.all([one.close(), two.close()]);
});

test('a message too large ends the connection with 1009', async () => {
  const one = await open('hal');
  one.socket.send(JSON.stringify({ type: 'ping', data: 'x'.repeat(40000) }));
  assert.equal((await one.closed).code, 1009);
});

test('what one session can load has bounds: topics, users, separate parts of a list', async () => {
  const one = await open('ann');
  await one.request('get_server_members', { server_id: server, limit: 1 });
  await counts('hark_errors_too_large_total', () => one.fails('too_large', 'get_server_members', { server_id: server, limit: 5 }));
  const ids = ['ann', 'bob', 'carl', 'dora', 'eve'].map((name) => users[name].id).sort((a, b) => a - b);
  await one.fails('too_large', 'get_server_members', { server_id: server, after: ids[2], limit: 1 });
  await one.request('get_server_members', { server_id: server, after: ids[0], limit: 1 });
  for (let i = 0; i < 4; i++) await one.request('subscribe', { topic: `app/t${i}` });
  await one.fails('too_large', 'subscribe', { topic: 'app/t4' });
  await one.request('forget', { servers: [server] });
  await one.request('subscribe', { topic: 'app/t4' });
  await one.close();
});

test('texts have bounds: names, notifications', async () => {
  const one = await open('ann');
  await counts('hark_errors_too_large_total', () => one.fails('too_large', 'create_server', { name: 'x'.repeat(11) }));
  const api = (name, body) => fetch(`${hub.origin}/api/v1/${name}`, { method: 'POST', headers: { authorization: `Bearer ${users.root.token}` }, body: JSON.stringify(body) });
  const notice = { user: 'bob', action: 'post', action_id: '1', by_user: 'x', action_content: '', affected: 'post', affected_id: '1' };
  assert.equal((await api('notify', { ...notice, message: 'x'.repeat(20) })).status, 200);
  assert.equal((await api('notify', { ...notice, message: 'x'.repeat(21) })).status, 413);
  await one.close();
});

test('how often one invites another is remembered for a bounded number of pairs: beyond it others wait', async () => {
  const one = await open('ann');
  await one.request('invitation', { invited: 'fay', server_id: server });
  const refused = await counts('hark_intervals_refused_total', () => one.fails('rate_limited', 'invitation', { invited: 'gus', server_id: server }));
  assert.ok(refused.retry_after_ms > 0 && refused.retry_after_ms <= 1501);
  await one.close();
});

test('heads and bodies of HTTP requests have bounds', async () => {
  const status = (headers, body) => new Promise((resolve, reject) => {
    const request = http.request(`${hub.origin}/healthz`, { method: body ? 'POST' : 'GET', headers }, (response) => { response.resume(); resolve(response.statusCode); });
    request.on('error', reject);
    request.end(body);
  });
  assert.equal(await counts('hark_requests_head_too_large_total', () => status({ x: 'y'.repeat(3000) })), 431);
  assert.equal(await status(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`x${i}`, 'y']))), 431);
  assert.equal(await counts('hark_requests_body_too_large_total', () => status({ authorization: `Bearer ${users.root.token}` }, 'x'.repeat(3000))), 413);
});
