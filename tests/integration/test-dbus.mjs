// SPDX-License-Identifier: LGPL-2.1-or-later
// The bus to the last object, as busctl and gdbus see it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Hub } from './lib/hub.mjs';
import { Client, refusal } from './lib/client.mjs';
import { community } from './lib/community.mjs';

const run = promisify(execFile);
const NAME = 'org.hark.Hub1', ROOT = '/org/hark/Hub1', SESSIONS = `${ROOT}/sessions`;

async function scene(t, settings) {
  const hub = await Hub.start({ settings });
  t.after(() => hub.stop());
  const { users, channels } = await community(hub, ['ann', 'bob']);
  return { hub, users, channel: channels.general };
}

// gdbus, as somebody would type it.
const gdbus = async (hub, ...args) => (await run('gdbus', args, { env: { ...process.env, DBUS_SESSION_BUS_ADDRESS: hub.bus.address } })).stdout;
const property = async (hub, path, interfaceName, name) => (await hub.busctl('--json=short', 'get-property', NAME, path, interfaceName, name).then(JSON.parse)).data;

test('sessions and subscriptions are objects, which say what they are and can be told to end', async (t) => {
  const { hub, users, channel } = await scene(t);
  const ann = await Client.connect(hub, users.ann.token);
  await ann.request('get_messages', { channel_id: channel });
  const path = `${SESSIONS}/${ann.welcome.session}`;
  assert.match(await hub.busctl('tree', '--list', NAME), new RegExp(`^${path}$`, 'm'));
  assert.match(await gdbus(hub, 'introspect', '--session', '--dest', NAME, '--object-path', path), /interface org\.hark\.Session1/);
  assert.equal(await property(hub, path, 'org.hark.Session1', 'Username'), 'ann');
  assert.equal(await property(hub, path, 'org.hark.Session1', 'Transport'), 'websocket');
  const [subscription] = await property(hub, path, 'org.hark.Session1', 'Subscriptions');
  assert.equal(subscription, `${path}_channel_2f${channel}`);
  assert.equal(await property(hub, subscription, 'org.hark.Subscription1', 'Topic'), `channel/${channel}`);
  assert.equal(await property(hub, subscription, 'org.hark.Subscription1', 'Session'), path);
  assert.equal(await property(hub, subscription, 'org.hark.Subscription1', 'Cursor'), 0);
  assert.equal(await property(hub, subscription, 'org.hark.Subscription1', 'Receivers'), 1);
  await hub.busctl('call', NAME, path, 'org.hark.Session1', 'Send', 's', '{"to":["ann"]}');
  assert.deepEqual(await ann.event('direct'), { type: 'direct', data: { to: ['ann'] } });
  await hub.busctl('call', NAME, path, 'org.hark.Session1', 'Disconnect', 's', 'enough');
  assert.deepEqual(await ann.closed, { code: 4010, reason: 'enough' });
  await assert.rejects(property(hub, path, 'org.hark.Session1', 'Username'), /Unknown object|UnknownObject|No such|does not exist/);
});

test('what is wrong with a call is said by name', async (t) => {
  const { hub, users } = await scene(t);
  const ann = await Client.connect(hub, users.ann.token);
  const path = `${SESSIONS}/${ann.welcome.session}`;
  const fails = (...args) => assert.rejects(hub.busctl('call', NAME, path, 'org.hark.Session1', ...args));
  await assert.rejects(hub.busctl('call', NAME, path, 'org.hark.Session1', 'Send', 's', '1,"type":"y"'), /"data"/);
  await assert.rejects(hub.busctl('call', NAME, path, 'org.hark.Session1', 'Disconnect', 's', 'x'.repeat(124)), /longer than 123/);
  await fails('Disconnect', 'u', '7');
  await fails('Nothing');
  for (const node of ['0', 'x', `${ann.welcome.session}_`, `${ann.welcome.session}_channel`, `${ann.welcome.session}_channel_2f999`, '99999999999999999999'])
    await assert.rejects(property(hub, `${SESSIONS}/${node}`, 'org.hark.Session1', 'Username'));
  await ann.request('get_servers');
});

