// SPDX-License-Identifier: LGPL-2.1-or-later
// Administration: harkctl and busctl against the real daemon; the configuration and what it says of mistakes.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Hub, harkd, harkctl } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { community } from './lib/community.mjs';

const run = promisify(execFile);
const PATH = '/org/hark/Hub1', NAME = 'org.hark.Hub1';
let hub, users, server, channels;

before(async () => {
  hub = await Hub.start();
  ({ users, server, channels } = await community(hub, ['ann', 'bob']));
});
after(() => hub.stop());

test('users, tokens, servers, members, channels and grants are made, listed, changed and deleted', async () => {
  const names = (rows, field) => rows.map((row) => row[field]);
  await hub.ctl('user', 'add', 'tmp', '--displayname', 'Temporary');
  assert.ok(names(await hub.ctl('user', 'list'), 'username').includes('tmp'));
  await hub.ctl('user', 'set', 'tmp', '--displayname', 'Less so');
  assert.equal((await hub.ctl('user', 'show', 'tmp')).displayname, 'Less so');
  const made = await hub.ctl('token', 'create', 'tmp', '--label', 'laptop');
  const tokens = await hub.ctl('token', 'list', 'tmp');
  assert.equal(tokens[0].label, 'laptop');
  assert.ok(!JSON.stringify(tokens).includes(made.token), 'a token is shown once');
  const other = await hub.ctl('server', 'add', 'Other', '--owner', 'ann');
  await hub.ctl('member', 'add', 'Other', 'tmp');
  assert.deepEqual(names(await hub.ctl('member', 'list', 'Other'), 'username').sort(), ['ann', 'tmp']);
  const channel = await hub.ctl('channel', 'add', 'Other', 'secret', '--private', '--category', 'Crew');
  await hub.ctl('grant', 'add', channel.channel_id, 'tmp');
  assert.deepEqual(names(await hub.ctl('grant', 'list', channel.channel_id), 'user_id'), [(await hub.ctl('user', 'show', 'tmp')).user_id]);
  await hub.ctl('grant', 'remove', channel.channel_id, 'tmp');
  assert.deepEqual(await hub.ctl('grant', 'list', channel.channel_id), []);
  await hub.ctl('channel', 'set', channel.channel_id, '--name', 'open', '--private', 'no');
  assert.deepEqual(names(await hub.ctl('channel', 'list', 'Other'), 'name'), ['open']);
  await hub.ctl('channel', 'delete', channel.channel_id);
  await hub.ctl('member', 'remove', 'Other', 'tmp');
  await hub.ctl('server', 'delete', other.server_id);
  assert.ok(!names(await hub.ctl('server', 'list'), 'name').includes('Other'));
  await hub.ctl('user', 'delete', 'tmp');
  assert.ok(!names(await hub.ctl('user', 'list'), 'username').includes('tmp'));
});

test('failures have exit codes that mean something, and say what is wrong', async () => {
  const cases = [
    [['user', 'add', 'ann'], 73, /username.*another/], // EX_CANTCREAT: it exists
    [['user', 'show', 'nobody-here'], 65, /nobody-here/], // EX_DATAERR: not found
    [['user', 'add', 'no spaces allowed'], 64, /username/], // EX_USAGE
    [['user', 'fly'], 64, /fly/],
    [['publish', 'app/x', '{not json'], 64, /./],
    [['publish', 'nowhere', '{}'], 64, /topic/],
  ];
  for (const [args, code, text] of cases) {
    const failure = await hub.ctlFailure(...args);
    assert.equal(failure.code, code, `${args.join(' ')}: ${failure.stderr}`);
    assert.match(failure.stderr, text);
    assert.match(failure.stderr, /^harkctl: /);
  }
  try {
    await run(harkctl, ['--address', 'unix:path=/nonexistent/bus', 'status']);
    assert.fail('there is no such bus');
  } catch (error) {
    assert.equal(error.code, 69, error.stderr); // EX_UNAVAILABLE
  }
});

test('status, metrics and sessions say what is there', async () => {
  const ann = await Client.connect(hub, users.ann.token);
  const status = await hub.ctl('status');
  assert.ok(JSON.stringify(status).includes('0.1.0'));
  const metrics = await hub.ctl('metrics');
  assert.equal(metrics.hark_sessions, 1);
  assert.ok(metrics.hark_commands_total > 0);
  const sessions = await hub.ctl('sessions', 'list');
  assert.deepEqual(sessions.map((s) => [s.session_id, s.username]), [[ann.welcome.session, 'ann']]);
  const table = await hub.ctlText('sessions', 'list');
  assert.match(table, /ann/);
  await hub.ctl('sessions', 'disconnect', ann.welcome.session, '--reason', 'maintenance');
  assert.deepEqual(await ann.closed, { code: 4010, reason: 'maintenance' });
});

test('publish reaches who is subscribed, from harkctl and from busctl', async () => {
  const ann = await Client.connect(hub, users.ann.token), bob = await Client.connect(hub, users.bob.token);
  await ann.request('subscribe', { topic: 'app/deploys' });
  await hub.ctl('publish', 'app/deploys', '{"version":"1.2.3"}');
  const first = await ann.event('publication');
  assert.deepEqual([first.topic, first.data], ['app/deploys', { version: '1.2.3' }]);
  const seq = await hub.busctl('call', NAME, PATH, NAME, 'Publish', 'ss', 'app/deploys', '[1]');
  const second = await ann.event('publication');
  assert.deepEqual(second.data, [1]);
  assert.equal(second.seq, first.seq + 1);
  assert.equal(seq, `x ${second.seq}`);
  assert.deepEqual((await bob.drain()).filter((m) => m.type === 'publication'), []);
  await ann.close();
  await bob.close();
});

