// SPDX-License-Identifier: LGPL-2.1-or-later
// Namespaces of a back end: what it hears of their clients over D-Bus, and what it says to them, to all, a room, a user,
// one socket, without another; by D-Bus and by harkctl.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Hub } from './lib/hub.mjs';
import { community } from './lib/community.mjs';
import { MODES, connect, event, manager, patient, request } from './lib/socketio.mjs';

let hub, users;

before(async () => {
  hub = await Hub.start({ settings: { 'socketio.namespaces': '/orders;/game', 'socketio.ack-timeout': '700ms', 'socketio.pending-acks': 5,
                                      'socketio.rooms-per-socket': 3 } });
  ({ users } = await community(hub, ['ann', 'bob', 'cleo']));
});
after(() => hub.stop());

// A program on the bus that listens.
class BackEnd {
  static async start() {
    const self = new BackEnd();
    self.process = spawn('python3', [fileURLToPath(new URL('lib/bus-listener.py', import.meta.url)), hub.bus.address],
                         { stdio: ['ignore', 'pipe', 'inherit'] });
    self.items = [];
    self.waiters = [];
    createInterface({ input: self.process.stdout }).on('line', (line) => {
      const item = JSON.parse(line);
      const at = self.waiters.findIndex((waiter) => waiter.name === item.signal);
      if (at >= 0) self.waiters.splice(at, 1)[0].resolve(item.args);
      else self.items.push(item);
    });
    await self.next('listening');
    return self;
  }

  next(name) {
    const at = this.items.findIndex((item) => item.signal === name);
    if (at >= 0) return Promise.resolve(this.items.splice(at, 1)[0].args);
    return patient(new Promise((resolve) => this.waiters.push({ name, resolve })), `the signal ${name}`);
  }

  stop() {
    this.process.kill();
    return new Promise((resolve) => this.process.on('exit', resolve));
  }
}

function call(method, signature, ...args) {
  return hub.busctl('--json=short', 'call', 'org.hark.Hub1', '/org/hark/Hub1', 'org.hark.SocketIO1', method,
                    ...(signature ? [signature, ...args.map(String)] : []))
    .then((text) => (text ? JSON.parse(text).data : null));
}

function emit(target, name, ...args) {
  return call('Emit', 'ssssb', '/orders', target ? JSON.stringify(target) : '', name, JSON.stringify(args), false);
}

for (const transports of MODES)
  test(`by ${transports.join(', then ')}, the back end hears a client's events and acknowledges them`, async () => {
    const back = await BackEnd.start();
    const ann = await connect(hub, '/orders', users.ann.token, { transports });
    const [nsp, sid, session, user, name, recovered] = await back.next('Connected');
    assert.deepEqual([nsp, sid, user, name, recovered], ['/orders', ann.id, users.ann.id, 'ann', false]);
    ann.emit('buy', { n: 1 }, 'two', [3]);
    const plain = await back.next('ClientEvent');
    assert.deepEqual(plain, ['/orders', ann.id, session, users.ann.id, 'ann', 'buy', '[{"n":1},"two",[3]]', 0]);
    const answer = new Promise((resolve) => ann.emit('sell', (...args) => resolve(args)));
    const asked = await back.next('ClientEvent');
    assert.notEqual(asked[7], 0);
    await call('Acknowledge', 'xs', asked[7], '["done",{"price":2.5}]');
    assert.deepEqual(await patient(answer, 'the answer'), ['done', { price: 2.5 }]);
    await assert.rejects(call('Acknowledge', 'xs', asked[7], '[]'), /nobody waits/);
    // Binary data is text on the bus, and binary data again for a client.
    const bytes = Buffer.from([0, 255, 10]);
    ann.emit('picture', bytes);
    assert.equal((await back.next('ClientEvent'))[6], `[{"$binary":"${bytes.toString('base64')}"}]`);
    await emit({ rooms: [ann.id] }, 'picture', { $binary: bytes.toString('base64') }, 7);
    const [picture, seven] = await ann.inbox.next('picture');
    assert.deepEqual([Buffer.from(picture), seven], [bytes, 7]);
    // The other way round: the client is asked.
    ann.on('question', (x, done) => done({ twice: x * 2, bytes }));
    assert.deepEqual(await call('Request', 'ssssu', '/orders', ann.id, 'question', '[21]', 0),
                     [`[{"twice":42,"bytes":{"$binary":"${bytes.toString('base64')}"}}]`]);
    ann.disconnect();
    assert.equal((await back.next('Disconnected'))[5], false);
    await back.stop();
  });

