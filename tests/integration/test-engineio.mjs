// SPDX-License-Identifier: LGPL-2.1-or-later
// npm engine.io-client, unmodified, by polling, by WebSocket, and from the one to the other.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Socket } from 'engine.io-client';
import { Echo } from './lib/echo.mjs';

const modes = {
  polling: ['polling'],
  websocket: ['websocket'],
  upgrade: ['polling', 'websocket'],
};

let echo;

before(async () => { echo = await Echo.start('--ping-interval=300', '--ping-timeout=5000'); });
after(() => echo.stop());

class Client {
  constructor(transports, server = echo, options = {}) {
    this.socket = new Socket(`http://127.0.0.1:${server.port}`, { path: '/engine.io/', transports, ...options });
    this.socket.binaryType = 'nodebuffer';
    this.messages = [];
    this.waiters = [];
    this.socket.on('message', (data) => {
      const waiter = this.waiters.shift();
      if (waiter) waiter(data); else this.messages.push(data);
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    this.closed = new Promise((resolve) => { this.socket.once('close', (reason) => resolve(reason)); });
    this.upgraded = new Promise((resolve) => { this.socket.once('upgrade', resolve); });
  }

  next() {
    return this.messages.length > 0 ? Promise.resolve(this.messages.shift())
                                    : new Promise((resolve) => { this.waiters.push(resolve); });
  }
}

for (const [mode, transports] of Object.entries(modes)) {
  test(`${mode}: opens, and text comes back in order`, async () => {
    const client = new Client(transports);
    await client.opened;
    if (mode === 'upgrade') await client.upgraded;
    assert.equal(client.socket.transport.name, mode === 'polling' ? 'polling' : 'websocket');
    for (let i = 0; i < 100; i++) client.socket.send(`message ${i} – “wörld” 🚢`);
    for (let i = 0; i < 100; i++) assert.equal(await client.next(), `message ${i} – “wörld” 🚢`);
    const { id } = client.socket;
    client.socket.close();
    assert.equal(await client.closed, 'forced close');
    // By WebSocket the client goes without a close code.
    assert.deepEqual(await echo.endOf(id), { code: mode === 'polling' ? 1000 : 1005, reason: 'transport close' });
  });

  test(`${mode}: binary comes back as it was, between texts`, async () => {
    const client = new Client(transports);
    await client.opened;
    const blobs = [0, 1, 2, 3, 1000, 70000].map((n) => Buffer.from(Array.from({ length: n }, (_, i) => (i * 7) & 0xFF)));
    for (const blob of blobs) {
      client.socket.send(`of ${blob.length}`);
      client.socket.send(blob);
    }
    for (const blob of blobs) {
      assert.equal(await client.next(), `of ${blob.length}`);
      assert.deepEqual(Buffer.from(await client.next()), blob);
    }
    client.socket.close();
    await client.closed;
  });

  test(`${mode}: stays open over several pings`, async () => {
    const client = new Client(transports);
    await client.opened;
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => { client.socket.once('ping', resolve); });
    }
    client.socket.send('alive');
    assert.equal(await client.next(), 'alive');
    client.socket.close();
    await client.closed;
  });

  test(`${mode}: many messages of the server in one turn all arrive`, async () => {
    const client = new Client(transports);
    await client.opened;
    client.socket.send('!send 2000 200');
    for (let i = 0; i < 2000; i++) assert.equal(parseInt(await client.next(), 10), i);
    client.socket.close();
    await client.closed;
  });

  test(`${mode}: the server closes`, async () => {
    const client = new Client(transports);
    await client.opened;
    if (mode === 'upgrade') await client.upgraded;
    client.socket.send('last');
    client.socket.send('!close');
    assert.equal(await client.next(), 'last');
    assert.match(await client.closed, /^transport close$/);
  });

  test(`${mode}: messages sent while connecting and upgrading are neither lost nor doubled`, async () => {
    const clients = Array.from({ length: 20 }, () => new Client(transports));
    await Promise.all(clients.map(async (client, n) => {
      await client.opened;
      for (let i = 0; i < 200; i++) {
        client.socket.send(`${n}/${i}`);
        if (i % 7 === 0) await new Promise((resolve) => { setTimeout(resolve, 1); });
      }
      for (let i = 0; i < 200; i++) assert.equal(await client.next(), `${n}/${i}`);
      assert.equal(client.messages.length, 0);
      client.socket.close();
      await client.closed;
    }));
  });
}

test('a fan-out reaches those who poll, those on WebSockets, and those between', async () => {
  const clients = Object.values(modes).flatMap((transports) => Array.from({ length: 10 }, () => new Client(transports)));
  await Promise.all(clients.map((client) => client.opened));
  for (let i = 0; i < 50; i++) {
    clients[i % clients.length].socket.send(`!all round ${i}`);
    await Promise.all(clients.map(async (client) => assert.equal(await client.next(), `round ${i}`)));
  }
  for (const client of clients) client.socket.close();
  await Promise.all(clients.map((client) => client.closed));
});

test('forced base64 is understood by WebSocket too', async () => {
  const client = new Client(['websocket'], echo, { forceBase64: true });
  await client.opened;
  client.socket.send(Buffer.from([1, 2, 3]));
  assert.deepEqual(Buffer.from(await client.next()), Buffer.from([1, 2, 3]));
  client.socket.close();
  await client.closed;
});
