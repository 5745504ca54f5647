// SPDX-License-Identifier: LGPL-2.1-or-later
// What becomes of messages, with real clients: edits, deletions, reactions, answers, typing, search, history.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { community } from './lib/community.mjs';

let hub, users, server, ann, bob, eve;

before(async () => {
  hub = await Hub.start({ settings: { 'chat.emojis-per-message': 3, 'chat.reactions-per-user': 2, 'notifications.raise': 'invitation' } });
  ({ users, server } = await community(hub, ['ann', 'bob', 'eve'], []));
});
after(() => hub.stop());

async function talk(t, options = {}) {
  const { channel_id: channel } = await hub.ctl('channel', 'add', server, `talk-${Math.random()}`, ...(options.private ? ['--private'] : []));
  ann = await Client.connect(hub, users.ann.token);
  bob = await Client.connect(hub, users.bob.token);
  eve = await Client.connect(hub, users.eve.token);
  t.after(() => Promise.all([ann, bob, eve].map((client) => client.close())));
  return channel;
}

const say = async (client, channel, message, more = {}) => (await client.request('message', { channel, message, ...more })).message_id;

// What a client has of a channel when it applies what it is told, as protocol.md says.
class Cache {
  constructor() { this.messages = new Map(); }

  take(reply) {
    if (reply.messages && reply.reset) this.messages.clear();
    for (const message of reply.messages ?? reply.changed) this.messages.set(message.message_id, message);
    for (const id of reply.removed ?? []) this.messages.delete(id);
    this.rev = reply.rev;
  }

  apply(event) {
    const message = this.messages.get(event.message_id);
    if (event.type === 'message') {
      const { type, ...rest } = event;
      this.messages.set(event.message_id, rest);
    } else if (event.type === 'message_delete') {
      this.messages.delete(event.message_id);
    } else if (message && event.type === 'message_update') {
      Object.assign(message, { message: event.message, edited: event.edited });
    } else if (message && event.type === 'reaction') {
      const all = message.reactions ?? [];
      const known = all.find((r) => r.emoji === event.emoji);
      const mine = event.user_id === users.bob.id;
      if (known) Object.assign(known, { count: event.count, me: mine ? event.added : known.me });
      else all.push({ emoji: event.emoji, count: event.count, me: mine && event.added });
      message.reactions = all.filter((r) => r.count > 0);
      if (message.reactions.length === 0) delete message.reactions;
    }
  }

  list() {
    return [...this.messages.values()].sort((a, b) => Number(a.message_id) - Number(b.message_id));
  }
}

test('a message is edited by its author and deleted by its author or the owner; the others who loaded it see both', async (t) => {
  const channel = await talk(t);
  const bobs = await say(bob, channel, 'teh ship'), eves = await say(eve, channel, 'rude');
  await eve.request('get_messages', { channel_id: channel });
  const { edited } = await bob.request('edit_message', { message_id: bobs, message: 'the ship' });
  const update = await eve.event('message_update');
  assert.deepEqual([update.message_id, update.message, update.edited, update.channel], [bobs, 'the ship', edited, channel]);
  await ann.fails('forbidden', 'edit_message', { message_id: bobs, message: 'mine' });
  await bob.fails('forbidden', 'delete_message', { message_id: eves });
  await ann.request('delete_message', { message_id: eves });
  assert.equal((await eve.event('message_delete')).message_id, eves);
  await eve.fails('not_found', 'edit_message', { message_id: eves, message: 'x' });
  await bob.request('delete_message', { message_id: bobs });
  const { messages } = await ann.request('get_messages', { channel_id: channel });
  assert.deepEqual(messages, []);
  // Who has not loaded the channel hears nothing.
  assert.deepEqual(await bob.drain(), []);
});

