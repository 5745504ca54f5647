// SPDX-License-Identifier: LGPL-2.1-or-later
// The client of the source 000, as it says it works: what it has loaded stays right by what it is told.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Hub } from './lib/hub.mjs';
import { Cache, Page } from './lib/cache.mjs';
import { Client } from './lib/client.mjs';

let hub, ann, bob, server, general;

before(async () => {
  hub = await Hub.start({ settings: { 'presence.grace': '0' } });
  [ann, bob] = [await hub.user('ann'), await hub.user('bob')];
  for (let i = 0; i < 70; i++) await hub.ctl('user', 'add', `m${i}`);
  server = (await hub.ctl('server', 'add', 'Harbour', '--owner', 'ann')).server_id;
  await hub.ctl('member', 'add', 'Harbour', 'bob');
  for (let i = 0; i < 70; i++) await hub.ctl('member', 'add', 'Harbour', `m${i}`);
  general = (await hub.ctl('channel', 'add', 'Harbour', 'general')).channel_id;
});

after(() => hub.stop());

// What a client that comes now would hold of the same things.
async function assertFresh(cache, token, { after: next, channel }) {
  await cache.client.fence();
  const fresh = await Cache.open(hub, token, new Page());
  await fresh.get('server');
  await fresh.get('channel', undefined, { server_id: server });
  let page = await fresh.get('member', undefined, { server_id: server });
  while (page.next && page.next !== next) page = await fresh.get('member', undefined, { server_id: server, after: page.next });
  if (channel) await fresh.get('message', undefined, { channel_id: channel });
  // A message has its author's name as it was then; whose it is says author_id.
  const plain = (things) => Object.fromEntries(Object.entries(things).map(([kind, map]) => [kind, Object.fromEntries([...map].sort().map(([id, { unread, server_id, rev, seq, author, ...info }]) => [id, info]))]));
  assert.deepEqual(plain(cache.things), plain(fresh.things));
  // What is on the page is what is in the cache.
  assert.deepEqual([...cache.page.elements.keys()].sort(), Object.entries(cache.things).flatMap(([kind, map]) => [...map.keys()].map((id) => `${kind} ${id}`)).sort());
  await fresh.client.close();
}

test('000-9: get, add, update and delete keep the cache, create, change and remove the page, as things change', async () => {
  const page = new Page();
  const cache = await Cache.open(hub, bob.token, page);
  const owner = await Client.connect(hub, ann.token);
  // Loading the app; the user clicks on a server, scrolls down the list of members, clicks on a channel.
  await cache.get('server');
  await cache.get('channel', undefined, { server_id: server });
  const { next } = await cache.get('member', undefined, { server_id: server });
  assert.equal(cache.things.member.size, 64);
  const last = await cache.get('member', undefined, { server_id: server, after: next });
  assert.equal(last.next, null);
  assert.equal(cache.things.member.size, 72);
  await owner.request('message', { channel: general, message: 'first' });
  await cache.get('message', undefined, { channel_id: general });
  const asked = cache.client.frames.length;
  assert.equal((await cache.get('channel', general)).name, 'general');
  assert.equal(cache.client.frames.length, asked, 'what is in the cache is not asked for');
  await assertFresh(cache, bob.token, { channel: general });
  // Things change, and nothing is asked for.
  const requests = cache.client.nextRef;
  await owner.request('update_server', { server_id: server, name: 'Port' });
  const { channel_id: crew } = await owner.request('create_channel', { server_id: server, name: 'crew', private: true });
  await owner.request('grant_channel', { channel_id: crew, user_id: bob.id });
  await owner.request('update_channel', { channel_id: general, name: 'everyone' });
  const { message_id } = await owner.request('message', { channel: general, message: 'second' });
  await owner.request('message', { channel: general, message: 'third' });
  await owner.request('edit_message', { message_id, message: 'changed' });
  await owner.request('set_profile', { displayname: 'Ann L.', bio: 'harbour master' });
  await owner.request('set_status', { status: 'dnd' });
  await owner.request('set_nick', { server_id: server, nick: 'Boss' });
  const m7 = [...cache.things.member.values()].find(({ username }) => username === 'm7').user_id;
  await owner.request('kick_member', { server_id: server, user_id: m7 });
  await hub.ctl('user', 'add', 'late');
  await hub.ctl('member', 'add', 'Port', 'late');
  await assertFresh(cache, bob.token, { channel: general });
  assert.equal(cache.client.nextRef - requests, 1, 'but for the fence');
  assert.ok(cache.things.channel.has(crew) && !cache.things.member.has(m7));
  assert.equal(page.elements.get(`member ${ann.id}`).nick, 'Boss');
  await owner.request('revoke_channel', { channel_id: crew, user_id: bob.id });
  await owner.request('delete_message', { message_id });
  await assertFresh(cache, bob.token, { channel: general });
  await owner.request('delete_server', { server_id: server });
  await cache.client.fence();
  assert.equal(cache.things.server.size, 0);
  await Promise.all([cache.client.close(), owner.close()]);
});
