// SPDX-License-Identifier: LGPL-2.1-or-later
// The admin page of npm @socket.io/admin-ui, its files as they come, in a browser and by what it says on the wire.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { io } from 'socket.io-client';
import { Hub, PATIENCE_MS } from './lib/hub.mjs';

const dist = new URL('./node_modules/@socket.io/admin-ui/ui/dist/', import.meta.url);
const types = { html: 'text/html', js: 'text/javascript', css: 'text/css', png: 'image/png', svg: 'image/svg+xml' };
let hub, root, ann, web, origin;

before(async () => {
  web = createServer(async ({ url }, response) => {
    const path = url === '/' ? 'index.html' : url.slice(1).split('?')[0];
    try {
      const data = await readFile(new URL(path, dist));
      response.setHeader('content-type', types[path.split('.').pop()] ?? 'application/octet-stream');
      response.end(data);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  origin = `http://127.0.0.1:${web.address().port}`;
  hub = await Hub.start({ settings: { 'socketio.admin': 'development', 'socketio.cors-credentials': 'true', 'http.allowed-origins': origin, 'socketio.namespaces': '/app' } });
  root = await hub.user('root', '--admin');
  ann = await hub.user('ann');
});

after(async () => {
  web.close();
  await hub.stop();
});

const connect = (namespace, auth, options = {}) => io(`${hub.origin}${namespace}`, { auth, forceNew: true, reconnection: false, ...options });

async function opened(namespace, auth, options) {
  const socket = connect(namespace, auth, options);
  await once(socket, 'connect');
  return socket;
}

async function refused(namespace, auth) {
  const socket = connect(namespace, auth);
  const [error] = await once(socket, 'connect_error');
  socket.disconnect();
  return error.message;
}

// An administrator's socket that keeps what it is told.
async function adminSocket(auth) {
  const socket = connect('/admin', auth);
  const heard = [];
  let arrived = () => {};
  socket.onAny((name, ...args) => { heard.push({ name, args }); arrived(); });
  await once(socket, 'connect');
  const next = async (name, match = () => true) => {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const i = heard.findIndex((event) => event.name === name && match(...event.args));
      if (i >= 0) return heard.splice(i, 1)[0].args;
      const left = until - Date.now();
      assert.ok(left > 0, `no ${name} among ${heard.map((event) => event.name)}`);
      await new Promise((resolve) => { const timer = setTimeout(resolve, left); arrived = () => { clearTimeout(timer); resolve(); }; });
    }
  };
  return { socket, next };
}

test('only administrators log in, by name and token, and come back by the session they are given', async () => {
  for (const auth of [{}, { username: 'root', password: 'wrong' }, { username: 'ann', password: root.token }, { username: 'ann', password: ann.token },
                      { username: 'root', password: ann.token }, { sessionId: 'x' }, { sessionId: 7 }, { token: root.token }])
    assert.equal(await refused('/admin', auth), 'invalid credentials', JSON.stringify(auth));
  const first = await adminSocket({ username: 'root', password: root.token });
  const [sessionId] = await first.next('session');
  first.socket.disconnect();
  const second = await adminSocket({ sessionId });
  assert.deepEqual(await second.next('session'), [sessionId]);
  second.socket.disconnect();
  const other = await hub.user('other', '--admin');
  const third = await adminSocket({ username: 'other', password: other.token });
  const [otherId] = await third.next('session');
  assert.notEqual(otherId, sessionId);
  third.socket.disconnect();
  await hub.ctl('token', 'revoke', other.tokenId);
  assert.equal(await refused('/admin', { sessionId: otherId }), 'invalid credentials', 'a revoked token ends its session');
});

test('it is told of servers, sockets, rooms and events, without anything secret', async () => {
  const early = await opened('/app', { token: ann.token });
  const { socket, next } = await adminSocket({ username: 'root', password: root.token });
  assert.ok((await next('config'))[0].supportedFeatures.includes('ALL_EVENTS'));
  const [all] = await next('all_sockets');
  const seen = all.find(({ id }) => id === early.id);
  assert.deepEqual([seen.nsp, seen.data.username, seen.rooms], ['/app', 'ann', [early.id]]);
  assert.ok(!JSON.stringify(all).includes(ann.token) && !JSON.stringify(all).includes(root.token));
  const [stats] = await next('server_stats');
  assert.equal(stats.namespaces.find(({ name }) => name === '/app').socketsCount, 1);
  assert.ok(stats.clientsCount >= 2);
  const late = await opened('/app', { token: ann.token }, { transports: ['websocket'] });
  const [added, at] = await next('socket_connected', ({ id }) => id === late.id);
  assert.deepEqual([added.nsp, added.transport], ['/app', 'websocket']);
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60000);
  socket.emit('join', '/app', 'tea', late.id);
  assert.deepEqual((await next('room_joined')).slice(0, 3), ['/app', 'tea', late.id]);
  late.emit('question', { sugar: 2 }, [1]); // nobody listens, and late is told so
  assert.deepEqual((await next('event_received')).slice(0, 3), ['/app', late.id, ['question', { sugar: 2 }, [1]]]);
  const heard = new Promise((resolve) => late.once('answer', (...args) => resolve(args)));
  socket.emit('emit', '/app', 'tea', 'answer', { milk: true }, 7);
  assert.deepEqual((await heard).slice(0, 2), [{ milk: true }, 7]);
  assert.deepEqual((await next('event_sent', (nsp, id) => id === late.id))[2].slice(0, 3), ['answer', { milk: true }, 7]);
  socket.emit('leave', '/app', 'tea', late.id);
  assert.deepEqual((await next('room_left')).slice(0, 3), ['/app', 'tea', late.id]);
  const { id: lateId } = late; // gone with the connection
  const gone = once(late, 'disconnect');
  socket.emit('_disconnect', '/app', false, late.id);
  assert.equal((await gone)[0], 'io server disconnect');
  assert.deepEqual((await next('socket_disconnected', (nsp, id) => id === lateId)).slice(0, 2), ['/app', lateId]);
  assert.equal(early.connected, true);
  const wrong = await new Promise((resolve) => socket.emit('_disconnect', 7, resolve));
  assert.equal(wrong.code, 'bad_request');
  early.disconnect();
  socket.disconnect();
});

test('by default there is no /admin', async () => {
  const plain = await Hub.start();
  try {
    const admin = await plain.user('root', '--admin');
    const socket = io(`${plain.origin}/admin`, { auth: { username: 'root', password: admin.token }, reconnection: false });
    assert.equal((await once(socket, 'connect_error'))[0].message, 'Invalid namespace');
    socket.disconnect();
  } finally {
    await plain.stop();
  }
});

test('the page itself: logging in, the sockets, and one that is disconnected by its button', async (t) => {
  const client = await opened('/app', { token: ann.token }, { transports: ['websocket'] });
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.route(/googleapis|jsdelivr/, (route) => route.abort()); // fonts
  await page.goto(origin);
  await page.getByLabel('Server URL').fill(hub.origin);
  await page.getByLabel('Username').fill('root');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.getByText(/invalid credentials/i).waitFor();
  await page.getByLabel('Password').fill(root.token);
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.getByText(/^\s*connected\s*$/i).first().waitFor();
  await page.getByRole('cell', { name: '/app' }).waitFor();
  await page.getByRole('link', { name: 'Servers' }).click();
  await page.getByText(/^\s*healthy\s*$/i).first().waitFor();
  const gone = once(client, 'disconnect');
  await page.getByRole('link', { name: 'Sockets' }).click();
  await page.locator('.v-select').filter({ hasText: 'Select namespace' }).click();
  await page.getByRole('option', { name: '/app' }).click();
  const row = page.getByRole('row').filter({ hasText: client.id });
  await row.waitFor();
  await row.getByRole('button').first().click();
  assert.equal((await gone)[0], 'io server disconnect');
});
