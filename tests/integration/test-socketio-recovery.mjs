// SPDX-License-Identifier: LGPL-2.1-or-later
// Connection state recovery with npm socket.io-client: a socket whose connection was cut gets what it missed, in order
// and once, also from a daemon that was restarted or killed meanwhile; or begins anew, and is told so.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Hub } from './lib/hub.mjs';
import { community } from './lib/community.mjs';
import { MODES, connect, connected, event, patient, request, socket } from './lib/socketio.mjs';

let hub, users;

before(async () => {
  hub = await Hub.start({ settings: { 'socketio.namespaces': '/orders', 'socketio.recovery-events': 20, 'socketio.recovery-bytes': '64K',
                                      'socketio.recovery-per-user': 2 } });
  ({ users } = await community(hub, ['ann', 'bob', 'cleo']));
});
after(() => hub.stop());

// A socket that comes back by itself, but only when it is let.
async function returning(nsp, token, transports = ['websocket']) {
  const made = socket(hub, nsp, token, { transports, reconnection: false });
  await connected(made);
  await made.inbox.next('welcome'); // an offset to come back with
  return made;
}

// The connection is cut, as by a network that has gone.
async function cut(made) {
  const gone = event(made, 'disconnect');
  made.io.engine.close();
  await gone;
}

async function comeBack(made) {
  made.connect();
  await connected(made);
}

const say = (who, message) => request(who, 'message', { message, username: 'x', timestamp: 1 });

async function heard(made, messages) {
  for (const message of messages) assert.equal((await made.inbox.next('message'))[0].message, message);
  assert.deepEqual(made.inbox.all('message'), []);
}

for (const transports of MODES) {
  const way = transports.join(', then ');

  test(`by ${way}, what was missed comes in order and once, and the socket is the same`, async () => {
    const ann = await returning('/chat', users.ann.token, transports), bob = await connect(hub, '/chat', users.bob.token);
    const { id } = ann;
    await say(bob, 'before');
    await heard(ann, ['before']);
    assert.equal(ann.recovered, false);
    await cut(ann);
    for (const message of ['one', 'two', 'three']) await say(bob, message);
    await comeBack(ann);
    assert.equal(ann.recovered, true);
    assert.equal(ann.id, id);
    await say(bob, 'after');
    await heard(ann, ['one', 'two', 'three', 'after']);
    ann.disconnect();
    bob.disconnect();
  });

  for (const [how, again] of [['a restart', () => hub.restart()], ['kill -9', async () => {
    await hub.kill9();
    await hub.spawn();
  }]])
    test(`by ${way}, it comes over ${how} of the daemon as well, with rooms`, async () => {
      const ann = await returning('/orders', users.ann.token, transports);
      const { id } = ann;
      await hub.ctl('sockets', 'join', '/orders', 'vip', '--user', 'ann');
      await hub.ctl('emit', '/orders', 'news', '--args', '["before"]');
      assert.equal((await ann.inbox.next('news'))[0], 'before');
      await cut(ann);
      await hub.ctl('emit', '/orders', 'news', '--args', '["room"]', '--room', 'vip');
      await hub.ctl('emit', '/orders', 'news', '--args', '["not for ann"]', '--room', 'other');
      await hub.ctl('emit', '/orders', 'news', '--args', '["user"]', '--user', 'ann');
      await hub.ctl('emit', '/orders', 'news', '--args', '["lost"]', '--volatile');
      await hub.ctl('emit', '/orders', 'news', '--args', '["but not to this one"]', '--except', 'vip');
      await again();
      await hub.ctl('emit', '/orders', 'news', '--args', '["socket"]', '--room', id);
      await comeBack(ann);
      assert.equal(ann.recovered, true);
      assert.equal(ann.id, id);
      await hub.ctl('emit', '/orders', 'news', '--args', '["after"]', '--room', 'vip');
      for (const what of ['room', 'user', 'socket', 'after']) assert.equal((await ann.inbox.next('news'))[0], what);
      assert.deepEqual(ann.inbox.all('news'), []);
      ann.disconnect();
    });
}

test('a client that is there when the daemon is killed comes back by itself with all that was said meanwhile', async () => {
  const ann = socket(hub, '/chat', users.ann.token, { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50 });
  await connected(ann);
  await ann.inbox.next('welcome');
  const bob = await connect(hub, '/chat', users.bob.token);
  await say(bob, 'before');
  await heard(ann, ['before']);
  const back = event(ann.io, 'reconnect');
  await hub.kill9();
  await hub.spawn();
  await back;
  await connected(ann);
  assert.equal(ann.recovered, true);
  const other = await connect(hub, '/chat', users.cleo.token);
  await say(other, 'after');
  await heard(ann, ['after']);
  for (const one of [ann, bob, other]) one.disconnect();
});

