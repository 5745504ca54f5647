// SPDX-License-Identifier: LGPL-2.1-or-later
// Free topics: who may subscribe and publish is what the configuration says, for clients, over HTTP and by the tool.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Hub, harkd } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';

let hub, ann, bob, role;

before(async () => {
  hub = await Hub.start();
  [ann, bob] = await Promise.all(['ann', 'bob'].map((name) => hub.user(name)));
  await hub.ctl('server', 'add', 'Harbour', '--owner', 'ann');
  await hub.ctl('member', 'add', 'Harbour', 'bob');
  role = (await hub.ctl('role', 'add', 'Harbour', 'pilots')).role_id;
  hub.settings['topics.rules'] = `app/pilots/** role:${role} role:${role};app/users/$user/** own own;app/news everyone backend`;
  await hub.writeConfig();
  await hub.restart();
});

after(() => hub.stop());

test('a role gives a topic, and takes it away', async () => {
  const [one, two] = [await Client.connect(hub, ann.token), await Client.connect(hub, bob.token)];
  await two.fails('forbidden', 'subscribe', { topic: 'app/pilots/tide' });
  await hub.ctl('role', 'assign', 'Harbour/pilots', 'bob');
  await hub.ctl('role', 'assign', 'Harbour/pilots', 'ann');
  await two.request('subscribe', { topic: 'app/pilots/tide' });
  await one.request('publish', { topic: 'app/pilots/tide', data: { metres: 2.5 } });
  assert.deepEqual(await two.event('publication'), { type: 'publication', seq: 1, topic: 'app/pilots/tide', data: { metres: 2.5 }, author_id: ann.id });
  await hub.ctl('role', 'unassign', 'Harbour/pilots', 'bob');
  assert.deepEqual(await two.event('unsubscribed'), { type: 'unsubscribed', topic: 'app/pilots/tide' });
  await one.request('publish', { topic: 'app/pilots/tide', data: 3 });
  assert.deepEqual((await two.drain()).filter((event) => event.type === 'publication'), []);
  await two.fails('forbidden', 'publish', { topic: 'app/pilots/tide', data: 4 });
  await Promise.all([one.close(), two.close()]);
});

test('a topic with one\'s own id is one\'s own', async () => {
  const [one, two] = [await Client.connect(hub, ann.token), await Client.connect(hub, bob.token)];
  await one.request('subscribe', { topic: `app/users/${ann.id}/draft` });
  await one.request('publish', { topic: `app/users/${ann.id}/draft`, data: 'text' });
  assert.equal((await one.event('publication')).data, 'text');
  await two.fails('forbidden', 'subscribe', { topic: `app/users/${ann.id}/draft` });
  await two.fails('forbidden', 'publish', { topic: `app/users/${ann.id}/draft`, data: 'mine' });
  await Promise.all([one.close(), two.close()]);
});

test('news are read by all, and published by administrators', async () => {
  const one = await Client.connect(hub, bob.token);
  await one.request('subscribe', { topic: 'app/news' });
  await one.fails('forbidden', 'publish', { topic: 'app/news', data: 1 });
  await one.fails('forbidden', 'subscribe', { topic: 'app/other' });
  await hub.ctl('publish', 'app/news', '{"hello":1}');
  assert.deepEqual((await one.event('publication')).data, { hello: 1 });
  await one.close();
});

test('a rule that is none is found with its file and line', async () => {
  const file = join(hub.directory, 'wrong.conf');
  await writeFile(file, '[topics]\nrules=app/** everyone backend;app/x own nobody\n');
  const { status, stderr } = spawnSync(harkd, ['--check-config', '--config', file], { encoding: 'utf8' });
  assert.notEqual(status, 0);
  assert.match(stderr, /wrong\.conf:2: \[topics\] rules: .*no \$user/);
});