test('an event is emitted to all, a room, a user, one socket, and without one', async () => {
  const ann = [await connect(hub, '/orders', users.ann.token), await connect(hub, '/orders', users.ann.token)];
  const bob = await connect(hub, '/orders', users.bob.token);
  const all = [...ann, bob];
  // What is for all ends each step: what came before it is all that came.
  let step = 0;
  const expect = async (target, ...receivers) => {
    await emit(target, 'news', ++step);
    await emit(null, 'end', step);
    for (const one of all) {
      await one.inbox.next('end', (n) => n === step);
      assert.deepEqual(one.inbox.all('news').map(([n]) => n), receivers.includes(one) ? [step] : []);
      if (receivers.includes(one)) await one.inbox.next('news');
    }
  };
  await expect(null, ...all);
  assert.deepEqual(await call('Join', 'sss', '/orders', JSON.stringify({ rooms: [ann[0].id, bob.id] }), 'vip'), [2]);
  assert.deepEqual(await call('Join', 'sss', '/orders', JSON.stringify({ rooms: [bob.id] }), 'vip'), [0]);
  await expect({ rooms: ['vip'] }, ann[0], bob);
  await expect({ users: [users.ann.id] }, ...ann);
  await expect({ rooms: ['vip'], users: [users.ann.id] }, ...all);
  await expect({ rooms: [ann[1].id] }, ann[1]);
  await expect({ except: [ann[1].id] }, ann[0], bob);
  await expect({ rooms: ['vip'], except: [bob.id] }, ann[0]);
  await expect({ rooms: ['nobody is here'] });
  assert.deepEqual(await call('Leave', 'sss', '/orders', JSON.stringify({ users: [users.bob.id] }), 'vip'), [1]);
  await expect({ rooms: ['vip'] }, ann[0]);
  for (const [target, what] of [['{"rooms":[]}', /nobody/], ['{"rooms":"vip"}', /rooms/], ['{"room":["vip"]}', /no \\"room\\"|no "room"/], ['[]', /target/], ['{', /target/]])
    await assert.rejects(call('Emit', 'ssssb', '/orders', target, 'news', '[]', false), what);
  await assert.rejects(call('Emit', 'ssssb', '/nowhere', '', 'news', '[]', false), /there is no/);
  await assert.rejects(call('Emit', 'ssssb', '/orders', '', 'disconnect', '[]', false), /reserved/);
  await assert.rejects(call('Emit', 'ssssb', '/orders', '', 'news', '{}', false), /args/);
  for (const one of all) one.disconnect();
});