test('busctl introspects, reads properties and gets errors by their names', async () => {
  const tree = await hub.busctl('introspect', NAME, PATH);
  for (const name of ['org.hark.Hub1', 'org.hark.Directory1', 'org.hark.Metrics1', '.CreateUser', '.Publish', '.GetAll'])
    assert.ok(tree.includes(name), name);
  assert.equal(await hub.busctl('get-property', NAME, PATH, NAME, 'Version'), 's "0.1.0"');
  const made = await hub.busctl('call', NAME, PATH, 'org.hark.Directory1', 'CreateUser', 'ssb', 'from-busctl', '', 'false');
  assert.match(made, /\d{10,}/);
  await assert.rejects(hub.busctl('call', NAME, PATH, 'org.hark.Directory1', 'CreateUser', 'ssb', 'from-busctl', '', 'false'),
                       /from-busctl|exists/i);
});

test('monitor shows sessions come and go', async () => {
  const monitor = spawn(harkctl, ['--address', hub.bus.address, '--json', 'monitor'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: monitor.stdout });
  const seen = [];
  const both = new Promise((resolve) => lines.on('line', (line) => {
    seen.push(line);
    if (/closed/i.test(line)) resolve();
  }));
  // It has to be on the bus before there is something to see; sessions come and go until it is.
  let watching = true;
  both.then(() => { watching = false; });
  while (watching) {
    const ann = await Client.connect(hub, users.ann.token);
    await ann.close();
  }
  assert.ok(seen.some((line) => line.includes(users.ann.id)), seen.join('\n'));
  const gone = once(monitor, 'exit');
  monitor.kill('SIGINT');
  await gone;
});

test('bash completes nouns, verbs, options and names', async () => {
  const complete = async (...words) => (await run(harkctl, ['--complete', ...words], { env: { ...process.env, DBUS_SESSION_BUS_ADDRESS: hub.bus.address } })).stdout.trim().split('\n');
  assert.ok((await complete('')).includes('user'));
  assert.ok((await complete('user', '')).includes('add'));
  assert.ok((await complete('token', 'create', '')).includes('ann'));
});

test('--check-config names file, line and key of every mistake, and unknown keys are mistakes', async () => {
  const file = join(hub.directory, 'broken.conf');
  await writeFile(file, '[listen]\nport=eighty\n\n[limits]\nmesage-max=1K\noutbox-max=-5\n[nonsense]\nx=1\n');
  await mkdir(`${file}.d`);
  await writeFile(join(`${file}.d`, '10-more.conf'), '[store]\nsynchronous=sometimes\n');
  try {
    await run(harkd, ['--config', file, '--check-config']);
    assert.fail('there are mistakes');
  } catch (error) {
    assert.equal(error.code, 78, error.stderr); // EX_CONFIG
    for (const part of [/broken\.conf:2:.*port/, /broken\.conf:5:.*mesage-max.*message-max/, /broken\.conf:6:.*outbox-max/,
                        /broken\.conf:7:.*nonsense/, /10-more\.conf:2:.*synchronous/])
      assert.match(error.stderr, part);
  }
  await run(harkd, ['--config', hub.config, '--check-config']);
});

test('drop-ins, environment and options win over each other in that order, and --dump-config says so', async () => {
  const file = join(hub.directory, 'layers.conf');
  await writeFile(file, '[listen]\nport=1001\n[limits]\nstrikes-max=11\noutbox-max=1M\n');
  await mkdir(`${file}.d`);
  await writeFile(join(`${file}.d`, '10.conf'), '[limits]\nstrikes-max=12\noutbox-max=2M\n');
  const { stdout } = await run(harkd, ['--config', file, '--dump-config', '--set', 'limits.outbox-max=4M'],
                               { env: { ...process.env, HARK_LIMITS_OUTBOX_MAX: '3M' } });
  assert.match(stdout, /port ?= ?1001/);
  assert.match(stdout, /strikes-max ?= ?12/);
  assert.match(stdout, /outbox-max ?= ?4M/);
});

test('a reload applies what can be applied and refuses a broken file, while sessions go on', async () => {
  const ann = await Client.connect(hub, users.ann.token);
  const good = await readFile(hub.config, 'utf8');
  await writeFile(hub.config, `${good.replace('requests-per-second=0', 'requests-per-second=1\nrequests-burst=1')}`);
  await hub.ctl('reload');
  await ann.request('get_servers');
  const error = await ann.fails('rate_limited', 'get_servers');
  assert.ok(error.retry_after_ms > 0);
  await writeFile(hub.config, '[limits]\nrequests-per-second=many\n');
  assert.match((await hub.ctlFailure('reload')).stderr, /configuration/);
  await ann.fails('rate_limited', 'get_servers');
  await writeFile(hub.config, good);
  await hub.ctl('reload');
  await ann.request('get_servers');
  await ann.close();
});

test('without a word about the bus, a user’s daemon is on the session bus', async () => {
  const other = await Hub.start({ settings: { 'bus.type': 'auto' }, options: ['--user'] });
  try {
    assert.equal((await other.ctl('status')).ready, true);
  } finally {
    await other.stop();
  }
});

test('a second daemon on the same store is refused and says why', async () => {
  try {
    await run(harkd, ['--config', hub.config, '--set', 'listen.port=0', '--set', 'bus.type=none']);
    assert.fail('two daemons on one file');
  } catch (error) {
    assert.match(error.stderr, /another process has this store open/);
    assert.equal(error.code, 73); // EX_CANTCREAT
  }
});
