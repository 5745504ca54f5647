// SPDX-License-Identifier: LGPL-2.1-or-later
// Socket.IO against the real daemon, with npm socket.io-client as it is: rows 003-1 to 003-7 of the requirements in the
// three ways a client can travel, what both sides may refuse, and one hub for all protocols.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { io as io3 } from 'socket.io-client-3';
import { WebSocket } from 'ws';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { community } from './lib/community.mjs';
import { MODES, connect, connected, event, manager, patient, refused, request, socket } from './lib/socketio.mjs';

let hub, users, channels, server;

before(async () => {
  hub = await Hub.start({ settings: { 'socketio.connect-timeout': '3s', 'auth.authenticate-timeout': '100ms', 'http.allowed-origins': 'https://page.example' } });
  ({ users, channels, server } = await community(hub, ['ann', 'bob', 'cleo']));
});
after(() => hub.stop());

const id = (name) => Number(users[name].id);

test('/notifications hears what waits and what comes, whenever it is connected to, once', async () => {
  const user = await hub.user('nora');
  const numbers = (made) => made.inbox.all('notification').map(([{ message }]) => message);
  const tell = (message) => hub.ctl('notify', 'nora', message, '--action', 'post');
  await tell('before');
  const alone = await connect(hub, '/notifications', user.token);
  await tell('meanwhile');
  await request(alone, 'get_notifications', {});
  assert.deepEqual(numbers(alone), ['before', 'meanwhile']);
  const shared = manager(hub, ['websocket']);
  const chat = await connect(hub, '/chat', user.token, { of: shared });
  await request(chat, 'message', { message: 'the welcome has come', username: 'nora', timestamp: 1 });
  const later = await connect(hub, '/notifications', user.token, { of: shared });
  await tell('after');
  for (let n = 0; n < 3; n++) await later.inbox.next('notification');
  const { notifications } = await request(later, 'get_notifications', {});
  await request(alone, 'get_notifications', {});
  assert.deepEqual(numbers(alone), ['before', 'meanwhile', 'after']);
  assert.deepEqual(later.inbox.all('notification'), []);
  const [{ id: first }] = notifications;
  assert.equal((await request(later, 'ack_notification', { id: first })).waiting, 2);
  for (const made of [alone, chat, later]) made.disconnect();
});

