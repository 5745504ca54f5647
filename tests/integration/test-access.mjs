// SPDX-License-Identifier: LGPL-2.1-or-later
// Who gets in: the four ways to present a token, refusals before the upgrade, revocation, and what never is in a log.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import WebSocket from 'ws';
import { Hub } from './lib/hub.mjs';
import { Client, refusal } from './lib/client.mjs';
import { community } from './lib/community.mjs';
import { checkOut, readFrame } from './lib/schema.mjs';

let hub, users, server, channels;

before(async () => {
  hub = await Hub.start({ settings: { 'auth.authenticate-timeout': '300ms' } });
  ({ users, server, channels } = await community(hub, ['ann', 'bob']));
});
after(() => hub.stop());

async function welcomed(socket) {
  const client = new Client(socket);
  await client.opened;
  const welcome = await client.event('welcome');
  await client.close();
  return welcome;
}

test('a token is presented in the path, with or without the slash at its end', async () => {
  for (const url of [hub.url(users.ann.token), hub.url(users.ann.token).replace(/\/$/, '')]) {
    const welcome = await welcomed(new WebSocket(url));
    assert.equal(welcome.user.user_id, users.ann.id);
    assert.equal(welcome.user.username, 'ann');
    assert.equal(typeof welcome.session, 'string');
    assert.equal(typeof welcome.resume, 'string');
    assert.equal(typeof welcome.heartbeat, 'number');
  }
});

test('a token is presented as a bearer', async () => {
  const welcome = await welcomed(new WebSocket(hub.url(), { headers: { authorization: `Bearer ${users.bob.token}` } }));
  assert.equal(welcome.user.username, 'bob');
});

test('a token is presented as a subprotocol, which is what a browser can set; the answer does not repeat it', async () => {
  const socket = new WebSocket(hub.url(), ['hark.v1', `hark.token.${users.ann.token}`]);
  const welcome = await welcomed(socket);
  assert.equal(welcome.user.username, 'ann');
  assert.equal(socket.protocol, 'hark.v1');
});

test('a token is presented by a first message, in time or not at all', async () => {
  const client = new Client(new WebSocket(hub.url()));
  await client.opened;
  await client.fails('unauthenticated', 'get_servers');
  await client.fails('unauthenticated', 'authenticate', { token: 'wrong-token-wrong' });
  await client.fails('bad_request', 'authenticate', {});
  await client.request('authenticate', { token: users.ann.token });
  assert.equal((await client.event('welcome')).user.username, 'ann');
  await client.fails('conflict', 'authenticate', { token: users.ann.token });
  await client.close();
  const silent = new Client(new WebSocket(hub.url()));
  assert.equal((await silent.closed).code, 4001);
});

test('a wrong, revoked or expired token is refused before the upgrade', async () => {
  assert.equal((await refusal(hub.url('not-a-token-of-ours'))).status, 401);
  assert.equal((await refusal(hub.url(), { headers: { authorization: 'Bearer nonsense-nonsense' } })).status, 401);
  assert.equal((await refusal(hub.url(), { protocols: ['hark.v1', 'hark.token.nonsense-nonsense'] })).status, 401);
  const { token, token_id } = await hub.ctl('token', 'create', 'bob');
  await hub.ctl('token', 'revoke', token_id);
  assert.equal((await refusal(hub.url(token))).status, 401);
  const short = await hub.ctl('token', 'create', 'bob', '--expires', '1s');
  assert.equal((await refusal(hub.url(short.token))).status, 101);
  while ((await refusal(hub.url(short.token))).status === 101);
  assert.equal((await refusal(hub.url(short.token))).status, 401);
});

test('revoking a token ends its sessions at once, with a code that says so, and no others', async () => {
  const { token, token_id } = await hub.ctl('token', 'create', 'ann');
  const doomed = await Client.connect(hub, token), other = await Client.connect(hub, users.ann.token);
  await hub.ctl('token', 'revoke', token_id);
  assert.equal((await doomed.closed).code, 4001);
  await other.request('get_servers');
  await other.close();
});

test('a browser of another origin is refused, one of the same origin is let in', async () => {
  assert.equal((await refusal(hub.url(users.ann.token), { headers: { origin: 'https://evil.example' } })).status, 403);
  assert.equal((await refusal(hub.url(users.ann.token), { headers: { origin: hub.origin } })).status, 101);
});

