// SPDX-License-Identifier: LGPL-2.1-or-later
// Rooms with real clients: pages without accounts at `/`, as source 002 prints them, and native clients at `/ws/`.
import { test, beforeEach, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { chromium } from 'playwright-core';
import WebSocket from 'ws';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';

let hub, ann;
const sourcePage = readFileSync(new URL('./sources/002-client.html', import.meta.url), 'utf8');

// Each test has a lobby in which nobody of the test before is still leaving.
beforeEach(async () => {
  hub = await Hub.start({ settings: { 'auth.anonymous': 'true', 'rooms.data-max': 64, 'rooms.rooms-per-session': 2 } });
  ann = await hub.user('ann');
});
afterEach(() => hub.stop());

const pageUrl = () => `ws://127.0.0.1:${hub.port}/`;

// A client that keeps texts as they came, as the source's shows them.
class Plain {
  static async connect(t) {
    const self = new Plain();
    self.texts = [];
    self.wake = () => {};
    self.socket = new WebSocket(pageUrl());
    t.after(() => self.socket.terminate());
    self.socket.on('message', (data, binary) => { assert.ok(!binary); self.texts.push(data.toString()); self.wake(); });
    await once(self.socket, 'open');
    return self;
  }

  async next() {
    while (this.texts.length === 0) await new Promise((resolve) => { this.wake = resolve; });
    return this.texts.shift();
  }

  send(message) { this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message)); }

  async fence() {
    this.send({ type: 'ping', ref: 'fence' });
    const before = [];
    for (;;) {
      const text = await this.next();
      if (JSON.parse(text).ref === 'fence') return before;
      before.push(text);
    }
  }
}

async function guest(t, url = hub.url()) {
  const client = new Client(new WebSocket(url, url === hub.url() ? [] : ['hark.v1']));
  t.after(() => client.close());
  await client.opened;
  client.welcome = await client.event('welcome');
  client.joined = await client.event('user_joined');
  client.id = client.joined.user_id;
  return client;
}

async function metric(name) {
  const text = await (await fetch(`${hub.origin}/metrics`)).text();
  return Number(text.match(new RegExp(`^${name} (\\d+)$`, 'm'))[1]);
}

test('002-1: a page and its WebSocket have one address', async (t) => {
  const response = await fetch(`${hub.origin}/`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/html/);
  assert.match(await response.text(), /<h1>Hark<\/h1>/);
  assert.equal((await fetch(`${hub.origin}/`, { method: 'POST' })).status, 405);
  assert.equal((await fetch(`${hub.origin}/nothing-here`)).status, 404);
  const plain = await Plain.connect(t);
  assert.equal(await plain.next(), '"new user joined"');
  plain.socket.close();
  await once(plain.socket, 'close');
});

test('002-2: a greeting carries the name that setUsername gave', async (t) => {
  const one = await Plain.connect(t), two = await Plain.connect(t), native = await guest(t);
  await one.fence();
  await two.fence();
  one.send({ type: 'greeting', content: 'before' });
  assert.equal((await native.event('greeting')).username, 'Anonymous');
  one.send({ type: 'setUsername', content: 'Ann' });
  one.send({ type: 'greeting', content: 'hello' });
  const [before, renamed, greeting] = [JSON.parse(await two.next()), JSON.parse(await two.next()), JSON.parse(await two.next())];
  assert.equal(before.content, 'before');
  assert.deepEqual([renamed.type, renamed.username, renamed.user_id], ['user_renamed', 'Ann', before.user_id]);
  assert.deepEqual(greeting, { type: 'greeting', room: 'lobby', user_id: before.user_id, username: 'Ann', content: 'hello' });
  assert.deepEqual(await native.event('greeting'), greeting);
  assert.deepEqual(await one.fence(), []);
});

test('002-3: who connects is Anonymous with an id of its own, and listed so until it names itself', async (t) => {
  const one = await guest(t), two = await guest(t);
  assert.equal(one.welcome.user.username, 'Anonymous');
  assert.notEqual(one.id, two.id);
  const listed = async () => new Map((await two.request('get_room', { room: 'lobby' })).members.map((m) => [m.user_id, m.username]));
  assert.equal((await listed()).get(one.id), 'Anonymous');
  await one.request('setUsername', { content: 'Eve' });
  assert.equal((await listed()).get(one.id), 'Eve');
  assert.equal((await listed()).get(two.id), 'Anonymous');
});

test('002-4: "new user joined" to all, the newcomer too; native clients are told who', async (t) => {
  const native = await guest(t, pageUrl());
  const one = await Plain.connect(t);
  assert.equal(await one.next(), '"new user joined"');
  const first = await native.event('user_joined');
  assert.deepEqual(first, { type: 'user_joined', room: 'lobby', user_id: first.user_id, username: 'Anonymous' });
  const two = await Plain.connect(t);
  assert.equal(await two.next(), '"new user joined"');
  assert.equal(await one.next(), '"new user joined"');
  assert.notEqual((await native.event('user_joined')).user_id, first.user_id);
});