test('harkctl emits, lists, and has sockets join, leave and go', async () => {
  const ann = await connect(hub, '/game', users.ann.token), bob = await connect(hub, '/game', users.bob.token);
  const listed = await hub.ctl('sockets', 'list', '/game');
  assert.deepEqual(listed.map((one) => one.sid), [ann.id, bob.id].sort((a, b) => (a < b ? -1 : 1)));
  assert.deepEqual(await hub.ctl('sockets', 'join', '/game', 'table 1', '--user', 'ann'), { sockets: '1' });
  assert.deepEqual((await hub.ctl('sockets', 'list', '/game', '--room', 'table 1')).map((one) => [one.username, one.rooms]), [['ann', ['table 1']]]);
  assert.equal(typeof (await hub.ctl('emit', '/game', 'deal', '--args', '[{"card":7}]', '--room', 'table 1')).seq, 'number');
  assert.deepEqual((await ann.inbox.next('deal'))[0], { card: 7 });
  assert.equal((await hub.ctl('emit', '/game', 'tick', '--volatile')).seq, 0);
  await ann.inbox.next('tick');
  await bob.inbox.next('tick');
  assert.deepEqual(bob.inbox.all('deal'), []);
  assert.deepEqual(await hub.ctl('sockets', 'leave', '/game', 'table 1'), { sockets: '1' });
  const [annGone, bobGone] = [event(ann, 'disconnect'), event(bob, 'disconnect')];
  await hub.ctl('sockets', 'disconnect', '/game', '--user', 'ann');
  assert.equal((await annGone)[0], 'io server disconnect');
  await hub.ctl('sockets', 'disconnect', '/game', '--close');
  await bobGone;
  assert.deepEqual(await hub.ctl('sockets', 'list', '/game'), []);
  assert.match((await hub.ctlFailure('emit', '/nowhere', 'x')).stderr, /there is no/);
});

test('a namespace that is disconnected leaves the connection\'s others', async () => {
  const shared = manager(hub, ['websocket']);
  const orders = await connect(hub, '/orders', users.cleo.token, { of: shared }), game = await connect(hub, '/game', users.cleo.token, { of: shared });
  const gone = event(orders, 'disconnect');
  await call('DisconnectSockets', 'ssb', '/orders', JSON.stringify({ users: [users.cleo.id] }), false);
  await gone;
  await emit(null, 'unheard');
  await hub.ctl('emit', '/game', 'heard');
  await game.inbox.next('heard');
  game.disconnect();
});

test('without a back end a client is told so, and one that does not answer is waited for in bounds', async () => {
  const ann = await connect(hub, '/orders', users.ann.token);
  assert.equal((await request(ann, 'buy')).code, 'offline');
  const back = await BackEnd.start();
  const answers = [];
  for (let i = 0; i < 6; i++) answers.push(request(ann, 'buy', i));
  const codes = (await Promise.all(answers)).map((one) => one.code).sort();
  assert.deepEqual(codes, ['offline', 'offline', 'offline', 'offline', 'offline', 'overloaded']);
  // And a client that does not answer.
  await assert.rejects(call('Request', 'ssssu', '/orders', ann.id, 'silence', '[]', 200), /client/);
  const owed = Array.from({ length: 6 }, () => call('Request', 'ssssu', '/orders', ann.id, 'silence', '[]', 60000));
  // One is refused, and the others end with the client.
  const refusals = owed.map((one) => one.catch((error) => error.message));
  assert.match(await patient(Promise.race(refusals), 'a refusal'), /too much/);
  ann.disconnect();
  assert.equal((await Promise.all(refusals)).filter((text) => /too much/.test(text)).length, 1);
  await back.stop();
});

test('a socket can be in so many rooms', async () => {
  const ann = await connect(hub, '/orders', users.ann.token);
  const who = JSON.stringify({ rooms: [ann.id] });
  for (const room of ['a', 'b', 'c']) await call('Join', 'sss', '/orders', who, room);
  await assert.rejects(call('Join', 'sss', '/orders', who, 'd'), /3 rooms/);
  assert.ok((await hub.ctl('metrics', 'hark_socketio_limited_total')).hark_socketio_limited_total > 0);
  ann.disconnect();
});

test('/chat and /notifications can be emitted to as well', async () => {
  const ann = await connect(hub, '/chat', users.ann.token);
  await call('Emit', 'ssssb', '/chat', '', 'message', '[{"message":"from the back end","username":"robot","timestamp":1}]', false);
  assert.equal((await ann.inbox.next('message'))[0].username, 'robot');
  const note = await connect(hub, '/notifications', users.ann.token);
  await call('Emit', 'ssssb', '/notifications', JSON.stringify({ users: [users.ann.id] }), 'notice', '["x"]', false);
  assert.equal((await note.inbox.next('notice'))[0], 'x');
  ann.disconnect();
  note.disconnect();
});