test('every event carries an offset, those with binary data too, so that nothing else is taken for one', async () => {
  const ann = await returning('/orders', users.ann.token);
  await hub.ctl('emit', '/orders', 'odd', '--args', '["text at the end", "12345678901234567890"]');
  const odd = await ann.inbox.next('odd');
  assert.equal(odd.length, 3);
  assert.match(odd[2], /^\d+$/);
  await hub.ctl('emit', '/orders', 'bytes', '--args', JSON.stringify([{ $binary: 'AAEC' }, 'tail']));
  const bytes = await ann.inbox.next('bytes');
  assert.match(bytes[2], /^\d+$/);
  await hub.ctl('emit', '/orders', 'fleeting', '--args', '["tail"]', '--volatile');
  assert.match((await ann.inbox.next('fleeting'))[1], /^\d+$/);
  await cut(ann);
  await hub.ctl('emit', '/orders', 'next', '--args', JSON.stringify([{ $binary: 'AwQ=' }]));
  await comeBack(ann);
  assert.equal(ann.recovered, true);
  const [next] = await ann.inbox.next('next');
  assert.deepEqual(Buffer.from(next), Buffer.from([3, 4]));
  for (const name of ['odd', 'bytes', 'fleeting']) assert.deepEqual(ann.inbox.all(name), []);
  ann.disconnect();
});

test('a socket that saw nothing but its greeting is recovered all the same', async () => {
  const ann = await returning('/chat', users.ann.token), bob = await connect(hub, '/chat', users.bob.token);
  await cut(ann);
  await say(bob, 'missed');
  await comeBack(ann);
  assert.equal(ann.recovered, true);
  await heard(ann, ['missed']);
  ann.disconnect();
  bob.disconnect();
});

test('a connection that comes back before the old one is known to be gone takes its place', async () => {
  const ann = await returning('/chat', users.ann.token), bob = await connect(hub, '/chat', users.bob.token);
  await say(bob, 'seen');
  const [, offset] = await ann.inbox.next('message');
  const gone = event(ann, 'disconnect');
  const twin = socket(hub, '/chat', null, { auth: { token: users.ann.token, pid: ann._pid, offset } });
  await connected(twin);
  await gone;
  await say(bob, 'next');
  await heard(twin, ['next']);
  assert.equal(twin.id.length, 20);
  twin.disconnect();
  bob.disconnect();
});

test('too much missed, another\'s pid, or a wrong offset is a new beginning', async () => {
  const ann = await returning('/chat', users.ann.token), bob = await connect(hub, '/chat', users.bob.token);
  await cut(ann);
  for (let i = 0; i < 21; i++) await say(bob, `${i}`);
  await comeBack(ann);
  assert.equal(ann.recovered, false);
  assert.deepEqual(ann.inbox.all('message'), []);
  await ann.inbox.next('welcome');
  await cut(ann);
  const stolen = socket(hub, '/chat', null, { auth: { token: users.bob.token, pid: ann._pid, offset: ann._lastOffset } });
  await connected(stolen);
  assert.equal(stolen.recovered, false);
  for (const offset of ['x', '-1', '99999999', '1e3']) {
    const odd = socket(hub, '/chat', null, { auth: { token: users.ann.token, pid: ann._pid, offset } });
    await connected(odd);
    assert.notEqual(odd._pid, undefined);
    await say(bob, `after ${offset}`);
    await odd.inbox.next('message', (one) => one.message === `after ${offset}`);
    odd.disconnect();
  }
  stolen.disconnect();
  bob.disconnect();
});

test('a socket that left does not come back, and no more wait than may', async () => {
  const left = await returning('/chat', users.cleo.token);
  left.disconnect();
  left.connect();
  await connected(left);
  assert.equal(left.recovered, false);
  left.disconnect();
  const sockets = [];
  for (let i = 0; i < 4; i++) sockets.push(await returning('/chat', users.cleo.token));
  for (const one of sockets) {
    await cut(one);
    // The daemon has seen its end: the next to end is later than it.
    await patient((async () => {
      while ((await hub.ctl('sockets', 'list', '/chat', '--user', 'cleo')).some((other) => other.sid === one.id));
    })(), 'its end');
  }
  // What may wait is counted when a socket comes.
  const counted = await returning('/chat', users.cleo.token);
  const ids = sockets.map((one) => one.recovered);
  assert.deepEqual(ids, [false, false, false, false]);
  await comeBack(sockets[0]);
  assert.equal(sockets[0].recovered, false);
  counted.disconnect();
  sockets[0].disconnect();
});