test('who may not see the channel may not change, react, answer or find', async (t) => {
  const channel = await talk(t, { private: true });
  const id = await say(ann, channel, 'hidden treasure');
  for (const [type, fields] of [['edit_message', { message: 'x' }], ['delete_message', {}], ['react', { emoji: 'x' }], ['unreact', { emoji: 'x' }]])
    await bob.fails('not_found', type, { message_id: id, ...fields });
  await bob.fails('not_found', 'message', { channel, message: 'x', reply_to: id });
  await bob.fails('not_found', 'typing', { channel_id: channel });
  await bob.fails('not_found', 'search_messages', { query: 'treasure', channel_id: channel });
  assert.deepEqual((await bob.request('search_messages', { query: 'treasure' })).results, []);
  assert.equal((await ann.request('search_messages', { query: 'treasure' })).results.length, 1);
});

test('a reaction counts once, is told once and is bounded in length and number', async (t) => {
  const channel = await talk(t);
  const id = await say(ann, channel, 'look');
  await eve.request('get_messages', { channel_id: channel });
  for (let i = 0; i < 3; i++) assert.equal((await bob.request('react', { message_id: id, emoji: '👩‍🚀' })).count, 1);
  assert.equal((await ann.request('react', { message_id: id, emoji: '👩‍🚀' })).count, 2);
  const told = (await eve.drain()).map(({ type, emoji, user_id, added, count }) => ({ type, emoji, user_id, added, count }));
  assert.deepEqual(told, [
    { type: 'reaction', emoji: '👩‍🚀', user_id: users.bob.id, added: true, count: 1 },
    { type: 'reaction', emoji: '👩‍🚀', user_id: users.ann.id, added: true, count: 2 },
  ]);
  const reactions = async (client) => (await client.request('get_messages', { channel_id: channel })).messages[0].reactions;
  assert.deepEqual(await reactions(bob), [{ emoji: '👩‍🚀', count: 2, me: true }]);
  assert.deepEqual(await reactions(eve), [{ emoji: '👩‍🚀', count: 2, me: false }]);
  await bob.request('react', { message_id: id, emoji: 'b' });
  assert.match((await bob.fails('too_large', 'react', { message_id: id, emoji: 'c' })).message, /"emoji"/);
  await ann.request('react', { message_id: id, emoji: 'd' });
  await eve.fails('too_large', 'react', { message_id: id, emoji: 'e' });
  await eve.fails('too_large', 'react', { message_id: id, emoji: 'x'.repeat(40) });
  assert.equal((await ann.request('unreact', { message_id: id, emoji: 'd' })).count, 0);
  assert.equal((await ann.request('unreact', { message_id: id, emoji: 'd' })).count, 0);
  assert.deepEqual((await reactions(eve)).map((r) => r.emoji), ['👩‍🚀', 'b']);
});

test('an answer names its message of the same channel, in the event and in history', async (t) => {
  const channel = await talk(t), other = (await hub.ctl('channel', 'add', server, 'elsewhere')).channel_id;
  await bob.request('get_messages', { channel_id: channel });
  const question = await say(ann, channel, 'where?');
  const answer = await say(eve, channel, 'here', { reply_to: question });
  await bob.event('message');
  assert.equal((await bob.event('message')).reply_to, question);
  assert.match((await eve.fails('not_found', 'message', { channel: other, message: 'x', reply_to: question })).message, /"reply_to"/);
  await ann.request('delete_message', { message_id: question });
  const { messages } = await bob.request('get_messages', { channel_id: channel });
  assert.deepEqual(messages.map((m) => [m.message_id, m.reply_to]), [[answer, question]]);
});

test('typing is told to the others once, however often a page says so', async (t) => {
  const channel = await talk(t);
  const tab = await Client.connect(hub, users.ann.token);
  t.after(() => tab.close());
  await ann.fails('not_found', 'typing', { channel_id: channel });
  for (const client of [ann, tab, bob]) await client.request('get_messages', { channel_id: channel });
  for (let i = 0; i < 20; i++) ann.socket.send(JSON.stringify({ type: 'typing', channel_id: channel }));
  assert.deepEqual((await ann.drain()), [], 'no answer without a ref');
  assert.deepEqual(await bob.drain(), [{ type: 'typing', channel_id: channel, user_id: users.ann.id, username: 'ann' }]);
  assert.deepEqual(await tab.drain(), []);
  assert.deepEqual(await eve.drain(), []);
});

