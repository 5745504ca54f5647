// SPDX-License-Identifier: LGPL-2.1-or-later
// What a client has loaded is what it hears of: the rows 000-1 to 000-7 of requirements.md.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { community } from './lib/community.mjs';

let hub, users, server, channels;

before(async () => {
  hub = await Hub.start({ settings: { 'presence.grace': '1ms' } });
  ({ users, server, channels } = await community(hub, ['ann', 'bob', 'carla', 'eve'], ['general']));
});
after(() => hub.stop());

const ofType = (events, ...types) => events.filter((m) => types.includes(m.type));

test('000-1: a user gets its own servers, and hears of changes to those', async () => {
  const dave = await hub.user('dave');
  const ids = [];
  for (const name of ['One', 'Two', 'Three']) ids.push((await hub.ctl('server', 'add', name, '--owner', 'ann')).server_id);
  for (const id of ids.slice(0, 2)) await hub.ctl('member', 'add', id, 'dave');
  const client = await Client.connect(hub, dave.token);
  const { servers } = await client.request('get_servers');
  assert.deepEqual(servers.map((s) => s.server_name).sort(), ['One', 'Two']);
  for (const entry of servers)
    for (const field of ['server_id', 'server_name', 'server_icon', 'unread']) assert.ok(field in entry, field);
  await hub.ctl('server', 'set', ids[0], '--name', 'Uno');
  await hub.ctl('server', 'set', ids[2], '--name', 'Tres');
  const updates = ofType(await client.drain(), 'update_server');
  assert.equal(updates.length, 1);
  assert.equal(updates[0].server_id, ids[0]);
  assert.equal(updates[0].server_name, 'Uno');
  await client.close();
});

test('000-2: a channel without the right to it is absent, not null', async () => {
  const ann = await Client.connect(hub, users.ann.token), bob = await Client.connect(hub, users.bob.token);
  const { channel_id: hidden } = await ann.request('create_channel', { server_id: server, name: 'crew', category: 'Crew', private: true });
  const list = async (client) => (await client.request('get_server_channels', { server_id: server })).channels;
  assert.ok(!(await list(bob)).some((c) => c === null || c.channel_id === hidden));
  const own = (await list(ann)).find((c) => c.channel_id === hidden);
  assert.equal(own.name, 'crew');
  assert.equal(own.category, 'Crew');
  await ann.close();
  await bob.close();
});

test('000-3: 200 members come as 64, 64, 64 and 8, none twice and none left out', async () => {
  const { server_id: big } = await hub.ctl('server', 'add', 'Big', '--owner', 'ann');
  for (let i = 0; i < 199; i++) {
    const { user_id } = await hub.ctl('user', 'add', `m${i}`);
    await hub.ctl('member', 'add', big, user_id);
  }
  const ann = await Client.connect(hub, users.ann.token);
  const sizes = [], seen = new Set();
  let after;
  do {
    const page = await ann.request('get_server_members', { server_id: big, ...(after ? { after } : {}) });
    sizes.push(page.members.length);
    for (const member of page.members) {
      assert.ok(!seen.has(member.user_id), 'none twice');
      seen.add(member.user_id);
      for (const field of ['user_id', 'username', 'displayname', 'profile_pic', 'status', 'bio', 'activity'])
        assert.ok(field in member, field);
    }
    after = page.next;
    // People join and leave between the pages.
    if (sizes.length === 1) {
      await hub.ctl('member', 'remove', big, 'm0');
      const late = await hub.ctl('user', 'add', 'latecomer');
      await hub.ctl('member', 'add', big, late.user_id);
    }
  } while (after);
  assert.deepEqual(sizes.slice(0, 3), [64, 64, 64]);
  assert.ok(seen.size >= 200, `${seen.size}`);
  await ann.close();
});

test('000-4: show_channel and hide_channel go to who has the server loaded and the right, in commit order', async () => {
  const ann = await Client.connect(hub, users.ann.token), bob = await Client.connect(hub, users.bob.token);
  const carla = await Client.connect(hub, users.carla.token), eve = await Client.connect(hub, users.eve.token);
  for (const client of [ann, bob, carla]) await client.request('get_server_channels', { server_id: server });
  const about = (events) => ofType(events, 'show_channel', 'hide_channel').map((m) => `${m.type === 'show_channel' ? '+' : '-'}${m.name ?? m.id}`);

  const { channel_id: open } = await ann.request('create_channel', { server_id: server, name: 'open', category: 'C' });
  const { channel_id: closed } = await ann.request('create_channel', { server_id: server, name: 'closed', private: true });
  await ann.request('grant_channel', { channel_id: closed, user_id: users.bob.id });
  const shown = (await bob.drain());
  assert.deepEqual(about(shown), ['+open', '+closed']);
  assert.deepEqual(ofType(shown, 'show_channel')[0], { ...ofType(shown, 'show_channel')[0], id: open, name: 'open', category: 'C', server_id: server });
  assert.deepEqual(about(await carla.drain()), ['+open']);
  assert.deepEqual(about(await eve.drain()), [], 'eve has not loaded the server');

  // Losing the right ends the delivery of that channel's messages at once.
  await bob.request('get_messages', { channel_id: closed });
  await ann.request('message', { channel: closed, message: 'for bob' });
  await ann.request('revoke_channel', { channel_id: closed, user_id: users.bob.id });
  await ann.request('message', { channel: closed, message: 'not for bob' });
  const after = await bob.drain();
  assert.deepEqual(ofType(after, 'message').map((m) => m.message), ['for bob']);
  assert.deepEqual(about(after), [`-${closed}`]);
  assert.deepEqual(about(await carla.drain()), []);

  await ann.request('delete_channel', { channel_id: open });
  assert.deepEqual(about(await bob.drain()), [`-${open}`]);
  assert.deepEqual(about(await carla.drain()), [`-${open}`]);
  for (const client of [ann, bob, carla, eve]) await client.close();
});

