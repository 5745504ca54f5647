// SPDX-License-Identifier: LGPL-2.1-or-later
// Counters and mentions, in several tabs and after a crash.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { community } from './lib/community.mjs';

let hub, users, server, channels;

before(async () => {
  hub = await Hub.start({ settings: { 'chat.unread-interval': '20ms' } });
  ({ users, server, channels } = await community(hub, ['ann', 'bob', 'eve'], ['general', 'second']));
});
after(() => hub.stop());

async function tab(user) {
  const self = await Client.connect(hub, user.token);
  await self.request('get_servers');
  return self;
}

async function readAll(user) {
  const self = await Client.connect(hub, user.token);
  await self.request('mark_read', { server_id: server });
  await self.close();
}

const counts = (channel, n) => (m) => m.type === 'unread' && m.channel_id === channel && m.channel_unread === n;
const serverCounts = (n) => (m) => m.type === 'unread' && m.server_unread === n;

test('001-1: what receivers get has type, message, author, image, server, channel and id, the account’s author and image', async () => {
  const ann = await tab(users.ann), bob = await tab(users.bob);
  await ann.request('set_profile', { displayname: 'Ann L.', profile_pic: 'https://example.org/a.png' });
  await bob.request('get_messages', { channel_id: channels.general });
  const id = Date.now();
  ann.socket.send(JSON.stringify({ type: 'message', message: 'hi', author: 'Eve', image: 'x', server, channel: channels.general, id }));
  const got = await bob.event('message');
  for (const [name, value] of Object.entries({ message: 'hi', author: 'Ann L.', image: 'https://example.org/a.png', server, channel: channels.general, id }))
    assert.equal(got[name], value, name);
  const told = await bob.event(counts(channels.general, 1));
  assert.deepEqual({ ...told, rev: 0 }, { type: 'unread', server_id: server, channel_id: channels.general, channel_unread: 1, mentions: 0, server_unread: 1, server_mentions: 0, rev: 0 });
  await ann.close();
  await bob.close();
  await readAll(users.bob);
});

test('001-2: in several tabs a message has the same id, counts once, and is not stored again when it is sent again', async () => {
  const ann = await tab(users.ann), tabs = [];
  for (let i = 0; i < 3; i++) tabs.push(await tab(users.bob));
  for (const one of tabs) await one.request('get_messages', { channel_id: channels.general });
  const id = Date.now();
  const first = await ann.request('message', { channel: channels.general, message: 'once', id });
  const again = await ann.request('message', { channel: channels.general, message: 'once', id });
  assert.deepEqual({ ...again, ref: 0 }, { ...first, ref: 0 });
  await ann.request('message', { channel: channels.general, message: 'another' });
  for (const one of tabs) {
    const once = await one.event((m) => m.type === 'message' && m.message === 'once');
    assert.equal(once.id, id);
    await one.event((m) => m.type === 'message' && m.message === 'another');
    await one.event(counts(channels.general, 2));
    const frames = one.frames.filter((m) => m.type === 'message');
    assert.equal(frames.length, 2);
    assert.ok(one.frames.every((m) => m.type !== 'unread' || m.channel_unread <= 2), 'nothing is counted twice');
  }
  const { messages } = await tabs[0].request('get_messages', { channel_id: channels.general });
  assert.equal(messages.filter((m) => m.message === 'once').length, 1);
  await ann.close();
  for (const one of tabs) await one.close();
  await readAll(users.bob);
});

test('001-3: n messages count n in the channel, the server counts the sum, and reading resets all tabs', async () => {
  const ann = await tab(users.ann), one = await tab(users.bob), two = await tab(users.bob);
  for (let i = 0; i < 7; i++) await ann.request('message', { channel: channels.general, message: `${i}` });
  for (let i = 0; i < 3; i++) await ann.request('message', { channel: channels.second, message: `${i}` });
  for (const each of [one, two]) {
    await each.event((m) => counts(channels.general, 7)(m));
    await each.event((m) => counts(channels.second, 3)(m) && m.server_unread === 10);
    const { servers } = await each.request('get_servers');
    assert.equal(servers[0].unread, 10);
    const list = await each.request('get_server_channels', { server_id: server });
    assert.deepEqual(list.channels.map((c) => c.unread), [7, 3]);
  }
  assert.equal((await one.request('mark_read', { channel_id: channels.general })).unread, 0);
  for (const each of [one, two]) await each.event((m) => counts(channels.general, 0)(m) && m.server_unread === 3);
  await two.request('mark_read', { server_id: server });
  for (const each of [one, two])
    assert.deepEqual((await each.event((m) => serverCounts(0)(m) && m.channels)).channels, []);
  assert.deepEqual((await one.request('get_unread')).servers, []);
  // The sender has read what it wrote.
  assert.deepEqual((await ann.request('get_unread')).servers, []);
  for (const client of [ann, one, two]) await client.close();
});