test('what was said is found by words, phrases and characters, at once and after edits and deletions', async (t) => {
  const channel = await talk(t);
  const ids = [];
  for (const text of ['The blue whale sings', 'a whale, blue', '我们明天去上海看展览', 'crème brûlée', '🐳 only'])
    ids.push(await say(ann, channel, text));
  const find = async (query, more = {}) => (await bob.request('search_messages', { query, channel_id: channel, ...more })).results;
  const found = async (query, more) => (await find(query, more)).map((m) => ids.indexOf(m.message_id)).sort();
  const cases = [
    ['whale', [0, 1]], ['BLUE Whale', [0, 1]], ['"blue whale"', [0]], ['whale -sings', [1]], ['上海', [2]], ['海', [2]], ['海上', []],
    ['creme brulee', [3]], ['🐳', [4]], ['whal', []], ['whale AND (', [] /* AND is a word */], ['blue* OR', []], ['"blue', [0, 1]],
  ];
  for (const [query, expected] of cases) assert.deepEqual(await found(query), expected, query);
  const [hit] = await find('上海');
  assert.deepEqual(hit.highlights.map(([start, length]) => hit.snippet.slice(start, start + length)), ['上海']);
  const [whale] = await find('🐳 only');
  assert.deepEqual(whale.highlights.map(([start, length]) => whale.snippet.slice(start, start + length)), ['🐳', 'only']);
  assert.match((await bob.fails('bad_request', 'search_messages', { query: '!?' })).message, /"query"/);
  await bob.fails('too_large', 'search_messages', { query: 'x'.repeat(1000) });
  // Whether the index has them by now or not is all the same.
  await ann.request('edit_message', { message_id: ids[1], message: 'a dolphin' });
  await ann.request('delete_message', { message_id: ids[2] });
  assert.deepEqual(await found('whale'), [0]);
  assert.deepEqual(await found('dolphin'), [1]);
  assert.deepEqual(await found('上海'), []);
  assert.deepEqual(await found('dolphin', { author_id: users.bob.id }), []);
});

test('results come in pages, each once', async (t) => {
  const channel = await talk(t);
  for (let i = 0; i < 25; i++) await say(ann, channel, `needle number ${i}`);
  const seen = new Set();
  let next = 0, pages = 0;
  while (next !== null) {
    const reply = await bob.request('search_messages', { query: 'needle', channel_id: channel, limit: 10, offset: next });
    for (const { message_id } of reply.results) seen.add(message_id);
    next = reply.next;
    pages++;
  }
  assert.deepEqual([pages, seen.size], [3, 25]);
});

test('history lies before, after, around a message, or begins at a time', async (t) => {
  const channel = await talk(t);
  const ids = [];
  for (let i = 0; i < 9; i++) ids.push(await say(ann, channel, `${i}`));
  const get = (fields) => bob.request('get_messages', { channel_id: channel, ...fields });
  const texts = (reply) => reply.messages.map((m) => m.message).join('');
  const around = await get({ around: ids[4], limit: 5 });
  assert.deepEqual([texts(around), around.more, around.more_after], ['23456', true, true]);
  assert.equal(texts(await get({ before: ids[6], after: ids[2] })), '345');
  const all = await get({});
  assert.equal(texts(await get({ at: all.messages[0].timestamp })), '012345678');
  assert.equal(texts(await get({ at: '2100-01-01T00:00:00Z' })), '');
  assert.equal(texts(await get({ at: '1999-01-01T00:00:00+08:00', limit: 2 })), '01');
  for (const fields of [{ at: 'yesterday' }, { at: all.messages[0].timestamp, before: ids[1] }, { around: ids[1], since: 1 }])
    await bob.fails('bad_request', 'get_messages', { channel_id: channel, ...fields });
});

