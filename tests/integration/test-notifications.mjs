// SPDX-License-Identifier: LGPL-2.1-or-later
// What users are told: the rows of requirements.md that begin with 004, with the script that the source prints.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Hub, PATIENCE_MS, harkctl } from './lib/hub.mjs';
import { Client, refusal } from './lib/client.mjs';

// As the source has it; its address is ws://127.0.0.1:8000/ws/123456789/
const script = fileURLToPath(new URL('sources/004-client.js', import.meta.url));
const redirect = fileURLToPath(new URL('lib/source-port.cjs', import.meta.url));
const LAUGH = {
  message: 'John reacted to your comment', action: 'reaction', action_id: '23', by_user: 'John',
  action_content: 'laugh', affected: 'comment', affected_id: '79',
};

let hub, admin, ann, bob, root;

before(async () => {
  hub = await Hub.start({ settings: { 'limits.client-messages-per-second': 1, 'limits.client-messages-burst': 5 } });
  root = await hub.user('root', '--admin');
  ann = await hub.user('ann');
  bob = await hub.user('bob');
  admin = await Client.connect(hub, root.token);
  await admin.request('create_token', { user_id: ann.id, token: '123456789' });
});
after(async () => {
  await admin.close();
  await hub.stop();
});

// The lines that a program writes, one after another.
class Lines {
  constructor(stream) {
    this.lines = [];
    this.waiters = [];
    createInterface({ input: stream }).on('line', (line) => {
      this.lines.push(line);
      this.waiters.splice(0).forEach((wake) => wake());
    });
  }

  async until(match) {
    const late = setTimeout(() => { this.late = true; this.waiters.splice(0).forEach((wake) => wake()); }, PATIENCE_MS);
    while (!this.lines.some((line) => match(line))) {
      assert.ok(!this.late, `not among the lines:\n${this.lines.join('\n')}`);
      await new Promise((resolve) => this.waiters.push(resolve));
    }
    clearTimeout(late);
    return this.lines.find((line) => match(line));
  }
}

// "you can quickly execute a javascript file in the node interactive shell with .load"
function shell() {
  const node = spawn(process.execPath, ['--interactive', '--require', redirect], {
    cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, SOURCE_PORT: '8000', HUB_PORT: String(hub.port), NODE_REPL_HISTORY: '' },
  });
  const output = new Lines(node.stdout);
  const say = (line) => node.stdin.write(`${line}\n`);
  const end = async () => { const gone = once(node, 'exit'); say('.exit'); await gone; };
  return { output, say, end };
}

const raise = (user, fields) => admin.request('notify', { user, ...fields });