test('the object manager lists sessions, and tells who has asked what comes and goes, and nobody else', async (t) => {
  const { hub, users } = await scene(t);
  const ann = await Client.connect(hub, users.ann.token);
  // It asks for the list, as such a client does when it begins.
  const watcher = spawn('python3', [new URL('lib/bus-listener.py', import.meta.url).pathname, hub.bus.address,
    'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects']);
  t.after(() => watcher.kill());
  const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { signal, args } = JSON.parse((await lines.next()).value);
    return [signal, ...args];
  };
  const [, objects] = await next();
  assert.deepEqual(Object.keys(objects), [`${SESSIONS}/${ann.welcome.session}`]);
  assert.equal(objects[`${SESSIONS}/${ann.welcome.session}`]['org.hark.Session1'].Username, 'ann');
  assert.equal((await hub.ctl('metrics'))['hark_bus_object_listeners'], 1);
  const bob = await Client.connect(hub, users.bob.token);
  const [added, path, interfaces] = await next();
  assert.deepEqual([added, path, interfaces['org.hark.Session1'].Username], ['InterfacesAdded', `${SESSIONS}/${bob.welcome.session}`, 'bob']);
  await bob.close();
  assert.deepEqual(await next(), ['InterfacesRemoved', `${SESSIONS}/${bob.welcome.session}`, ['org.hark.Session1']]);
  watcher.kill();
  while ((await hub.ctl('metrics'))['hark_bus_object_listeners'] !== 0);
});

test('of what a killed daemon did not live to say, the next one tells the first monitor', async (t) => {
  const { hub, users } = await scene(t, { 'presence.grace': '100ms' });
  const bob = await Client.connect(hub, users.bob.token);
  const ann = await Client.connect(hub, users.ann.token);
  // Its row is there when the session can be resumed; until then there is nobody to tell of.
  const database = join(hub.directory, 'hark.db');
  while (execFileSync('sqlite3', [database, `SELECT count(*) FROM sessions WHERE ended_at = 0`]).toString().trim() !== '2');
  const before = Date.now();
  await hub.kill9();
  await Promise.all([ann.closed, bob.closed]);
  await hub.spawn();
  const watcher = spawn('python3', [new URL('lib/bus-listener.py', import.meta.url).pathname, hub.bus.address, NAME, 'StartMonitor']);
  t.after(() => watcher.kill());
  const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  const told = [];
  while (told.length < 2) {
    const { signal, args } = await next();
    if (signal === 'SessionClosed') told.push(args);
  }
  assert.deepEqual(told.map((args) => args[0]).sort(), [ann.welcome.session, bob.welcome.session].sort());
  for (const [, user, code, reason, at] of told) {
    assert.ok([users.ann.id, users.bob.id].includes(user));
    assert.deepEqual([code, reason], [1006, 'crashed']);
    assert.ok(at <= before && at > before - 600000, `${at} ${before}`);
  }
  assert.ok(hub.log.some((line) => /2 sessions with it/.test(line)));
  // Whoever does not come back is offline when the grace time is over.
  const statuses = () => execFileSync('sqlite3', [database, 'SELECT count(*) FROM users WHERE online = 1']).toString().trim();
  while (statuses() !== '0') await new Promise((resolve) => setTimeout(resolve, 20));
});

test('a drain closes everybody over a time, lets nobody in, and is ended by who began it', async (t) => {
  const { hub, users } = await scene(t);
  const clients = [];
  for (let i = 0; i < 10; i++) clients.push(await Client.connect(hub, i % 2 ? users.ann.token : users.bob.token));
  const draining = hub.ctl('drain', '--over', '2s');
  const first = await Promise.race(clients.map((client) => client.closed));
  assert.equal(first.code, 1012);
  assert.ok(JSON.parse(first.reason).retry_after_ms >= 1000);
  assert.equal(await property(hub, ROOT, NAME, 'Draining'), true);
  assert.equal((await refusal(hub.url(users.ann.token))).status, 503);
  assert.deepEqual(await draining, { sessions: '10' });
  for (const client of clients) {
    const { code, reason } = await client.closed;
    assert.deepEqual([code, client.events.at(-1)], [1012, { type: 'restart', ...JSON.parse(reason) }]);
  }
  await hub.ctl('drain', '--stop');
  const ann = await Client.connect(hub, users.ann.token);
  await ann.request('get_servers');
  assert.match((await hub.ctlFailure('drain', '--over', 'soon')).stderr, /not a time/);
});
