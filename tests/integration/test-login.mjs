// SPDX-License-Identifier: LGPL-2.1-or-later
// Passwords: signing in and out by HTTP, registration, what is limited, tokens that run out, keys of back ends.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { Hub, harkctl } from './lib/hub.mjs';
import { Client, refusal } from './lib/client.mjs';
import { checkOut } from './lib/schema.mjs';
import { io } from 'socket.io-client';

const run = promisify(execFile);
const typePassword = fileURLToPath(new URL('lib/type-password.py', import.meta.url));
const secrets = ['correct horse', 'battery staple'];
let hub, ann, root;

before(async () => {
  hub = await Hub.start({
    settings: {
      'auth.password-operations': 1, 'auth.password-memory': '8K', 'auth.registration': true, 'auth.refresh': true, 'auth.expiry-warning': '1h',
      'auth.attempts-per-user': 4, 'auth.attempts-per-address': 30, 'auth.attempts-window': '1d', 'auth.registrations-per-address': 2,
      'auth.registrations-window': '1d', 'http.forwarded-for': true, 'http.api-rate-per-address': 1, 'http.api-burst-per-address': 60,
      'socketio.namespaces': '/orders',
    },
  });
  root = await hub.user('root', '--admin');
  ann = await hub.user('ann');
  await setPassword(hub, 'ann', 'correct horse');
});
after(() => hub.stop());

