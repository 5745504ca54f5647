// SPDX-License-Identifier: LGPL-2.1-or-later
// What back ends do by HTTP: POST /api/v1/<request>, with an administrator's token as "Authorization: Bearer".
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { connect } from './lib/socketio.mjs';

let hub, root, ann;

before(async () => {
  hub = await Hub.start({ settings: { 'http.api-requests': 4, 'socketio.namespaces': '/orders' } });
  root = await hub.user('root', '--admin');
  ann = await hub.user('ann');
});
after(() => hub.stop());

async function post(name, body, { token = root.token, ...options } = {}) {
  const response = await fetch(`${hub.origin}/api/v1/${name}`, {
    method: 'POST', headers: token ? { authorization: `Bearer ${token}` } : {}, body: typeof body === 'string' ? body : JSON.stringify(body), ...options,
  });
  return { status: response.status, headers: response.headers, ...await response.json().catch(() => ({})) };
}

test('publish reaches who is subscribed, and is answered when it is stored', async () => {
  const client = await Client.connect(hub, ann.token);
  await client.request('subscribe', { topic: 'app/deploys' });
  const answer = await post('publish', { topic: 'app/deploys', data: { version: '1.2.3' } });
  assert.deepEqual({ status: answer.status, type: answer.type, seq: answer.seq }, { status: 200, type: 'publish', seq: 1 });
  const event = await client.event((m) => m.type === 'publication');
  assert.deepEqual(event.data, { version: '1.2.3' });
  await client.close();
});

test('notify reaches the user, present or not', async () => {
  const answer = await post('notify', { user: 'ann', message: 'John reacted to your comment', action: 'reaction', action_id: '23', by_user: 'John',
                                        action_content: 'laugh', affected: 'comment', affected_id: '79' });
  assert.equal(answer.status, 200);
  const client = await Client.connect(hub, ann.token);
  assert.equal((await client.event((m) => m.type === 'notification')).id, answer.id);
  await client.close();
});

test('users and tokens are made, and the token lets in', async () => {
  const made = await post('create_user', { username: 'erik' });
  assert.equal(made.status, 200);
  const { token } = await post('create_token', { user_id: made.user_id });
  const client = await Client.connect(hub, token);
  assert.equal(client.welcome.user.username, 'erik');
  const conflict = await post('create_user', { username: 'erik' });
  assert.deepEqual([conflict.status, conflict.code], [409, 'conflict']);
  await client.close();
});

test('a back end emits to Socket.IO: to all, to a user, to one socket', async () => {
  const [one, two] = [await connect(hub, '/orders', ann.token), await connect(hub, '/orders', root.token)];
  const seen = (socket, n) => new Promise((resolve) => {
    const all = [];
    socket.on('placed', (what) => { all.push(what.n); if (all.length === n) resolve(all); });
  });
  const both = [seen(one, 3), seen(two, 2)];
  assert.equal((await post('socketio_emit', { namespace: '/orders', event: 'placed', args: [{ n: 1 }] })).status, 200);
  assert.equal((await post('socketio_emit', { namespace: '/orders', target: { users: [ann.id] }, event: 'placed', args: [{ n: 2 }] })).status, 200);
  assert.equal((await post('socketio_join', { namespace: '/orders', target: { rooms: [one.id] }, room: 'vip' })).status, 200);
  assert.equal((await post('socketio_emit', { namespace: '/orders', target: { rooms: ['vip'], except: [two.id] }, event: 'placed', args: [{ n: 3 }] })).status, 200);
  assert.equal((await post('socketio_emit', { namespace: '/orders', target: { except: [one.id] }, event: 'placed', args: [{ n: 4 }] })).status, 200);
  assert.deepEqual(await Promise.all(both), [[1, 2, 3], [1, 4]]);
  one.disconnect();
  two.disconnect();
});

test('who is nobody, or not an administrator, is refused', async () => {
  const nobody = await post('publish', { topic: 'app/x', data: 1 }, { token: null });
  assert.deepEqual([nobody.status, nobody.code, nobody.headers.get('www-authenticate')], [401, 'unauthenticated', 'Bearer']);
  const wrong = await post('publish', { topic: 'app/x', data: 1 }, { token: 'wrong' });
  assert.deepEqual([wrong.status, wrong.code], [401, 'unauthenticated']);
  const user = await post('publish', { topic: 'app/x', data: 1 }, { token: ann.token });
  assert.deepEqual([user.status, user.code], [403, 'forbidden']);
});

test('mistakes are named', async () => {
  for (const [name, body, status, code] of [
    ['publish', '{', 400, 'bad_request'], ['publish', '[]', 400, 'bad_request'], ['publish', '', 400, 'bad_request'], ['publish', '{"topic":"app/x","data":1}\0', 400, 'bad_request'],
    ['publish', { topic: 7, data: 1 }, 400, 'bad_request'], ['no_such_request', {}, 404, 'not_found'], ['get_servers', {}, 404, 'not_found'],
    ['', {}, 404, 'not_found'], ['x'.repeat(1000), {}, 404, 'not_found'], ['delete_user', { user_id: '1' }, 404, 'not_found'],
  ]) {
    const answer = await post(name, body);
    assert.deepEqual([name.slice(0, 20), answer.status, answer.code], [name.slice(0, 20), status, code]);
  }
  const got = await fetch(`${hub.origin}/api/v1/publish`, { headers: { authorization: `Bearer ${root.token}` } });
  assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST']);
  assert.equal((await post('publish', { topic: 'app/x', data: 'x'.repeat(100000) })).status, 413);
});

test('more requests under way than the limit are refused, and counted; a client that goes harms nobody', async () => {
  const storm = await Promise.all(Array.from({ length: 200 }, (_, i) => post('publish', { topic: 'app/storm', data: i })));
  for (const { status, code } of storm) assert.ok(status === 200 || (status === 503 && code === 'overloaded'), `${status}`);
  const good = storm.filter(({ status }) => status === 200).map(({ seq }) => seq).sort((a, b) => a - b);
  assert.deepEqual(good, Array.from({ length: good.length }, (_, i) => i + 1));
  const metrics = await (await fetch(`${hub.origin}/metrics`)).text();
  assert.equal(Number(metrics.match(/^hark_api_overloaded_total (\d+)$/m)[1]), 200 - good.length);
  for (let i = 0; i < 50; i++) {
    const request = http.request(`${hub.origin}/api/v1/publish`, { method: 'POST', headers: { authorization: `Bearer ${root.token}` } });
    request.on('error', () => {});
    request.end(JSON.stringify({ topic: 'app/gone', data: i }));
    await once(request, 'finish');
    request.destroy();
  }
  let answer;
  do answer = await post('publish', { topic: 'app/after', data: 1 }); while (answer.status === 503);
  assert.equal(answer.status, 200);
});

test('no token is in the log', () => {
  for (const line of hub.log) for (const { token } of [root, ann]) assert.ok(!line.includes(token));
});