async function monitor() {
  const process = spawn(harkctl, ['--address', hub.bus.address, '--json', 'monitor'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = new Lines(process.stdout);
  // It watches when it has seen something.
  let watching = false;
  const seen = output.until((line) => JSON.parse(line).signal === 'Published').then(() => { watching = true; });
  while (!watching) {
    await admin.request('publish', { topic: 'app/are-you-there', data: 1 });
    await Promise.race([seen, new Promise((resolve) => setImmediate(resolve))]);
  }
  return { output, end: async () => { const gone = once(process, 'exit'); process.kill('SIGINT'); await gone; } };
}

test('004-1, 004-4, 004-5: the script of the source, unmodified, is told at once, and what it says reaches the back end', async () => {
  const backEnd = await monitor();
  const node = shell();
  node.say(`.load ${script}`);
  await node.output.until((line) => line.includes('established websocket connection'));
  node.say("notifySocket.on('open', () => console.log('it is ' + 'open')); if (notifySocket.readyState === 1) console.log('it is ' + 'open');");
  await node.output.until((line) => line.includes('it is open'));
  const { id } = await raise('ann', LAUGH);
  await node.output.until((line) => line.includes('Message received: John reacted to your comment'));
  node.say("send_message('thanks, John')");
  const signal = JSON.parse(await backEnd.output.until((line) => JSON.parse(line).signal === 'ClientMessage'));
  assert.deepEqual(JSON.parse(signal.json), { message: 'thanks, John' });
  assert.equal(signal.user_id, ann.id);
  await node.end();
  await backEnd.end();
  const client = await Client.connect(hub, ann.token);
  await client.event((m) => m.type === 'notification' && m.id === id);
  await client.request('ack_notification', { up_to: id });
  await client.close();
});

test('004-1: a bad, a revoked or an expired token is refused before the upgrade, and no token is in the log', async () => {
  assert.equal((await refusal(hub.url('987654321'))).status, 401);
  const revoked = await admin.request('create_token', { user_id: ann.id, token: 'revoked-token-1' });
  const expired = await admin.request('create_token', { user_id: ann.id, token: 'expired-token-1', expires_in_s: 1 });
  assert.equal((await refusal(hub.url('revoked-token-1'))).status, 101);
  await admin.request('revoke_token', { token_id: revoked.token_id });
  assert.equal((await refusal(hub.url('revoked-token-1'))).status, 401);
  const until = Date.now() + PATIENCE_MS;
  let status;
  do {
    ({ status } = await refusal(hub.url('expired-token-1')));
  } while (status !== 401 && Date.now() < until);
  assert.equal(status, 401);
  assert.ok(expired.token_id);
  const log = hub.log.join('\n');
  for (const token of ['123456789', '987654321', 'revoked-token-1', 'expired-token-1', ann.token])
    assert.ok(!log.includes(token), `${token} is in the log`);
});

test('004-2: the example of John and the laugh, field for field, to all sessions of the user and nobody else', async () => {
  const clients = [await Client.connect(hub, ann.token), await Client.connect(hub, ann.token)];
  const other = await Client.connect(hub, bob.token);
  const { id } = await raise(ann.id, LAUGH);
  for (const client of clients) {
    const { type, seq, id: got, timestamp, ...fields } = await client.event('notification');
    assert.deepEqual(fields, LAUGH);
    assert.equal(type, 'notification');
    assert.equal(got, id);
    assert.ok(Number.isInteger(seq));
    assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
  assert.deepEqual(await other.drain(), []);
  const { acknowledged, waiting } = await clients[0].request('ack_notification', { id });
  assert.deepEqual([acknowledged, waiting], [1, 0]);
  assert.equal((await clients[1].event('notification_acknowledged')).id, id);
  // Over D-Bus, and by the administrator's tool.
  const reply = await hub.busctl('call', 'org.hark.Hub1', '/org/hark/Hub1', 'org.hark.Hub1', 'Notify', 'sa{sv}', 'ann', '7',
    ...Object.entries(LAUGH).flatMap(([key, value]) => [key, 's', value]));
  const overBus = reply.match(/^s "(\d+)"$/)[1];
  assert.equal((await clients[0].event('notification')).id, overBus);
  const made = await hub.ctl('notify', 'ann', LAUGH.message, '--action', 'reaction', '--action-id', '23', '--by-user', 'John',
    '--content', 'laugh', '--affected', 'comment', '--affected-id', '79');
  const { type, seq, id: last, timestamp, ...fields } = await clients[0].event('notification');
  assert.deepEqual([last, fields], [made.id, LAUGH]);
  await clients[0].request('ack_notification', { up_to: last });
  for (const client of [...clients, other]) await client.close();
});

test('004-3: the documented actions and things pass, others that are not configured are refused', async () => {
  for (const action of ['post', 'comment', 'reaction', 'following'])
    for (const affected of ['post', 'comment'])
      await raise('bob', { message: 'm', action, affected });
  const { message } = await admin.fails('bad_request', 'notify', { user: 'bob', message: 'm', action: 'explosion' });
  assert.match(message, /"action"/);
  assert.match((await admin.fails('bad_request', 'notify', { user: 'bob', message: 'm', action: 'post', affected: 'moon' })).message, /"affected"/);
  const client = await Client.connect(hub, bob.token);
  await client.fails('forbidden', 'notify', { user: 'ann', message: 'm', action: 'post' });
  const { notifications } = await client.request('get_notifications', { limit: 100 });
  assert.equal(notifications.length, 8);
  await client.request('ack_notification', { up_to: notifications.at(-1).id });
  await client.close();
});

test('004-5: raised while the user was away, it comes on connecting, in order, once, and neither is lost nor doubled between then and now', async () => {
  const total = 200, first = [];
  for (let i = 0; i < 10; i++) first.push((await raise('bob', { message: `n${i}`, action: 'post' })).id);
  const writing = (async () => {
    for (let i = 10; i < total; i++) await raise('bob', { message: `n${i}`, action: 'post' });
  })();
  const clients = [];
  while (clients.length < 8) clients.push(await Client.connect(hub, bob.token));
  await writing;
  for (const client of clients) {
    const got = [];
    while (got.at(-1) !== `n${total - 1}`) got.push((await client.event('notification')).message);
    await client.fence();
    assert.deepEqual(client.events.filter((m) => m.type === 'notification'), []);
    // All from the first it was given: a page of what waited, then what came.
    const start = Number(got[0].slice(1));
    assert.deepEqual(got, Array.from({ length: total - start }, (_, i) => `n${start + i}`));
  }
  // What did not fit on the page is asked for.
  const { notifications, more } = await clients[0].request('get_notifications', { limit: 100, before: first[9] });
  assert.deepEqual(notifications.map((n) => n.message), Array.from({ length: 9 }, (_, i) => `n${i}`));
  assert.equal(more, false);
  const last = (await clients[0].request('get_notifications', { limit: 1 })).notifications[0].id;
  await clients[0].request('ack_notification', { up_to: last });
  const next = await Client.connect(hub, bob.token);
  assert.deepEqual(await next.drain(), []);
  for (const client of [...clients, next]) await client.close();
});

test('killed between raising and delivering, the hub tells it when its user is back, once', async () => {
  for (let i = 0; i < 5; i++) {
    const listener = await Client.connect(hub, bob.token);
    const { id } = await raise('bob', { message: `before crash ${i}`, action: 'post' });
    await hub.kill9();
    await hub.spawn();
    await listener.closed;
    admin = await Client.connect(hub, root.token);
    const client = await Client.connect(hub, bob.token);
    assert.equal((await client.event('notification')).id, id);
    assert.deepEqual(await client.drain(), []);
    await client.request('ack_notification', { id });
    await client.close();
  }
});

test('004-4: what one user says to the back end is bounded', async () => {
  const client = await Client.connect(hub, ann.token);
  const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => client.request('client_message', { message: 'flood' })));
  const refused = outcomes.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.code);
  assert.ok(refused.length > 0 && refused.every((code) => code === 'rate_limited'), `${refused}`);
  const metrics = await (await fetch(`${hub.origin}/metrics`)).text();
  assert.match(metrics, new RegExp(`^hark_quota_refused_client_messages_total ${refused.length}$`, 'm'));
  await client.close();
});