for (const transports of MODES) {
  const way = transports.join(', then ');

  test(`003-1: socket.io-client 4 by ${way}: requests of the native protocol as events, replies as acknowledgements`, async () => {
    const ann = await connect(hub, '/', users.ann.token, { transports });
    if (transports.length > 1 && ann.io.engine.transport.name === 'polling') await event(ann.io.engine, 'upgrade');
    assert.equal(ann.io.engine.transport.name, transports.at(-1));
    const [welcome] = await ann.inbox.next('welcome');
    assert.equal(welcome.user.username, 'ann');
    const { servers } = await request(ann, 'get_servers', {});
    assert.deepEqual(servers.map((one) => one.server_name), ['Harbour']);
    assert.equal((await request(ann, 'get_servers')).servers.length, 1, 'an event without an argument has none to check');
    const refusal = await request(ann, 'get_messages', { channel_id: '12345' });
    assert.equal(refusal.code, 'not_found');
    assert.equal((await hub.ctl('sessions', 'show', welcome.session)).protocol, 'socket.io');
    ann.disconnect();
  });

  test(`003-2: by ${way}, one connection holds several namespaces, and what is said in one is not heard in another`, async () => {
    const shared = manager(hub, transports);
    const chat = await connect(hub, '/chat', users.ann.token, { of: shared });
    const forward = await connect(hub, '/forward', users.ann.token, { of: shared });
    const other = await connect(hub, '/forward', users.bob.token, { transports });
    await request(chat, 'message', { message: 'to the chat', username: 'ann', timestamp: 1 });
    await chat.inbox.next('message');
    await request(other, 'forward', { target: id('ann'), n: 1 });
    assert.equal((await forward.inbox.next('forwarded'))[0].n, 1);
    assert.deepEqual(forward.inbox.all('message'), []);
    assert.deepEqual(chat.inbox.all('forwarded'), []);
    const wrong = await request(forward, 'message', { message: 'x', username: 'ann', timestamp: 1 });
    assert.equal(wrong.code, 'unknown_type');
    // One namespace ends, the other goes on.
    chat.disconnect();
    await request(other, 'forward', { target: id('ann'), n: 2 });
    assert.equal((await forward.inbox.next('forwarded'))[0].n, 2);
    assert.equal(forward.connected, true);
    forward.disconnect();
    other.disconnect();
  });

  test(`003-3: by ${way}, a message in /chat reaches all its clients, the sender too, as it was sent`, async () => {
    const sockets = [];
    for (const name of ['ann', 'bob', 'cleo', 'ann'])
      sockets.push(await connect(hub, '/chat', users[name].token, { transports }));
    const message = { message: 'hello', username: 'whoever', timestamp: 1700000000000 };
    sockets[0].emit('message', message);
    for (const one of sockets) assert.deepEqual((await one.inbox.next('message'))[0], message);
    const ack = await request(sockets[1], 'message', { message: 'again', username: 'bob', timestamp: 2 });
    assert.equal(typeof ack.seq, 'number');
    for (const one of sockets) {
      assert.equal((await one.inbox.next('message'))[0].message, 'again');
      assert.deepEqual(one.inbox.all('message'), []);
      one.disconnect();
    }
  });

  test(`003-4, 003-5, 003-6: by ${way}, what is forwarded arrives whole, at all of the target and the sender's others, with the true sender`, async () => {
    const targets = [await connect(hub, '/forward', users.bob.token, { transports }),
                     await connect(hub, '/forward', users.bob.token, { transports })];
    const tabs = [];
    for (let i = 0; i < 3; i++) tabs.push(await connect(hub, '/forward', users.ann.token, { transports }));
    const bystander = await connect(hub, '/forward', users.cleo.token, { transports });
    const sent = { target: id('bob'), n: 9007199254740991, x: 0.5, nested: { list: [1, '2', null, true] }, type: 'mine', ref: 'mine too',
                   sender: 4711 };
    assert.equal((await request(tabs[0], 'forward', sent)).code, undefined);
    for (const one of [...targets, tabs[1], tabs[2]])
      assert.deepEqual((await one.inbox.next('forwarded'))[0], { ...sent, sender: id('ann') });
    // What comes later proves that nothing else came before it.
    await request(targets[0], 'forward', { target: id('ann'), n: 2 });
    assert.deepEqual((await tabs[0].inbox.next('forwarded'))[0], { target: id('ann'), n: 2, sender: id('bob') });
    assert.deepEqual(tabs[0].inbox.all('forwarded'), []);
    assert.deepEqual(bystander.inbox.all('forwarded'), []);
    for (const one of [...targets, ...tabs, bystander]) one.disconnect();
  });

  test(`003-7: by ${way}, an event's data is one object, and anything else is refused`, async () => {
    const chat = await connect(hub, '/chat', users.ann.token, { transports });
    for (const data of [['text'], [7], [null], [[1]], [{ message: 'a' }, { message: 'b' }], [{ username: 'no message' }], [Buffer.from('binary')]])
      assert.equal((await request(chat, 'message', ...data)).code, 'bad_request', JSON.stringify(data));
    const root = await connect(hub, '/', users.ann.token, { transports });
    assert.equal((await request(root, 'get_servers', 'text')).code, 'bad_request');
    assert.deepEqual(chat.inbox.all('message'), []);
    chat.disconnect();
    root.disconnect();
  });

  test(`by ${way}, binary data is forwarded as binary data, several pieces and nested`, async () => {
    const bob = await connect(hub, '/forward', users.bob.token, { transports });
    const ann = await connect(hub, '/forward', users.ann.token, { transports });
    const a = Buffer.from([0, 1, 2, 255]), b = Buffer.alloc(1000, 7);
    await request(ann, 'forward', { target: id('bob'), a, list: [{ b }, Buffer.alloc(0)] });
    const [got] = await bob.inbox.next('forwarded');
    assert.deepEqual(got.a, a);
    assert.deepEqual(got.list[0].b, b);
    assert.equal(got.list[1].length, 0);
    bob.disconnect();
    ann.disconnect();
  });

  test(`by ${way}, a chat message is one for native clients and Socket.IO clients alike`, async () => {
    const ann = await connect(hub, '/', users.ann.token, { transports });
    const bob = await Client.connect(hub, users.bob.token);
    await request(ann, 'get_messages', { channel_id: channels.general });
    await bob.request('get_messages', { channel_id: channels.general });
    const ack = await request(ann, 'message', { channel: channels.general, message: 'by Socket.IO', id: way });
    assert.equal((await bob.event('message')).message_id, ack.message_id);
    const [echo] = await ann.inbox.next('message');
    assert.equal(echo.message_id, ack.message_id);
    const back = await bob.request('message', { channel: channels.general, message: 'by WebSocket', id: `back ${way}` });
    assert.equal((await ann.inbox.next('message'))[0].message_id, back.message_id);
    // Forwarded between them, too.
    await request(ann, 'forward', { target: users.bob.id, n: 1 });
    assert.equal((await bob.event('forwarded')).n, 1);
    await bob.request('forward', { target: users.ann.id, n: 2 });
    assert.equal((await ann.inbox.next('forwarded'))[0].n, 2);
    // And what is published over D-Bus.
    await request(ann, 'subscribe', { topic: 'app/news' });
    await hub.busctl('call', 'org.hark.Hub1', '/org/hark/Hub1', 'org.hark.Hub1', 'Publish', 'ss', 'app/news', '{"a":1}');
    assert.deepEqual((await ann.inbox.next('publication'))[0].data, { a: 1 });
    ann.disconnect();
    await bob.close();
  });
}

