// SPDX-License-Identifier: LGPL-2.1-or-later
// What members may do in a server, and how the list of members stays right, with real clients and the tool.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';

let hub, ann, bob, eve, harbour;

before(async () => {
  hub = await Hub.start({ settings: { 'presence.grace': '1s' } });
  [ann, bob, eve] = await Promise.all(['ann', 'bob', 'eve'].map((name) => hub.user(name)));
  harbour = (await hub.ctl('server', 'add', 'Harbour', '--owner', 'ann')).server_id;
  for (const name of ['bob', 'eve']) await hub.ctl('member', 'add', 'Harbour', name);
});

after(() => hub.stop());

const open = (user) => Client.connect(hub, user.token);

test('000-4: a channel granted to a role appears for who is given it, and goes with it while messages are under way', async () => {
  const [owner, member] = [await open(ann), await open(bob)];
  await member.request('get_servers');
  await member.request('get_server_channels', { server_id: harbour });
  const { channel_id } = await hub.ctl('channel', 'add', 'Harbour', 'bridge', '--private');
  const { role_id } = await hub.ctl('role', 'add', 'Harbour', 'mates', '--position', '3');
  await hub.ctl('grant', 'add', 'Harbour/bridge', '--role', 'Harbour/mates');
  await hub.ctl('role', 'assign', 'Harbour/mates', 'bob');
  assert.equal((await member.event('show_channel')).id, channel_id);
  assert.deepEqual((await member.event('own_roles')).own, [role_id]);
  await member.request('get_messages', { channel_id });
  // What is said while the right goes: a part of it comes.
  const sending = Array.from({ length: 40 }, (_, i) => owner.request('message', { channel: channel_id, message: `m${i}` }));
  const taken = hub.ctl('role', 'unassign', role_id, 'bob');
  const seqs = (await Promise.all(sending)).map((reply) => reply.seq);
  await taken;
  await owner.request('message', { channel: channel_id, message: 'among us' });
  // What was stored before the right went may come beside hide_channel, which is of another topic; nothing later does.
  const events = await member.drain();
  const heard = events.filter((event) => event.type === 'message');
  assert.equal(events.filter((event) => event.type === 'hide_channel').length, 1);
  assert.deepEqual(heard.map((event) => event.seq), seqs.slice(0, heard.length), 'a beginning, without a gap');
  assert.ok(!heard.some((event) => event.message === 'among us'));
  await member.fails('not_found', 'get_messages', { channel_id });
  await Promise.all([owner.close(), member.close()]);
});

test('permissions are what they say: kicking, naming, deleting by who has the role, and by nobody else', async () => {
  const [owner, member, other] = [await open(ann), await open(bob), await open(eve)];
  await other.request('get_server_members', { server_id: harbour });
  const { role_id } = await owner.request('create_role', { server_id: harbour, name: 'bosun', position: 5, permissions: ['kick_members', 'manage_nicks', 'manage_messages'] });
  await member.fails('forbidden', 'kick_member', { server_id: harbour, user_id: eve.id });
  await owner.request('assign_role', { role_id, user_id: bob.id });
  assert.deepEqual((await other.event('update_member')).roles, [role_id]);
  await member.request('set_nick', { server_id: harbour, user_id: eve.id, nick: 'Evie' });
  assert.equal((await other.event('update_member')).nick, 'Evie');
  assert.equal((await hub.ctl('member', 'list', 'Harbour')).find((row) => row.username === 'eve').nick, 'Evie');
  await member.request('kick_member', { server_id: harbour, user_id: eve.id });
  assert.equal((await other.event('remove_member')).user_id, eve.id);
  await other.fails('not_found', 'get_server_members', { server_id: harbour });
  await member.fails('forbidden', 'kick_member', { server_id: harbour, user_id: ann.id });
  await Promise.all([owner.close(), member.close(), other.close()]);
});

test('who joins comes on the page where he belongs, with what becomes of him; who leaves goes from it', async () => {
  const watcher = await open(ann);
  const { members } = await watcher.request('get_server_members', { server_id: harbour });
  assert.ok(!members.some((member) => member.user_id === eve.id));
  await watcher.request('invitation', { invited: 'eve', server_id: harbour });
  const invited = await open(eve);
  await invited.event('invitation');
  await invited.request('accept_invitation', { server_id: harbour });
  assert.equal((await watcher.event('add_member')).username, 'eve');
  await invited.request('set_status', { status: 'dnd' });
  assert.deepEqual(await watcher.event('user_status_change').then(({ user_id, status }) => ({ user_id, status })), { user_id: eve.id, status: 'dnd' });
  await invited.request('leave_server', { server_id: harbour });
  assert.equal((await watcher.event('remove_member')).user_id, eve.id);
  await invited.request('set_status', { status: 'idle' });
  assert.deepEqual((await watcher.drain()).filter((event) => event.type === 'user_status_change'), []);
  await Promise.all([watcher.close(), invited.close()]);
});
