// SPDX-License-Identifier: LGPL-2.1-or-later
// Desktop programs on the bus as clients: org.hark.Peer1.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Hub, PATIENCE_MS } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { checkIn, checkOut } from './lib/schema.mjs';
import { community } from './lib/community.mjs';

class BusError extends Error {
  constructor({ name, message }) {
    super(message);
    this.code = name.replace('org.hark.Hub1.Error.', '');
  }
}

class Program {
  constructor(t, hub) {
    this.process = spawn('python3', [new URL('lib/bus-program.py', import.meta.url).pathname, hub.bus.address], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => this.process.kill());
    Object.assign(this, { serial: 0, calls: new Map(), events: [], waiters: [] });
    this.closed = new Promise((resolve) => { this.onClosed = resolve; });
    createInterface({ input: this.process.stdout }).on('line', (line) => this.take(JSON.parse(line)));
  }

  take({ reply, error, signal, args, ...rest }) {
    if (signal === 'Closed') this.onClosed({ code: args[0], reason: args[1] });
    else if (signal === 'Event') {
      const event = JSON.parse(args[0]);
      checkOut(event);
      const waiter = this.waiters.findIndex(({ type }) => type === event.type);
      if (waiter >= 0) this.waiters.splice(waiter, 1)[0].resolve(event);
      else this.events.push(event);
    } else {
      const call = this.calls.get(reply ?? error);
      this.calls.delete(reply ?? error);
      if (error !== undefined) call.reject(new BusError(rest));
      else call.resolve(args);
    }
  }

  call(method, signature = '', ...args) {
    const serial = ++this.serial;
    const answer = new Promise((resolve, reject) => this.calls.set(serial, { resolve, reject }));
    this.process.stdin.write(`${JSON.stringify([serial, method, signature, ...args])}\n`);
    return answer;
  }

  async connect(token) {
    [this.session] = await this.call('Connect', 's', token);
    this.welcome = await this.event('welcome');
  }

  async request(type, fields = {}) {
    checkIn({ type, ...fields });
    const reply = JSON.parse((await this.call('Request', 's', JSON.stringify({ type, ...fields })))[0]);
    checkOut({ ref: 1, ...reply });
    return reply;
  }

