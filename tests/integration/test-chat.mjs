// SPDX-License-Identifier: LGPL-2.1-or-later
// Two people talk in a channel of a server; the rows of requirements.md that are about messages.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { community } from './lib/community.mjs';
import { readFrame } from './lib/schema.mjs';

let hub, users, server, channels;

before(async () => {
  hub = await Hub.start();
  ({ users, server, channels } = await community(hub, ['ann', 'bob', 'eve'], ['general', 'other']));
});
after(() => hub.stop());

test('001-1: a message reaches all who have the channel, with the fields the source names', async () => {
  const ann = await Client.connect(hub, users.ann.token), bob = await Client.connect(hub, users.bob.token);
  await ann.request('set_profile', { profile_pic: 'https://example.org/ann.png' });
  await ann.request('get_messages', { channel_id: channels.general });
  await bob.request('get_messages', { channel_id: channels.general });
  const id = 1700000000000;
  const ack = await ann.request('message', {
    server, channel: channels.general, message: 'hi, “harbour” 🚢', id, author: 'mallory', image: 'evil.png',
  });
  assert.equal(ack.id, id);
  assert.match(ack.message_id, /^\d+$/);
  for (const client of [ann, bob]) {
    const got = await client.event('message');
    assert.equal(got.message, 'hi, “harbour” 🚢');
    assert.equal(got.author, 'ann', 'the author is the account’s name, whatever the sender wrote');
    assert.equal(got.author_id, users.ann.id);
    assert.equal(got.image, 'https://example.org/ann.png');
    assert.equal(got.server, server);
    assert.equal(got.channel, channels.general);
    assert.equal(got.id, id, 'the temporary id, as it was sent');
    assert.equal(got.message_id, ack.message_id);
    assert.equal(got.seq, ack.seq);
    assert.match(got.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(got.ref, undefined);
  }
  await ann.close();
  await bob.close();
});

test('001-2: the same id again is not stored twice and gets the first acknowledgement, in each tab', async () => {
  const tab1 = await Client.connect(hub, users.ann.token), tab2 = await Client.connect(hub, users.ann.token);
  for (const tab of [tab1, tab2]) await tab.request('get_messages', { channel_id: channels.other });
  const first = await tab1.request('message', { channel: channels.other, message: 'once', id: 42 });
  const again = await tab2.request('message', { channel: channels.other, message: 'once', id: 42 });
  assert.deepEqual([again.message_id, again.seq, again.id], [first.message_id, first.seq, 42]);
  for (const tab of [tab1, tab2])
    assert.equal((await tab.drain()).filter((m) => m.type === 'message').length, 1);
  // Another author's same id, and another channel's, are other messages.
  const bob = await Client.connect(hub, users.bob.token);
  const bobs = await bob.request('message', { channel: channels.other, message: 'mine', id: 42 });
  assert.notEqual(bobs.message_id, first.message_id);
  const elsewhere = await tab1.request('message', { channel: channels.general, message: 'there', id: 42 });
  assert.notEqual(elsewhere.message_id, first.message_id);
  const { messages } = await tab1.request('get_messages', { channel_id: channels.other });
  assert.deepEqual(messages.map((m) => m.message), ['once', 'mine']);
  for (const client of [tab1, tab2, bob]) await client.close();
});

test('000-8: messages posted while the history is asked for are neither lost nor doubled', async () => {
  const writer = await Client.connect(hub, users.bob.token);
  const total = 400;
  let sent = 0;
  const writing = (async () => {
    for (; sent < total; sent++) await writer.request('message', { channel: channels.other, message: `n${sent}` });
  })();
  // Readers join at all moments of that.
  const readers = [];
  while (sent < total && readers.length < 40) {
    const reader = await Client.connect(hub, users.ann.token);
    const reply = await reader.request('get_messages', { channel_id: channels.other, limit: 100 });
    readers.push({ reader, reply });
  }
  await writing;
  assert.ok(readers.length > 3);
  for (const { reader, reply } of readers) {
    const live = (await reader.drain()).filter((m) => m.type === 'message');
    const seqs = [...reply.messages, ...live].map((m) => m.seq);
    for (let i = 1; i < seqs.length; i++) assert.equal(seqs[i], seqs[i - 1] + 1, 'no gap and no double');
    assert.equal([...reply.messages, ...live].at(-1).message, `n${total - 1}`);
    await reader.close();
  }
  await writer.close();
});

test('history is read in chunks, oldest first, backwards and forwards', async () => {
  const ann = await Client.connect(hub, users.ann.token);
  const made = await ann.request('create_channel', { server_id: server, name: 'history' });
  const channel = made.channel_id;
  for (let i = 0; i < 25; i++) await ann.request('message', { channel, message: `${i}` });
  const newest = await ann.request('get_messages', { channel_id: channel, limit: 10 });
  assert.deepEqual(newest.messages.map((m) => Number(m.message)), [15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
  assert.equal(newest.more, true);
  const older = await ann.request('get_messages', { channel_id: channel, limit: 10, before: newest.messages[0].message_id });
  assert.deepEqual(older.messages.map((m) => Number(m.message)), [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  const oldest = await ann.request('get_messages', { channel_id: channel, limit: 10, before: older.messages[0].message_id });
  assert.deepEqual(oldest.messages.map((m) => Number(m.message)), [0, 1, 2, 3, 4]);
  assert.equal(oldest.more, false);
  const forward = await ann.request('get_messages', { channel_id: channel, limit: 10, after: oldest.messages[4].message_id });
  assert.deepEqual(forward.messages.map((m) => Number(m.message)), [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  await ann.close();
});

test('bad input is answered with an error that names the field, and the session goes on', async () => {
  const ann = await Client.connect(hub, users.ann.token);
  const cases = [
    [{ message: 'x' }, 'bad_request', /"channel"/],
    [{ channel: 'x', message: 'x' }, 'bad_request', /"channel"/],
    [{ channel: channels.general }, 'bad_request', /"message"/],
    [{ channel: channels.general, message: 7 }, 'bad_request', /"message"/],
    [{ channel: channels.general, message: '' }, 'bad_request', /"message"/],
    [{ channel: channels.general, message: 'x'.repeat(5000) }, 'too_large', /"message"/],
    [{ channel: channels.general, message: 'x', id: {} }, 'bad_request', /"id"/],
    [{ channel: '999', message: 'x' }, 'not_found', /./],
    [{ server: '999', channel: channels.general, message: 'x' }, 'not_found', /./],
  ];
  for (const [fields, code, names] of cases) {
    const error = await ann.fails(code, 'message', fields);
    assert.match(error.message, names, JSON.stringify(fields));
    await ann.request('get_servers');
  }
  await ann.fails('bad_request', 'get_messages', { channel_id: channels.general, limit: 0 });
  await ann.fails('bad_request', 'get_messages', { channel_id: channels.general, limit: 'all' });
  await ann.close();
});

test('002-6: what is not a request is an error, and everything lives on', async () => {
  const ann = await Client.connect(hub, users.ann.token);
  for (const frame of ['hello', '{}', '{"content":"hello ? server? "}', '[1]', '"x"', '{"type":7}', '{"type":"nonsense"}', '{"type":"message","type":"forward"}']) {
    ann.socket.send(frame);
    const error = await ann.event('error');
    assert.ok(['bad_request', 'unknown_type'].includes(error.code), `${frame}: ${error.code}`);
    await ann.request('get_servers');
  }
  ann.socket.send(Buffer.from([1, 2, 3]));
  assert.equal((await ann.event('error')).code, 'bad_request');
  await ann.request('get_servers');
  await ann.close();
});

test('who only sends what is refused is disconnected as abuse', async () => {
  const eve = await Client.connect(hub, users.eve.token);
  for (let i = 0; i < 200; i++) eve.socket.send('rubbish');
  const { code } = await eve.closed;
  assert.equal(code, 1008);
});

test('a message to a channel that one may not see is answered as if there were none', async () => {
  const ann = await Client.connect(hub, users.ann.token), bob = await Client.connect(hub, users.bob.token);
  const { channel_id: secret } = await ann.request('create_channel', { server_id: server, name: 'secret', private: true });
  await bob.fails('not_found', 'message', { channel: secret, message: 'knock' });
  await bob.fails('not_found', 'get_messages', { channel_id: secret });
  await ann.close();
  await bob.close();
});

test('forward reaches the target’s sessions and the sender’s others, with everything as it was sent', async () => {
  const tabs = [];
  for (let i = 0; i < 3; i++) tabs.push(await Client.connect(hub, users.ann.token));
  const bob = await Client.connect(hub, users.bob.token);
  tabs[0].socket.send(`{"type":"forward","ref":"mine","target":${users.bob.id},"sender":"mallory","n":12345678901234567890,"f":1.10,"deep":{"a":[null]}}`);
  const raw = await new Promise((resolve) => bob.socket.once('message', (data) => resolve(data.toString())));
  assert.match(raw, /"n":12345678901234567890[,}]/);
  assert.match(raw, /"f":1\.10[,}]/);
  assert.match(raw, /"deep":\{"a":\[null\]\}/);
  assert.match(raw, new RegExp(`"target":${users.bob.id}[,}]`));
  const got = readFrame(raw);
  assert.equal(got.type, 'forwarded');
  assert.equal(String(got.sender), users.ann.id);
  assert.equal((raw.match(/"sender"/g)).length, 1);
  assert.deepEqual((await tabs[0].drain()).map((m) => m.type), ['forward'], 'the sending session gets its answer alone');
  for (const tab of tabs.slice(1)) assert.equal((await tab.drain()).filter((m) => m.type === 'forwarded').length, 1);
  // Who gives no ref is not answered when all went well, and is when it did not.
  tabs[0].socket.send(JSON.stringify({ type: 'forward', target: users.bob.id, x: 2 }));
  assert.deepEqual(await tabs[0].drain(), []);
  tabs[0].socket.send(JSON.stringify({ type: 'forward', target: '12345', x: 2 }));
  assert.equal((await tabs[0].event('error')).code, 'not_found');
  await tabs[0].fails('not_found', 'forward', { target: '12345', x: 1 });
  await bob.close();
  await tabs[0].fails('offline', 'forward', { target: users.eve.id, x: 1 });
  for (const tab of tabs) await tab.close();
});
