// SPDX-License-Identifier: LGPL-2.1-or-later
// Coming back: after a cut, after an orderly restart, after kill -9. Nothing acknowledged is missing, nothing comes twice.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { community } from './lib/community.mjs';

const texts = (events) => events.filter((m) => m.type === 'message').map((m) => m.message);

async function scene(t, settings) {
  const hub = await Hub.start({ settings });
  t.after(() => hub.stop());
  const { users, server, channels } = await community(hub, ['ann', 'bob']);
  return { hub, users, server, channel: channels.general };
}

test('a client that was cut off gets what it missed, in order and once', async (t) => {
  const { hub, users, channel } = await scene(t);
  const bob = await Client.connect(hub, users.bob.token);
  let ann = await Client.connect(hub, users.ann.token);
  await ann.request('get_messages', { channel_id: channel });
  await bob.request('message', { channel, message: 'seen' });
  const seen = await ann.event('message');
  ann.socket.terminate();
  await ann.closed;
  for (const message of ['missed 1', 'missed 2']) await bob.request('message', { channel, message });
  const resume = ann.welcome.resume;
  ann = await Client.connect(hub, users.ann.token);
  const reply = await ann.request('resume', { resume, cursors: { [`channel/${channel}`]: seen.seq } });
  const topic = reply.topics.find((entry) => entry.topic === `channel/${channel}`);
  assert.equal(topic.result, 'recovered');
  assert.deepEqual(topic.events.map((m) => m.message), ['missed 1', 'missed 2']);
  await bob.request('message', { channel, message: 'live' });
  assert.deepEqual(texts(await ann.drain()), ['live']);
});

test('a resume token in the address does the same', async (t) => {
  const { hub, users, channel } = await scene(t);
  const bob = await Client.connect(hub, users.bob.token);
  let ann = await Client.connect(hub, users.ann.token);
  await ann.request('get_messages', { channel_id: channel });
  await ann.close();
  await bob.request('message', { channel, message: 'missed' });
  ann = await Client.connect(hub, users.ann.token, { query: `?resume=${ann.welcome.resume}` });
  const resumed = await ann.event('resume');
  const topic = resumed.topics.find((entry) => entry.topic === `channel/${channel}`);
  assert.equal(topic.result, 'recovered');
  assert.deepEqual(topic.events.map((m) => m.message), ['missed']);
});

test('the connection that is resumed elsewhere is closed with a code of its own', async (t) => {
  const { hub, users, channel } = await scene(t);
  const old = await Client.connect(hub, users.ann.token);
  await old.request('get_messages', { channel_id: channel });
  const fresh = await Client.connect(hub, users.ann.token);
  await fresh.request('resume', { resume: old.welcome.resume });
  assert.equal((await old.closed).code, 4011);
});

test('a resume token of somebody else, or of nobody, is refused', async (t) => {
  const { hub, users } = await scene(t);
  const ann = await Client.connect(hub, users.ann.token), bob = await Client.connect(hub, users.bob.token);
  await bob.fails('not_found', 'resume', { resume: ann.welcome.resume });
  await bob.fails('not_found', 'resume', { resume: 'nothing' });
  await bob.fails('bad_request', 'resume', {});
  await bob.fails('bad_request', 'resume', { resume: bob.welcome.resume, cursors: 7 });
  await ann.request('get_servers');
});

test('a cursor that the log no longer reaches gives an explicit reset', async (t) => {
  const { hub, users, channel } = await scene(t);
  const ann = await Client.connect(hub, users.ann.token);
  await ann.request('get_messages', { channel_id: channel });
  const resume = ann.welcome.resume;
  await ann.close();
  const back = await Client.connect(hub, users.ann.token);
  const reply = await back.request('resume', { resume, cursors: { [`channel/${channel}`]: 999999 } });
  assert.equal(reply.topics.find((entry) => entry.topic === `channel/${channel}`).result, 'reset');
});