  event(type) {
    const found = this.events.findIndex((event) => event.type === type);
    if (found >= 0) return Promise.resolve(this.events.splice(found, 1)[0]);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${type} came`)), PATIENCE_MS);
      this.waiters.push({ type, resolve: (event) => { clearTimeout(timer); resolve(event); } });
    });
  }
}

async function scene(t, settings) {
  const hub = await Hub.start({ settings: { 'topics.rules': 'app/** everyone everyone', ...settings } });
  t.after(() => hub.stop());
  const { users, server, channels } = await community(hub, ['ann', 'bob']);
  return { hub, users, server, channel: channels.general };
}

const refused = (promise, code) => assert.rejects(promise, (error) => assert.equal(error.code, code, error.message) ?? true);

test('a program is a session like any other: it asks, is answered, and is told what happens', async (t) => {
  const { hub, users, channel } = await scene(t);
  const program = new Program(t, hub);
  await program.connect(users.ann.token);
  assert.equal(program.welcome.session, program.session);
  assert.equal(program.welcome.user.username, 'ann');
  const bob = await Client.connect(hub, users.bob.token);
  const history = await program.request('get_messages', { channel_id: channel });
  assert.equal(history.type, 'get_messages');
  assert.ok(!('ref' in history));
  await bob.request('get_messages', { channel_id: channel });
  await bob.request('message', { channel, message: 'to a program' });
  assert.equal((await program.event('message')).message, 'to a program');
  const sent = await program.request('message', { channel, message: 'from a program' });
  assert.equal((await bob.event((m) => m.message === 'from a program')).message_id, sent.message_id);
  const [session] = (await hub.ctl('sessions')).filter(({ session_id }) => session_id === program.session);
  assert.match(session.address, /^:1\./);
  assert.equal(await hub.busctl('get-property', 'org.hark.Hub1', `/org/hark/Hub1/sessions/${program.session}`, 'org.hark.Session1', 'Transport'), 's "bus"');
});

test('topics of the application arrive as signals, to the program that has subscribed alone', async (t) => {
  const { hub, users } = await scene(t);
  const one = new Program(t, hub), two = new Program(t, hub);
  await one.connect(users.ann.token);
  await two.connect(users.ann.token);
  assert.deepEqual(await one.call('Subscribe', 's', 'app/deploys'), [0]);
  await hub.ctl('publish', 'app/deploys', '{"version":7}');
  assert.deepEqual((await one.event('publication')).data, { version: 7 });
  assert.deepEqual(await two.call('Subscribe', 's', 'app/deploys'), [1]);
  assert.deepEqual(two.events, []);
  await one.call('Unsubscribe', 's', 'app/deploys');
  await hub.ctl('publish', 'app/deploys', '8');
  assert.equal((await two.event('publication')).data, 8);
  await one.request('ping');
  assert.deepEqual(one.events, []);
});

test('what is refused is refused by name', async (t) => {
  const { hub, users, channel } = await scene(t, { 'bus.programs-max': 2, 'limits.pending-commands': 2 });
  const program = new Program(t, hub);
  await refused(program.call('Request', 's', '{"type":"ping"}'), 'Offline');
  await refused(program.call('Connect', 's', 'no-such-token'), 'Unauthenticated');
  await program.connect(users.ann.token);
  await refused(program.call('Connect', 's', users.ann.token), 'Conflict');
  await refused(program.call('Request', 's', 'nothing'), 'BadRequest');
  await refused(program.call('Request', 's', '{"type":"ping","ref":1}'), 'BadRequest');
  await refused(program.call('Request', 's', '{"type":"dance"}'), 'UnknownType');
  await refused(program.call('Request', 's', `{"type":"get_messages","channel_id":"${channel}0"}`), 'NotFound');
  await refused(program.call('Subscribe', 's', 'server/1'), 'NotFound');
  // More under way than a session may have: a program cannot be made to wait, so it is told.
  const many = [...Array(10)].map(() => program.call('Request', 's', '{"type":"get_servers"}').then(() => 'done', ({ code }) => code));
  const outcomes = await Promise.all(many);
  assert.ok(outcomes.includes('Overloaded') && outcomes.includes('done'), outcomes.join());
  const second = new Program(t, hub), third = new Program(t, hub);
  await second.connect(users.bob.token);
  // As many programs as can be.
  await refused(third.call('Connect', 's', users.bob.token), 'Overloaded');
  assert.equal((await hub.ctl('metrics'))['hark_bus_peers_refused_total'], 1);
});

test('a session ends with its program, by its program, and by the hub, which says so', async (t) => {
  const { hub, users } = await scene(t);
  const left = new Program(t, hub), leaver = new Program(t, hub), ended = new Program(t, hub);
  for (const program of [left, leaver, ended]) await program.connect(users.ann.token);
  const sessions = async () => (await hub.ctl('sessions')).map(({ session_id }) => session_id);
  assert.equal((await sessions()).length, 3);
  left.process.kill('SIGKILL');
  await once(left.process, 'exit');
  while ((await sessions()).includes(left.session));
  await leaver.call('Disconnect');
  assert.deepEqual(await sessions(), [ended.session]);
  await refused(leaver.call('Request', 's', '{"type":"ping"}'), 'Offline');
  await hub.ctl('sessions', 'disconnect', ended.session, '--reason', 'enough');
  assert.deepEqual(await ended.closed, { code: 4010, reason: 'enough' });
  assert.deepEqual(await sessions(), []);
  // The name is still there: it may come again.
  await ended.connect(users.ann.token);
  assert.equal((await hub.ctl('metrics'))['hark_bus_peers'], 1);
});

test('a bus that does not take its events ends a session as slow, and is not fed without end', async (t) => {
  const { hub, users, channel } = await scene(t, { 'limits.outbox-max': '64K', 'bus.monitor-window': 16 });
  const program = new Program(t, hub);
  await program.connect(users.ann.token);
  await program.request('get_messages', { channel_id: channel });
  const bob = await Client.connect(hub, users.bob.token);
  hub.bus.process.kill('SIGSTOP');
  try {
    const metric = async (name) => Number((await (await fetch(`${hub.origin}/metrics`)).text()).match(new RegExp(`^${name} (\\d+)$`, 'm'))[1]);
    while (await metric('hark_bus_peers') > 0) await bob.request('message', { channel, message: 'x'.repeat(3000) });
    assert.equal(await metric('hark_sessions_slow_total'), 1);
  } finally {
    hub.bus.process.kill('SIGCONT');
  }
  assert.equal((await program.closed).code, 4008);
  // What it had been sent before is whole and in order.
  const seqs = program.events.filter(({ type }) => type === 'message').map(({ seq }) => seq);
  assert.ok(seqs.length >= 8 && seqs.length <= 32, `${seqs.length}`);
  assert.deepEqual(seqs, seqs.map((_, i) => seqs[0] + i));
});