test('000-7: after random changes and absences, what a client has is what a client that begins anew gets', async (t) => {
  const channel = await talk(t);
  let seed = 20261120;
  const random = (n) => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor(seed / 65536) % n; };
  const cache = new Cache(), ids = [];
  cache.take(await bob.request('get_messages', { channel_id: channel, limit: 100 }));
  let reader = bob;
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < 12; i++) {
      const id = ids[random(ids.length || 1)], emoji = 'abc'[random(2)];
      const what = ids.length < 3 ? 0 : random(6);
      if (what <= 1) ids.push(await say(ann, channel, `said ${round}.${i}`));
      else if (what === 2) await ann.request('edit_message', { message_id: id, message: `edited ${round}.${i}` });
      else if (what === 3) await ann.request('react', { message_id: id, emoji });
      else if (what === 4) await ann.request('unreact', { message_id: id, emoji });
      else {
        await ann.request('delete_message', { message_id: id });
        ids.splice(ids.indexOf(id), 1);
      }
    }
    if (reader) {
      for (const event of await reader.drain()) cache.apply(event);
      if (random(2)) {
        // Away: the rev of what it has is of no event, so it asks for the difference from its last reply.
        await reader.close();
        reader = null;
      }
    } else {
      reader = await Client.connect(hub, users.bob.token);
      const mine = reader;
      t.after(() => mine.close());
      const reply = await reader.request('get_messages', { channel_id: channel, since: cache.rev, limit: 100 });
      assert.equal(reply.reset, undefined);
      cache.take(reply);
    }
    const anew = await Client.connect(hub, users.bob.token);
    const fresh = new Cache();
    fresh.take(await anew.request('get_messages', { channel_id: channel, limit: 100 }));
    if (reader) {
      for (const event of await reader.drain()) cache.apply(event);
      assert.deepEqual(cache.list(), fresh.list(), `round ${round}`);
    }
    await anew.close();
  }
});

test('000-8: messages said, edited and taken back while the history is asked for are neither lost nor doubled nor stale', async (t) => {
  const channel = await talk(t);
  let going = true;
  const writing = (async () => {
    for (let i = 0; i < 150; i++) {
      const id = await say(ann, channel, `n${i}`);
      await ann.request('edit_message', { message_id: id, message: `N${i}` });
      if (i % 3 === 0) await ann.request('delete_message', { message_id: id });
      if (i % 5 === 0 && i % 3 !== 0) await ann.request('react', { message_id: id, emoji: 'x' });
    }
    going = false;
  })();
  const readers = [];
  while (going && readers.length < 30) {
    const reader = await Client.connect(hub, users.bob.token), cache = new Cache();
    cache.take(await reader.request('get_messages', { channel_id: channel, limit: 100 }));
    readers.push({ reader, cache });
  }
  await writing;
  const { messages } = await eve.request('get_messages', { channel_id: channel, limit: 100 });
  assert.equal(messages.length, 100);
  for (const { reader, cache } of readers) {
    const events = await reader.drain();
    const seqs = events.map((event) => event.seq);
    for (let i = 1; i < seqs.length; i++) assert.equal(seqs[i], seqs[i - 1] + 1, 'no gap and no double');
    for (const event of events) cache.apply(event);
    assert.deepEqual(cache.list(), messages);
    await reader.close();
  }
});

test('who resumes gets the edits, deletions and reactions that were missed, in order', async (t) => {
  const channel = await talk(t);
  const id = await say(ann, channel, 'one');
  const { seq } = await bob.request('get_messages', { channel_id: channel });
  const { resume } = bob.welcome;
  bob.socket.terminate();
  await bob.closed;
  await ann.request('edit_message', { message_id: id, message: 'two' });
  await ann.request('react', { message_id: id, emoji: 'x' });
  await ann.request('delete_message', { message_id: id });
  const back = await Client.connect(hub, users.bob.token);
  t.after(() => back.close());
  const { topics } = await back.request('resume', { resume, cursors: { [`channel/${channel}`]: seq } });
  const topic = topics.find((one) => one.topic === `channel/${channel}`);
  assert.equal(topic.result, 'recovered');
  assert.deepEqual(topic.events.map((event) => event.type), ['message_update', 'reaction', 'message_delete']);
});