test('000-5: a change of status or profile goes to exactly those who have that user loaded', async () => {
  // Somebody who was never here before: others of this file come and go.
  const user = await hub.user('zoe');
  await hub.ctl('member', 'add', server, 'zoe');
  const ann = await Client.connect(hub, users.ann.token), carla = await Client.connect(hub, users.carla.token);
  const zoe = await Client.connect(hub, user.token);
  const { members } = await ann.request('get_server_members', { server_id: server });
  // That she is there is stored a moment after she came: it is in the page, or it follows.
  if (members.find((m) => m.user_id === user.id).status !== 'online')
    await ann.event((m) => m.type === 'user_status_change' && m.user_id === user.id && m.status === 'online');
  const ofZoe = (events) => ofType(events, 'user_update', 'user_status_change').filter((m) => m.user_id === user.id);
  await ann.drain();
  await zoe.request('set_profile', { displayname: 'Zoe Z.', activity: 'sailing' });
  await zoe.request('set_status', { status: 'dnd' });
  const changes = ofZoe(await ann.drain());
  assert.equal(changes.length, 2);
  assert.deepEqual([changes[0].displayname, changes[0].activity], ['Zoe Z.', 'sailing']);
  assert.ok(!('bio' in changes[0]), 'only what changed');
  assert.equal(changes[1].status, 'dnd');
  await zoe.close();
  const gone = await ann.event((m) => m.type === 'user_status_change' && m.user_id === user.id);
  assert.equal(gone.status, 'offline');
  assert.deepEqual(ofType(await carla.drain(), 'user_update', 'user_status_change'), []);

  await ann.request('forget', { users: [user.id] });
  const back = await Client.connect(hub, user.token);
  await back.request('set_profile', { activity: 'rowing' });
  assert.deepEqual(ofZoe(await ann.drain()), []);
  for (const client of [ann, carla, back]) await client.close();
});

test('000-6: what a session has loaded can be read over D-Bus, and is gone when it ends', async () => {
  const eve = await Client.connect(hub, users.eve.token);
  await eve.request('get_servers');
  await eve.request('get_server_members', { server_id: server });
  await eve.request('get_messages', { channel_id: channels.general });
  const shown = await hub.ctl('sessions', 'show', eve.welcome.session);
  const topics = shown.topics.map((t) => t.topic);
  assert.ok(topics.includes(`server/${server}`), topics.join());
  assert.ok(topics.includes(`channel/${channels.general}`));
  assert.ok(shown.users.includes(users.bob.id));
  await eve.request('forget', { channels: [channels.general] });
  const less = await hub.ctl('sessions', 'show', eve.welcome.session);
  assert.ok(!less.topics.some((t) => t.topic === `channel/${channels.general}`));
  await eve.close();
  const failed = await hub.ctlFailure('sessions', 'show', eve.welcome.session);
  assert.match(failed.stderr, /session/i);
});

test('000-7: with the last rev only what changed comes, with tombstones; too old a rev gives everything and says so', async () => {
  const ann = await Client.connect(hub, users.ann.token), bob = await Client.connect(hub, users.bob.token);
  const first = await bob.request('get_server_channels', { server_id: server });
  assert.equal(typeof first.rev, 'number');
  const { channel_id: made } = await ann.request('create_channel', { server_id: server, name: 'made' });
  const { channel_id: doomed } = await ann.request('create_channel', { server_id: server, name: 'doomed' });
  const second = await bob.request('get_server_channels', { server_id: server });
  await ann.request('update_channel', { channel_id: made, name: 'remade' });
  await ann.request('delete_channel', { channel_id: doomed });
  const delta = await bob.request('get_server_channels', { server_id: server, since: second.rev });
  assert.deepEqual(delta.changed.map((c) => [c.channel_id, c.name]), [[made, 'remade']]);
  assert.deepEqual(delta.removed, [doomed]);
  const nothing = await bob.request('get_server_channels', { server_id: server, since: delta.rev });
  assert.deepEqual([nothing.changed, nothing.removed], [[], []]);
  const future = await bob.request('get_server_channels', { server_id: server, since: 1e12 });
  assert.equal(future.reset, true);
  assert.deepEqual(future.channels.map((c) => c.channel_id).sort(),
                   (await bob.request('get_server_channels', { server_id: server })).channels.map((c) => c.channel_id).sort());
  await ann.close();
  await bob.close();
});

test('users who share no server cannot load each other', async () => {
  const loner = await hub.user('loner');
  const client = await Client.connect(hub, loner.token);
  await client.fails('not_found', 'get_server_members', { server_id: server });
  await client.fails('not_found', 'get_server_channels', { server_id: server });
  assert.deepEqual((await client.request('get_servers')).servers, []);
  await client.close();
});