test('socket.io-client 3 does the same', async () => {
  const ann = io3(`${hub.origin}/chat`, { transports: ['polling', 'websocket'], reconnection: false, forceNew: true, auth: { token: users.ann.token } });
  const messages = [];
  ann.on('message', (message) => messages.push(message));
  await patient(new Promise((resolve, reject) => {
    ann.on('connect', resolve);
    ann.on('connect_error', reject);
  }), 'a connection of version 3');
  const ack = await new Promise((resolve) => ann.emit('message', { message: 'old', username: 'ann', timestamp: 1 }, resolve));
  assert.equal(typeof ack.seq, 'number');
  while (messages.length === 0) await event(ann, 'message');
  assert.equal(messages[0].message, 'old');
  ann.disconnect();
});

test('a token that lets nobody in is a CONNECT_ERROR with message and data, and so is none', async () => {
  for (const [token, code] of [['x'.repeat(43), 'unauthenticated'], [undefined, 'unauthenticated']]) {
    const error = await refused(socket(hub, '/', token));
    assert.equal(error.data.code, code);
    assert.equal(error.message, error.data.message);
  }
  assert.equal((await refused(socket(hub, '/', null, { auth: { token: 5 } }))).data.code, 'bad_request');
  const error = await refused(socket(hub, '/nowhere', users.ann.token));
  assert.equal(error.message, 'Invalid namespace');
});

test('a refused namespace leaves the others of the connection alone, and is entered with the right token', async () => {
  const shared = manager(hub, ['websocket']);
  const chat = await connect(hub, '/chat', users.ann.token, { of: shared });
  const forward = shared.socket('/forward', { auth: { token: users.bob.token } });
  assert.equal((await refused(forward)).data.code, 'forbidden', 'a connection is one user\'s');
  forward.auth = { token: users.ann.token };
  forward.connect();
  await connected(forward);
  assert.equal(chat.connected, true);
  chat.disconnect();
  forward.disconnect();
});

test('a namespace may be named with a query, which does not count', async () => {
  const chat = await connect(hub, '/chat?colour=blue', users.ann.token);
  await request(chat, 'message', { message: 'x', username: 'a', timestamp: 1 });
  chat.disconnect();
});