test('the console of a real browser chats with npm ws', async (t) => {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
           '--disable-component-update', '--disable-sync'],
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${hub.origin}/healthz`);
  const bob = await Client.connect(hub, users.bob.token);
  await bob.request('get_messages', { channel_id: channels.general });
  await page.evaluate(([url, channel]) => new Promise((resolve, reject) => {
    window.got = [];
    window.ws = new WebSocket(url);
    window.ws.onerror = () => reject(new Error('the browser was refused'));
    window.ws.onmessage = (e) => {
      const message = JSON.parse(e.data);
      window.got.push(message);
      if (message.type === 'welcome') window.ws.send(JSON.stringify({ type: 'get_messages', channel_id: channel }));
      if (message.type === 'get_messages') resolve();
    };
  }), [hub.url(users.ann.token), channels.general]);
  await page.evaluate((channel) => window.ws.send(JSON.stringify({ type: 'message', channel, message: 'from a browser', id: Date.now() })), channels.general);
  assert.equal((await bob.event('message')).message, 'from a browser');
  await bob.request('message', { channel: channels.general, message: 'from node' });
  await page.waitForFunction(() => window.got.some((m) => m.type === 'message' && m.message === 'from node'));
  for (const frame of await page.evaluate(() => window.got)) checkOut(frame);
  await bob.close();
});

test('001-7: npm reconnecting-websocket is refused before the upgrade and connects once it may', async () => {
  const ReconnectingWebSocket = createRequire(import.meta.url)('reconnecting-websocket');
  const good = new ReconnectingWebSocket(hub.url(users.ann.token), [], { WebSocket, maxRetries: 2 });
  const first = await new Promise((resolve) => good.addEventListener('message', (e) => resolve(readFrame(e.data))));
  assert.equal(first.type, 'welcome');
  good.close();
  const bad = new ReconnectingWebSocket(hub.url('never-a-token'), [], {
    WebSocket, maxRetries: 3, minReconnectionDelay: 1, maxReconnectionDelay: 2,
  });
  let opened = 0, errors = 0;
  bad.addEventListener('open', () => opened++);
  await new Promise((resolve) => bad.addEventListener('error', () => { if (++errors === 3) resolve(); }));
  bad.close();
  assert.equal(opened, 0);
});

test('no token is ever in the log, at the most talkative level', async () => {
  await (await Client.connect(hub, users.ann.token)).close();
  await refusal(hub.url('a-wrong-token-that-was-tried'));
  const log = hub.log.join('\n');
  assert.ok(log.length > 0);
  for (const secret of [users.ann.token, users.bob.token, 'a-wrong-token-that-was-tried'])
    assert.ok(!log.includes(secret), 'a token is in the log');
});

test('HTTP and WebSocket are on one port; health, readiness and errors are plain HTTP', async () => {
  const get = async (path, options) => {
    const response = await fetch(`${hub.origin}${path}`, options);
    return { status: response.status, body: await response.text() };
  };
  assert.equal((await get('/healthz')).status, 200);
  assert.equal((await get('/readyz')).status, 200);
  const missing = await get('/nothing-here');
  assert.equal(missing.status, 404);
  assert.equal(JSON.parse(missing.body).code, 'not_found');
  assert.equal((await get('/healthz', { method: 'DELETE' })).status, 405);
});

test('compression is agreed on while there is memory for it, and again when somebody has left', async (t) => {
  const small = await Hub.start({ settings: { 'websocket.compression': 'true', 'websocket.compression-memory-max': '80K' } });
  t.after(() => small.stop());
  const ann = await small.user('ann');
  const connect = () => Client.connect(small, ann.token);
  const bytes = async () => Number((await (await fetch(`${small.origin}/metrics`)).text()).match(/^hark_compression_bytes (\d+)$/m)[1]);
  const clients = [await connect(), await connect(), await connect()];
  assert.deepEqual(clients.map((c) => c.socket.extensions), ['permessage-deflate', 'permessage-deflate', '']);
  assert.equal(await bytes(), 81920);
  await clients[0].close();
  while (await bytes() > 40960) await new Promise((resolve) => setImmediate(resolve));
  const late = await connect();
  assert.equal(late.socket.extensions, 'permessage-deflate');
  assert.equal((await late.request('get_servers')).servers.length, 0);
  for (const client of [...clients.slice(1), late]) await client.close();
});