test('002-5: when a client leaves, its name is gone and the others know', async (t) => {
  const plain = await Plain.connect(t), native = await guest(t), leaver = await guest(t);
  await leaver.request('setUsername', { content: 'Bob' });
  await native.event('user_renamed');
  await plain.fence();
  await leaver.close();
  const left = await native.event((m) => m.type === 'user_left' && m.user_id === leaver.id);
  assert.equal(left.username, 'Bob');
  assert.equal(await plain.next(), '"user left"');
  const { members } = await native.request('get_room', { room: 'lobby' });
  assert.ok(!members.some((m) => m.username === 'Bob' || m.user_id === leaver.id));
});

test('002-6: what is not understood is answered by an error, and everything lives on', async (t) => {
  const plain = await Plain.connect(t), native = await guest(t);
  await plain.fence();
  for (const [message, code] of [[{ content: 'hello ? server? ' }, 'bad_request'], [{ type: 'dance' }, 'unknown_type'],
    ['not json', 'bad_request'], [Buffer.from([1, 2]), 'bad_request'], ['[]', 'bad_request'], [{ type: 'greeting' }, 'bad_request']]) {
    plain.send(message);
    const reply = JSON.parse(await plain.next());
    assert.deepEqual([reply.type, reply.code], ['error', code]);
  }
  plain.send({ type: 'greeting', content: 'still here' });
  assert.equal((await native.event('greeting')).content, 'still here');
});

test("002: the source's own page, in Chromium, unmodified", async (t) => {
  const native = await guest(t);
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
           '--disable-component-update', '--disable-sync'],
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  // Hark serves a page of its own at `/`, without scripts: the source's is put where something of the hub's was.
  await page.goto(`${hub.origin}/healthz`);
  await page.setContent(sourcePage);
  await native.event('user_joined');
  await page.waitForFunction(() => /"new user joined".*"bad_request"/.test(document.getElementById('messages').textContent));
  await native.request('greeting', { content: 'hello page' });
  await page.waitForFunction(() => document.getElementById('messages').textContent.includes('hello page'));
  await page.close();
  await native.event('user_left');
});

test('rooms are for those with and without accounts, and bounded', async (t) => {
  const one = await guest(t), user = await Client.connect(hub, ann.token);
  t.after(() => user.close());
  await one.request('join', { room: 'tea' });
  assert.equal((await user.request('join', { room: 'tea' })).members, 2);
  await user.request('publish', { room: 'tea', data: { x: [1, 2.5] } });
  assert.deepEqual(await one.event('published'), { type: 'published', room: 'tea', user_id: ann.id, username: 'ann', data: { x: [1, 2.5] } });
  await one.fails('too_large', 'join', { room: 'third' });
  await one.fails('too_large', 'join', { room: 'x'.repeat(65) });
  await one.fails('too_large', 'publish', { room: 'tea', data: 'x'.repeat(63) });
  await one.fails('unauthenticated', 'get_servers');
  await one.fails('conflict', 'authenticate', { token: ann.token });
  await one.request('leave', { room: 'tea' });
  await user.event('user_left');
  await user.request('leave', { room: 'tea' });
  await one.fails('not_found', 'get_room', { room: 'tea' });
});

test('without anonymous access nobody is in without a token, at `/` as at `/ws`', async (t) => {
  const closed = await Hub.start({ settings: { 'auth.late-authentication': 'false' } });
  t.after(() => closed.stop());
  for (const path of ['/', '/ws/']) {
    const socket = new WebSocket(`ws://127.0.0.1:${closed.port}${path}`);
    socket.on('error', () => {});
    const [, response] = await once(socket, 'unexpected-response');
    assert.equal(response.statusCode, 401);
    socket.terminate();
  }
  assert.equal((await fetch(`${closed.origin}/`)).status, 200);
});

test('001-7: a reconnecting client with a refused token never reaches the hub', async () => {
  const ReconnectingWebSocket = createRequire(import.meta.url)('reconnecting-websocket');
  const opened = await metric('hark_sessions_opened_total'), refused = await metric('hark_handshakes_unauthenticated_total');
  const socket = new ReconnectingWebSocket(hub.url('never-a-token'), [], {
    WebSocket, maxRetries: 5, minReconnectionDelay: 1, maxReconnectionDelay: 2,
  });
  let errors = 0;
  await new Promise((resolve) => socket.addEventListener('error', () => { if (++errors === 5) resolve(); }));
  socket.close();
  assert.equal(await metric('hark_sessions_opened_total'), opened);
  assert.ok(await metric('hark_handshakes_unauthenticated_total') >= refused + 5);
});