test('who is mentioned is told so, in message, history and counters, and nobody else is', async () => {
  const ann = await tab(users.ann), bob = await tab(users.bob), eve = await tab(users.eve);
  await readAll(users.eve);
  await bob.request('get_messages', { channel_id: channels.general });
  await ann.request('message', { channel: channels.general, message: 'mail eve@example.org or ask @Bob, @nobody' });
  assert.deepEqual((await bob.event('message')).mentions, [users.bob.id]);
  await bob.event((m) => counts(channels.general, 1)(m) && m.mentions === 1 && m.server_mentions === 1);
  await eve.event((m) => counts(channels.general, 1)(m) && m.mentions === 0 && m.server_mentions === 0);
  const { messages } = await eve.request('get_messages', { channel_id: channels.general, limit: 1 });
  assert.deepEqual(messages[0].mentions, [users.bob.id]);
  const { servers, rev } = await bob.request('get_unread');
  assert.deepEqual(servers, [{ server_id: server, unread: 1, mentions: 1, channels: [{ channel_id: channels.general, unread: 1, mentions: 1 }] }]);
  await bob.request('mark_read', { channel_id: channels.general });
  assert.deepEqual((await bob.request('get_unread', { since: rev })).changed, [{ server_id: server, unread: 0, mentions: 0, channels: [{ channel_id: channels.general, unread: 0, mentions: 0 }] }]);
  assert.equal((await bob.request('get_unread', { since: rev + 1000 })).reset, true);
  for (const client of [ann, bob, eve]) await client.close();
  await readAll(users.eve);
});

test('a channel that one may not see is counted for nobody else', async () => {
  const ann = await tab(users.ann), bob = await tab(users.bob);
  const { channel_id: secret } = await ann.request('create_channel', { server_id: server, name: 'secret', private: true });
  await ann.request('message', { channel: secret, message: 'psst @bob' });
  await ann.request('message', { channel: channels.second, message: 'aloud' });
  await bob.event(counts(channels.second, 1));
  assert.ok(bob.frames.every((m) => m.channel_id !== secret));
  assert.equal((await bob.request('get_unread')).servers[0].unread, 1);
  await ann.request('delete_channel', { channel_id: secret });
  for (const client of [ann, bob]) await client.close();
  await readAll(users.bob);
});

test('a daemon that was killed has lost no number, and goes on counting', async () => {
  let ann = await tab(users.ann), bob = await tab(users.bob);
  for (let i = 0; i < 5; i++) await ann.request('message', { channel: channels.general, message: `${i} @bob` });
  const last = await ann.request('message', { channel: channels.second, message: 'x' });
  await bob.event((m) => counts(channels.general, 5)(m) && m.mentions === 5);
  const { messages } = await bob.request('get_messages', { channel_id: channels.general, limit: 4 });
  await bob.request('mark_read', { channel_id: channels.general, message_id: messages[0].message_id });
  const before = await bob.request('get_unread');
  assert.equal(before.servers[0].unread, 4);
  assert.equal(before.servers[0].mentions, 3);
  await hub.kill9();
  await Promise.all([ann.closed, bob.closed]);
  await hub.spawn();
  ann = await tab(users.ann);
  bob = await tab(users.bob);
  const after = await bob.request('get_unread');
  assert.deepEqual(after.servers, before.servers);
  assert.deepEqual((await bob.request('get_unread', { since: before.rev })).changed.flatMap((s) => s.channels.filter((c) => c.channel_id === channels.second)), []);
  await ann.request('message', { channel: channels.second, message: 'y' });
  await bob.event((m) => counts(channels.second, 2)(m) && m.server_unread === 5 && m.server_mentions === 3);
  await bob.request('mark_read', { channel_id: channels.second, message_id: last.message_id });
  await bob.event((m) => counts(channels.second, 1)(m) && m.server_unread === 4);
  for (const client of [ann, bob]) await client.close();
  await readAll(users.bob);
});

test('mark_read names what is wrong with it', async () => {
  const bob = await tab(users.bob);
  assert.match((await bob.fails('bad_request', 'mark_read')).message, /"channel_id"/);
  assert.match((await bob.fails('bad_request', 'mark_read', { server_id: server, message_id: '1' })).message, /"message_id"/);
  assert.match((await bob.fails('bad_request', 'mark_read', { server_id: server, channel_id: channels.general })).message, /"server_id"/);
  assert.match((await bob.fails('not_found', 'mark_read', { server_id: '1' })).message, /"server_id"/);
  assert.match((await bob.fails('bad_request', 'get_unread', { since: 'long ago' })).message, /"since"/);
  await bob.close();
});