test('a reader that is too slow is disconnected with a code that says so, harms nobody, and can resume', async (t) => {
  const { hub, users, channel } = await scene(t, { 'limits.outbox-max': '64K' });
  const bob = await Client.connect(hub, users.bob.token), ann = await Client.connect(hub, users.ann.token);
  const other = await Client.connect(hub, users.ann.token);
  for (const client of [ann, other]) await client.request('get_messages', { channel_id: channel });
  ann.socket.pause();
  const text = 'x'.repeat(3500);
  let sent = 0, gone = false;
  while (!gone) {
    for (let i = 0; i < 200; i++) bob.socket.send(JSON.stringify({ type: 'message', channel, message: text }));
    sent += 200;
    assert.ok(sent < 20000, 'a reader that does not read is let be');
    while (other.events.filter((m) => m.type === 'message').length < sent) await new Promise(setImmediate);
    gone = !(await hub.ctl('sessions', 'list')).some((session) => session.session_id === ann.welcome.session);
  }
  ann.socket.resume();
  assert.equal((await ann.closed).code, 4008);
  const seen = ann.events.filter((m) => m.type === 'message').map((m) => m.seq);
  seen.forEach((seq, i) => assert.equal(seq, i + 1, 'what did arrive has no gap'));
  const back = await Client.connect(hub, users.ann.token);
  const { topics } = await back.request('resume', { resume: ann.welcome.resume, cursors: { [`channel/${channel}`]: seen.at(-1) } });
  const topic = topics.find((entry) => entry.topic === `channel/${channel}`);
  assert.equal(topic.seq, sent);
  if (topic.result === 'recovered') assert.deepEqual(topic.events.map((m) => m.seq), [...Array(sent - seen.length).keys()].map((i) => seen.length + 1 + i));
  else assert.equal(topic.result, 'reset');
  const metrics = await hub.ctl('metrics');
  assert.equal(metrics.hark_sessions_slow_total, 1);
});

for (const how of ['orderly restart', 'kill -9'])
  test(`sessions, subscriptions and messages outlive the daemon: ${how}`, async (t) => {
    const { hub, users, server, channel } = await scene(t);
    let ann = await Client.connect(hub, users.ann.token), bob = await Client.connect(hub, users.bob.token);
    await ann.request('get_servers');
    await ann.request('get_messages', { channel_id: channel });
    const acked = [];
    for (let i = 0; i < 20; i++) acked.push(await bob.request('message', { channel, message: `m${i}`, id: i }));
    let last;
    for (let i = 0; i < 20; i++) last = await ann.event('message');
    // What a session has loaded is written a moment after it changed. Stopping writes what is left; a kill does not.
    const written = () => execFileSync('sqlite3', [join(hub.directory, 'hark.db'),
      `SELECT count(*) FROM session_topics WHERE session_id = ${ann.welcome.session} AND topic = 'channel/${channel}'`]).toString().trim();
    while (how === 'kill -9' && written() !== '1');
    if (how === 'kill -9') {
      await hub.kill9();
      await hub.spawn();
    } else {
      await hub.restart();
      const { code } = await ann.closed;
      assert.equal(code, 1012);
    }
    bob = await Client.connect(hub, users.bob.token);
    const again = await bob.request('message', { channel, message: 'm19', id: 19 });
    assert.equal(again.message_id, acked[19].message_id, 'what was acknowledged is known');
    await bob.request('message', { channel, message: 'after' });
    const resume = ann.welcome.resume;
    ann = await Client.connect(hub, users.ann.token);
    const reply = await ann.request('resume', { resume, cursors: { [`channel/${channel}`]: last.seq } });
    const topic = reply.topics.find((entry) => entry.topic === `channel/${channel}`);
    assert.equal(topic.result, 'recovered');
    assert.deepEqual(topic.events.map((m) => m.message), ['after']);
    const { messages } = await ann.request('get_messages', { channel_id: channel });
    assert.deepEqual(messages.map((m) => m.message), [...Array(20).keys()].map((i) => `m${i}`).concat('after'));
  });