// harkctl with something on its standard input.
async function ctlWith(at, input, ...args) {
  const process = spawn(harkctl, ['--address', at.bus.address, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  process.stdout.on('data', (data) => { out += data; });
  process.stdin.end(input);
  const [code] = await once(process, 'close');
  assert.equal(code, 0);
  return out.trim();
}

const setPassword = (at, name, password) => ctlWith(at, `${password}\n`, 'user', 'set-password', name);

let nextAddress = 1;
const newAddress = () => `198.51.100.${nextAddress++}`;

async function post(name, body, { token, from = newAddress(), at = hub } = {}) {
  const headers = { 'x-forwarded-for': from };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(`${at.origin}/api/v1/${name}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = await response.json();
  checkOut(answer);
  return { status: response.status, retryAfter: response.headers.get('retry-after'), ...answer };
}

const login = (username, password, options, more = {}) => post('login', { username, password, ...more }, options);

async function metric(name) {
  const text = await (await fetch(`${hub.origin}/metrics`)).text();
  return Number(text.match(new RegExp(`^${name} (\\d+)$`, 'm'))[1]);
}

test('who signs in gets a token that connects; signing out ends its sessions, and no others', async () => {
  const answer = await login('Ann', 'correct horse');
  assert.equal(answer.status, 200);
  assert.equal(answer.user.user_id, ann.id);
  assert.ok(new Date(answer.expires_at) > new Date(Date.now() + 29 * 24 * 3600 * 1000));
  const [one, two] = [await Client.connect(hub, answer.token), await Client.connect(hub, answer.token)];
  const other = await Client.connect(hub, ann.token);
  assert.equal((await post('logout', {}, { token: answer.token })).status, 200);
  assert.equal((await one.closed).code, 4001);
  assert.equal((await two.closed).code, 4001);
  assert.equal((await refusal(hub.url(answer.token))).status, 401);
  assert.equal((await post('logout', {}, { token: answer.token })).code, 'unauthenticated');
  await other.request('ping');
  await other.close();
});

test('signing out in a session is answered, and then the session ends', async () => {
  const { token } = await login('ann', 'correct horse');
  const client = await Client.connect(hub, token);
  await client.request('logout');
  assert.equal((await client.closed).code, 4001);
});

test('a wrong password and a wrong name are answered alike, with the same work', async () => {
  const before = await metric('hark_passwords_computed_total');
  const answers = [await login('ann', 'wrong'), await login('nobody', 'correct horse'), await login('root', 'correct horse')];
  for (const { status, code, message } of answers)
    assert.deepEqual({ status, code, message }, { status: 401, code: 'unauthenticated', message: '"username" or "password" is not right' });
  assert.equal(await metric('hark_passwords_computed_total'), before + 3);
});

test('a token that is none any more does not keep from signing in', async () => {
  assert.equal((await login('ann', 'correct horse', { token: 'none-any-more' })).status, 200);
});

test('passwords tried of one user are limited, from wherever and whether there is such a user', async () => {
  await hub.ctl('user', 'add', 'victim');
  await setPassword(hub, 'victim', 'correct horse');
  for (const name of ['victim', 'phantom']) {
    for (let i = 0; i < 4; i++) assert.equal((await login(name, 'wrong')).status, 401);
    const answer = await login(name, 'correct horse');
    assert.deepEqual([answer.status, answer.code], [429, 'rate_limited']);
    assert.ok(answer.retry_after_ms > 0 && answer.retry_after_ms <= 24 * 3600 * 1000 / 4);
    assert.equal(Number(answer.retryAfter), Math.ceil(answer.retry_after_ms / 1000));
  }
  for (let i = 0; i < 10; i++) assert.equal((await login('ann', i % 3 === 2 ? 'correct horse' : 'wrong')).status, i % 3 === 2 ? 200 : 401);
  assert.ok(await metric('hark_attempts_refused_total') >= 2);
});

test('passwords tried from one address are limited, for all users together', async () => {
  const from = newAddress();
  for (let i = 0; i < 30; i++) assert.equal((await login(`guess-${i}`, 'wrong', { from })).status, 401);
  assert.equal((await login('ann', 'correct horse', { from })).status, 429);
  // What stands before the last address was written by the client.
  assert.equal((await login('ann', 'correct horse', { from: `203.0.113.9, ${from}` })).status, 429);
  assert.equal((await login('ann', 'correct horse')).status, 200);
  const network = '2001:db8:1:2::';
  for (let i = 0; i < 30; i++) assert.equal((await login(`guess-${i}`, 'wrong', { from: `${network}${i + 1}` })).status, 401);
  assert.equal((await login('ann', 'correct horse', { from: `${network}ffff` })).status, 429);
});

test('calls from one address are limited, with 429, Retry-After and retry_after_ms', async () => {
  const from = newAddress();
  const answers = [];
  for (let i = 0; i < 200; i++) answers.push(await post('publish', { topic: 'app/storm', data: i }, { token: root.token, from }));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0 && answers.filter(({ status }) => status === 200).length >= 60);
  for (const { code, retryAfter, retry_after_ms: ms } of refused) assert.deepEqual([code, retryAfter, ms > 0 && ms <= 1000], ['rate_limited', '1', true]);
  assert.equal(await metric('hark_api_rate_limited_total'), refused.length);
  assert.equal((await post('publish', { topic: 'app/storm', data: 'x' }, { token: root.token })).status, 200);
  const local = await fetch(`${hub.origin}/api/v1/list_users`, { method: 'POST', headers: { authorization: `Bearer ${root.token}` } });
  assert.equal(local.status, 200);
});

test('who makes an account signs in with it; one address makes so many', async () => {
  const from = newAddress();
  const made = await post('register', { username: 'Eve', password: 'correct horse' }, { from });
  assert.deepEqual([made.status, made.username], [200, 'eve']);
  const { token } = await login('eve', 'correct horse');
  const client = await Client.connect(hub, token);
  assert.equal(client.welcome.user.displayname, 'Eve');
  await client.fails('forbidden', 'list_users');
  await client.close();
  assert.equal((await post('register', { username: 'eve', password: 'correct horse' })).code, 'conflict');
  const short = await post('register', { username: 'fay', password: 'short' });
  assert.deepEqual([short.status, short.code], [400, 'bad_request']);
  assert.match(short.message, /"password"/);
  assert.equal((await post('register', { username: 'fay', password: 'x'.repeat(1025) })).code, 'too_large');
  assert.equal((await post('register', { username: 'fay', displayname: 'Fay', password: 'correct horse' }, { from })).status, 200);
  const third = await post('register', { username: 'gus', password: 'correct horse' }, { from });
  assert.deepEqual([third.status, third.code, third.retry_after_ms > 0], [429, 'rate_limited', true]);
  assert.deepEqual((await hub.ctl('user', 'list', '--query', 'gus')), []);
});

test('another password ends what the old one has let in, but not who has set it', async () => {
  await hub.ctl('user', 'add', 'hal');
  await setPassword(hub, 'hal', 'correct horse');
  const [here, there] = [(await login('hal', 'correct horse')).token, (await login('hal', 'correct horse')).token];
  const [one, two] = [await Client.connect(hub, here), await Client.connect(hub, there)];
  await one.fails('forbidden', 'set_password', { password: 'battery staple', old_password: 'wrong' });
  await one.fails('bad_request', 'set_password', { password: 'battery staple' });
  await one.request('set_password', { password: 'battery staple', old_password: 'correct horse' });
  assert.equal((await two.closed).code, 4001);
  await one.request('ping');
  assert.equal((await login('hal', 'correct horse')).status, 401);
  assert.equal((await login('hal', 'battery staple')).status, 200);
  assert.equal((await post('set_password', { password: 'correct horse', old_password: 'battery staple' }, { token: here })).status, 200);
  await setPassword(hub, 'hal', 'battery staple');
  assert.equal((await one.closed).code, 4001);
});

test('harkctl takes a password from a terminal, where it is not to be seen, or from standard input', async () => {
  const id = await ctlWith(hub, 'correct horse\n', 'user', 'add', 'ida', '--password-stdin');
  assert.equal((await login('ida', 'correct horse')).user.user_id, id);
  const { stdout } = await run('python3', [typePassword, 'battery staple', 'battery staple', '--', harkctl, '--address', hub.bus.address,
                                           'user', 'set-password', 'ida']);
  assert.doesNotMatch(stdout, /staple/);
  assert.equal((await login('ida', 'battery staple')).status, 200);
  await assert.rejects(run('python3', [typePassword, 'one password', 'two password', '--', harkctl, '--address', hub.bus.address,
                                       'user', 'set-password', 'ida']));
  assert.equal((await login('ida', 'battery staple')).status, 200);
});

test('a session is told that its token runs out, goes on with another, or ends with the token', async () => {
  const bobs = await hub.user('bob');
  const brief = () => login('ann', 'correct horse', {}, { expires_in: 20 });
  const [ends, goesOn, asks] = await Promise.all([brief(), brief(), brief()].map(async (answer) => Client.connect(hub, (await answer).token)));
  const began = Date.now();
  for (const client of [ends, goesOn, asks])
    assert.ok(new Date((await client.event((m) => m.type === 'token_expiring')).expires_at) <= new Date(began + 20000));
  await goesOn.fails('forbidden', 'refresh_token', { token: bobs.token });
  await goesOn.fails('unauthenticated', 'refresh_token', { token: 'no-such-token' });
  assert.equal((await goesOn.request('refresh_token', { token: ann.token })).expires_at, null);
  const { token, expires_at: until } = await asks.request('refresh_token');
  assert.ok(new Date(until) > new Date(began + 24 * 3600 * 1000));
  const { code, reason } = await ends.closed;
  assert.deepEqual([code, reason], [4001, 'the token has expired']);
  await goesOn.request('ping');
  await asks.request('ping');
  await goesOn.close();
  await asks.close();
  const again = await Client.connect(hub, token);
  await again.close();
});

test('a Socket.IO client is told, and refreshes, too', async () => {
  const { token } = await login('ann', 'correct horse', {}, { expires_in: 3000 });
  // It may come in one piece with the connection.
  const socket = io(hub.origin, { auth: { token }, forceNew: true, transports: ['websocket'] });
  await once(socket, 'token_expiring');
  const answer = await socket.emitWithAck('refresh_token', { token: ann.token });
  assert.deepEqual([answer.type, answer.expires_at], ['refresh_token', null]);
  socket.disconnect();
});

test('a back end\'s key notifies, publishes, emits and reads by HTTP, and administers nothing', async () => {
  const { token } = await hub.ctl('token', 'create', 'root', '--scope', 'backend', '--label', 'shop');
  const listed = (await hub.ctl('token', 'list', 'root')).find(({ label }) => label === 'shop');
  assert.equal(listed.scope, 'backend');
  const notified = await post('notify', { user: 'ann', message: 'sold', action: 'post' }, { token });
  assert.equal(notified.status, 200);
  assert.equal((await post('publish', { topic: 'app/shop', data: 1 }, { token })).status, 200);
  assert.equal((await post('socketio_emit', { namespace: '/orders', event: 'x' }, { token })).status, 200);
  assert.ok((await post('list_users', {}, { token })).users.length > 2);
  for (const [name, body] of [['create_user', { username: 'mallory' }], ['create_token', { user_id: root.id }], ['list_tokens', {}], ['set_user_password', {}],
                              ['update_user', {}], ['delete_user', {}], ['set_password', {}], ['disconnect_user', {}]]) {
    const answer = await post(name, body, { token });
    assert.deepEqual([name, answer.status, answer.code], [name, 403, 'forbidden']);
  }
  const client = new Client(new WebSocket(hub.url(token)));
  assert.equal((await client.closed).code, 4001);
  const socket = io(hub.origin, { auth: { token }, reconnection: false, forceNew: true, transports: ['websocket'] });
  await Promise.race([once(socket, 'disconnect'), once(socket, 'connect_error')]);
  assert.equal(socket.connected, false);
});

test('without registration and refresh, neither is done; the limits are those of the settings', async (t) => {
  const plain = await Hub.start({ settings: { 'auth.password-operations': 1, 'auth.password-memory': '8K', 'auth.password-threads': 1, 'auth.password-queue': 0 } });
  t.after(() => plain.stop());
  await plain.user('bob');
  await setPassword(plain, 'bob', 'correct horse');
  assert.equal((await post('register', { username: 'eve', password: 'correct horse' }, { at: plain })).code, 'forbidden');
  const { token } = await login('bob', 'correct horse', { at: plain });
  const client = await Client.connect(plain, token);
  await client.fails('forbidden', 'refresh_token');
  await client.close();
  const storm = await Promise.all(Array.from({ length: 100 }, (_, i) => login(`user-${i}`, 'x', { at: plain })));
  for (const { status, code } of storm) assert.ok(status === 401 || (status === 503 && code === 'overloaded'), `${status}`);
  await plain.restart();
  assert.equal((await login('bob', 'correct horse', { at: plain })).status, 200);
});

test('no password and no token is in the log', () => {
  for (const line of hub.log) for (const secret of [...secrets, ann.token, root.token]) assert.ok(!line.includes(secret));
});
