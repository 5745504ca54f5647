// SPDX-License-Identifier: LGPL-2.1-or-later
// The native protocol where no WebSocket gets through: by Engine.IO, with npm engine.io-client.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Socket } from 'engine.io-client';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { community } from './lib/community.mjs';

let hub, users, channels;

before(async () => {
  hub = await Hub.start({ settings: { 'http.engine-io': 'true' } });
  ({ users, channels } = await community(hub, ['ann', 'bob']));
});
after(() => hub.stop());

// What Client needs of a ws socket, on an Engine.IO one.
class EngineSocket {
  constructor(transports) {
    this.engine = new Socket(hub.origin, { path: '/engine.io/', transports });
  }

  on(event, handler) {
    if (event === 'close') this.engine.on('close', (reason) => handler(1000, Buffer.from(String(reason))));
    else this.engine.on(event, handler);
    return this;
  }

  once(event, handler) {
    this.engine.once(event, handler);
    return this;
  }

  addListener(event, handler) { return this.on(event, handler); }
  removeListener(event, handler) { this.engine.off(event, handler); return this; }
  send(text) { this.engine.send(text); }
  close() { this.engine.close(); }
}

async function connect(transports, token) {
  const client = new Client(new EngineSocket(transports));
  await client.opened;
  await client.request('authenticate', { token });
  client.welcome = await client.event('welcome');
  return client;
}

for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']])
  test(`a client that comes by ${transports.join(', then ')} chats with one that has a WebSocket`, async () => {
    const ann = await connect(transports, users.ann.token), bob = await Client.connect(hub, users.bob.token);
    for (const client of [ann, bob]) await client.request('get_messages', { channel_id: channels.general });
    const ack = await ann.request('message', { channel: channels.general, message: 'by hand of a poll', id: transports.join() });
    assert.equal((await bob.event('message')).message_id, ack.message_id);
    assert.equal((await ann.event('message')).message_id, ack.message_id);
    for (let i = 0; i < 50; i++) bob.socket.send(JSON.stringify({ type: 'message', channel: channels.general, message: `${i}` }));
    for (let i = 0; i < 50; i++) assert.equal((await ann.event('message')).message, `${i}`);
    const session = await hub.ctl('sessions', 'show', ann.welcome.session);
    assert.equal(session.username, 'ann');
    await ann.fails('not_found', 'get_messages', { channel_id: '12345' });
    await ann.close();
    await bob.close();
  });

test('without a right token nothing is to be had by polling either', async () => {
  const client = new Client(new EngineSocket(['polling']));
  await client.opened;
  await client.fails('unauthenticated', 'get_servers');
  await client.fails('unauthenticated', 'authenticate', { token: 'wrong-wrong-wrong' });
  await client.close();
});

test('when the daemon stops, who polls is told, and what it had is kept for it', async () => {
  const ann = await connect(['polling'], users.ann.token);
  await ann.request('get_messages', { channel_id: channels.general });
  await hub.restart();
  await ann.closed;
  const back = await connect(['polling'], users.ann.token);
  const { topics } = await back.request('resume', { resume: ann.welcome.resume });
  assert.ok(topics.some((entry) => entry.topic === `channel/${channels.general}` && entry.result === 'recovered'));
  await back.close();
});

test('it is off unless it is switched on', async () => {
  const other = await Hub.start();
  try {
    assert.equal((await fetch(`${other.origin}/engine.io/?EIO=4&transport=polling`)).status, 404);
  } finally {
    await other.stop();
  }
});