// Raw packets, for what the client never sends.
class Raw {
  static async open(token, nsp = '') {
    const self = new Raw();
    self.packets = [];
    self.socket = new WebSocket(`ws://127.0.0.1:${hub.port}/socket.io/?EIO=4&transport=websocket`);
    self.closed = new Promise((resolve) => self.socket.on('close', (code, reason) => resolve([code, String(reason)])));
    self.socket.on('message', (data, binary) => {
      const text = binary ? data : data.toString();
      if (text === '2') self.socket.send('3');
      const waiter = self.waiters?.shift();
      if (waiter) waiter(text);
      else self.packets.push(text);
    });
    assert.match(await self.next(), /^0\{/);
    if (token) {
      self.socket.send(`40${nsp}${JSON.stringify({ token })}`);
      for (;;) if ((await self.next()).startsWith('40')) break;
    }
    return self;
  }

  next() {
    if (this.packets.length > 0) return Promise.resolve(this.packets.shift());
    return patient(new Promise((resolve) => (this.waiters ??= []).push(resolve)), 'a packet');
  }
}

test('a connection that connects to no namespace in time is closed, and no sooner by the native protocol\'s bound', async () => {
  const raw = await Raw.open();
  const [, reason] = await patient(raw.closed, 'the end of a silent connection');
  assert.equal(reason, 'no namespace was connected to in time');
});

for (const [what, ...packets] of [
  ['no packet type', '4x'], ['an unknown type', '49'], ['an event without a payload', '42'], ['an event that is no array', '42{}'],
  ['an event without a name', '42[]'], ['an event of a reserved name', '42["connect"]'], ['a broken payload', '42["a"'],
  ['an acknowledgement without an id', '43["a"]'], ['a DISCONNECT with a payload', '41{}'], ['a second CONNECT', '40'],
  ['an event of a namespace that is not connected', '42/chat,["message",{}]'], ['text instead of an attachment', '451-["a",{"_placeholder":true,"num":0}]', '42["a"]'],
  ['an attachment that nobody announced', Buffer.from('x')], ['a placeholder of none', '451-["a",{"_placeholder":true,"num":1}]', Buffer.from('x')],
])
  test(`${what} ends the connection, as with the reference server`, async () => {
    const raw = await Raw.open(users.ann.token);
    for (const packet of packets) raw.socket.send(packet);
    await patient(raw.closed, 'the end');
  });

test('DISCONNECT ends one namespace, and its events then end the connection', async () => {
  const raw = await Raw.open(users.ann.token);
  raw.socket.send('41');
  raw.socket.send(`40/chat,${JSON.stringify({ token: users.ann.token })}`);
  for (;;) if ((await raw.next()).startsWith('40/chat,')) break;
  raw.socket.send('42["get_servers"]');
  await patient(raw.closed, 'the end');
});

test('what is emitted to a namespace is not to be had by its topic', async () => {
  const ann = await connect(hub, '/', users.ann.token), chat = await connect(hub, '/chat', users.ann.token);
  assert.equal((await request(ann, 'subscribe', { topic: 'app/~chat' })).code, 'forbidden');
  assert.match((await hub.ctlFailure('publish', 'app/~chat', '1')).stderr, /app\/~/);
  const bob = await Client.connect(hub, users.bob.token);
  await bob.fails('forbidden', 'subscribe', { topic: 'app/~chat' });
  await bob.close();
  for (const one of [ann, chat]) one.disconnect();
});

test('what the native protocol missed in / is asked for by its own resume', async () => {
  const ann = await connect(hub, '/', users.ann.token), chat = ann.io.socket('/chat', { auth: { token: users.ann.token } });
  await connected(chat);
  const [{ resume }] = await ann.inbox.next('welcome');
  const { seq } = await request(ann, 'get_messages', { channel_id: channels.general });
  // Written within a quarter of a second; ending in order writes it now.
  const gone = event(ann, 'disconnect');
  ann.io.engine.close();
  await gone;
  const bob = await Client.connect(hub, users.bob.token);
  const { message_id: missed } = await bob.request('message', { channel: channels.general, message: 'missed', id: 'missed' });
  ann.connect();
  await connected(ann);
  const answer = await request(ann, 'resume', { resume, cursors: { [`channel/${channels.general}`]: seq } });
  const topic = answer.topics.find((one) => one.topic === `channel/${channels.general}`);
  assert.deepEqual([topic.result, topic.events.map((one) => one.message_id)], ['recovered', [missed]]);
  assert.ok(!answer.topics.some((one) => one.topic.includes('~')), 'namespaces are no topics of the native protocol');
  const next = await bob.request('message', { channel: channels.general, message: 'next', id: 'next' });
  assert.equal((await ann.inbox.next('message'))[0].message_id, next.message_id);
  await bob.close();
  ann.disconnect();
});

test('refused CONNECTs without end are not answered without end', async () => {
  const raw = await Raw.open(users.ann.token);
  for (let i = 0; i < 20; i++) raw.socket.send('40/nowhere,');
  await patient(raw.closed, 'the end');
});

test('what was refused and what was no packet is counted', async () => {
  const raw = await Raw.open(users.ann.token);
  const before = await hub.ctl('metrics', 'hark_socketio_');
  raw.socket.send('40/nowhere,');
  for (;;) if ((await raw.next()).startsWith('44/nowhere,')) break;
  raw.socket.send('42');
  await raw.closed;
  const after = await hub.ctl('metrics', 'hark_socketio_');
  for (const name of ['hark_socketio_refused_total', 'hark_socketio_invalid_total'])
    assert.equal(after[name] - before[name], 1, name);
});

test('attachments over their bound end the connection', async () => {
  const raw = await Raw.open(users.ann.token);
  raw.socket.send('459-["get_servers",{"a":{"_placeholder":true,"num":0}}]');
  for (let i = 0; i < 5; i++) raw.socket.send(Buffer.alloc(60000));
  await patient(raw.closed, 'the end');
});

test('the page of another origin may read what it polls only where the configuration says so', async () => {
  const url = `${hub.origin}/socket.io/?EIO=4&transport=polling`;
  const allowed = await fetch(url, { headers: { Origin: 'https://page.example' } });
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://page.example');
  assert.equal(allowed.headers.get('access-control-allow-credentials'), null);
  assert.equal(allowed.headers.get('set-cookie'), null);
  assert.equal((await fetch(url, { headers: { Origin: 'https://evil.example' } })).status, 403);
});

test('cookies and credentials are there when they are asked for, and Socket.IO can be switched off', async () => {
  const other = await Hub.start({ settings: { 'http.allowed-origins': 'https://page.example', 'socketio.cookie': 'io', 'socketio.cors-credentials': 'true' } });
  try {
    const url = `${other.origin}/socket.io/?EIO=4&transport=polling`;
    const allowed = await fetch(url, { headers: { Origin: 'https://page.example' } });
    assert.equal(allowed.headers.get('access-control-allow-credentials'), 'true');
    assert.match(allowed.headers.get('set-cookie'), /^io=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/);
    await other.end();
    other.settings['socketio.enabled'] = 'false';
    await other.spawn();
    assert.equal((await fetch(`${other.origin}/socket.io/?EIO=4&transport=polling`)).status, 404);
  } finally {
    await other.stop();
  }
});

test('a revoked token ends the connections it opened', async () => {
  const dan = await hub.user('dan');
  const chat = await connect(hub, '/chat', dan.token);
  const gone = event(chat, 'disconnect');
  await hub.ctl('token', 'revoke', dan.tokenId);
  assert.ok((await gone)[0]);
});

test('when the daemon stops, clients are told and come back by themselves', async () => {
  const chat = socket(hub, '/chat', users.ann.token, { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50 });
  await connected(chat);
  const gone = event(chat, 'disconnect'), back = event(chat.io, 'reconnect');
  await hub.restart();
  assert.ok((await gone)[0]);
  await back;
  await connected(chat);
  await request(chat, 'message', { message: 'back', username: 'ann', timestamp: 1 });
  chat.disconnect();
});
