// SPDX-License-Identifier: LGPL-2.1-or-later
// doc/protocol.md is what happens: every example in it is replayed against the running daemon, in order. What an example
// does not show must not come, and what it shows must come as it stands, member for member.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import WebSocket from 'ws';
import { Hub, PATIENCE_MS } from './lib/hub.mjs';
import { checkIn, readFrame } from './lib/schema.mjs';

// What is answered so need not be as its schema says.
const WRONG = /"code":"(bad_request|unknown_type|too_large)"/;
const page = new URL('../../doc/protocol.md', import.meta.url);

function examples(text) {
  const blocks = [];
  let heading = '';
  for (const part of text.split(/^(?=#{1,3} |```example$)/m)) {
    const title = part.match(/^#{1,3} (.*)/);
    if (title) heading = title[1];
    const block = part.match(/^```example\n([^]*?)^```$/m);
    if (block) blocks.push({ heading, lines: block[1].trim().split('\n') });
  }
  return blocks;
}

// "$name" stands for one value everywhere; "$_" for any.
function matches(pattern, value, bound, fresh) {
  if (typeof pattern === 'string' && pattern.startsWith('$')) {
    if (pattern === '$_') return true;
    const known = fresh.has(pattern) ? fresh.get(pattern) : bound.get(pattern);
    if (known !== undefined) return isDeepStrictEqual(known, value);
    fresh.set(pattern, value);
    return true;
  }
  if (Array.isArray(pattern))
    return Array.isArray(value) && pattern.length === value.length && pattern.every((p, i) => matches(p, value[i], bound, fresh));
  if (pattern !== null && typeof pattern === 'object')
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      && isDeepStrictEqual(Object.keys(pattern).sort().map((k) => substitute(k, bound)), Object.keys(value).sort())
      && Object.keys(pattern).every((k) => matches(pattern[k], value[substitute(k, bound)], bound, fresh));
  return pattern === value;
}

// Where a whole value is a name, a number stays one.
function substitute(text, bound) {
  return text.replace(/"(\$[a-z_0-9]+)"/g, (whole, name) => (typeof bound.get(name) === 'number' ? bound.get(name) : whole))
    .replace(/\$([a-z_0-9]+)/g, (whole) => bound.get(whole) ?? whole);
}

class Person {
  constructor(hub, token) {
    this.queue = [];
    this.arrived = () => {};
    this.socket = new WebSocket(hub.url(token));
    this.opened = new Promise((resolve, reject) => { this.socket.on('open', resolve); this.socket.on('error', reject); });
    this.socket.on('message', (data) => { this.queue.push(readFrame(data)); this.arrived(); });
    this.socket.on('close', (code, reason) => { this.closed = `closed: ${code} ${reason}`; this.arrived(); });
  }

  async take(pattern, bound) {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      for (let i = 0; i < this.queue.length; i++) {
        const fresh = new Map();
        if (matches(pattern, this.queue[i], bound, fresh)) {
          for (const [name, value] of fresh) bound.set(name, value);
          return this.queue.splice(i, 1)[0];
        }
      }
      assert.ok(!this.closed, this.closed);
      const left = until - Date.now();
      const came = left > 0 && await new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), Math.min(left, this.queue.length ? 20000 : left));
        this.arrived = () => { clearTimeout(timer); resolve(true); };
      });
      assert.ok(came, `nothing came that matches\n  ${JSON.stringify(pattern)}\nbut\n  ${this.queue.map((m) => JSON.stringify(m)).join('\n  ')}`);
    }
  }

  // Everything that was queued for this session before has arrived when the answer to this has.
  async settle(bound) {
    this.socket.send('{"type":"end-of-example","ref":"end-of-example"}');
    await this.take({ type: 'error', ref: 'end-of-example', code: 'unknown_type', message: '$_' }, bound);
  }
}

test('every example of doc/protocol.md happens as it stands', async (t) => {
  const hub = await Hub.start({ settings: { 'presence.grace': '1m', 'auth.anonymous': 'true', 'notifications.raise': 'reaction;mention;invitation;member' } });
  t.after(() => hub.stop());
  const bound = new Map(), people = new Map(), users = {};
  // Who is called anything else has no account.
  for (const name of ['ann', 'bob']) {
    users[name] = await hub.user(name);
    bound.set(`$${name}`, users[name].id);
    bound.set(`$${name}_token`, users[name].token);
  }
  const server = await hub.ctl('server', 'add', 'Harbour', '--owner', 'ann');
  bound.set('$harbour', server.server_id);
  await hub.ctl('member', 'add', 'Harbour', 'bob');
  bound.set('$general', (await hub.ctl('channel', 'add', server.server_id, 'general', '--category', 'Everyone')).channel_id);
  // That bob has joined is a notification before the first example.
  const before = new Person(hub, users.ann.token);
  await before.take({ type: 'welcome', session: '$_', user: '$_', resume: '$_', heartbeat: '$_' }, new Map());
  before.socket.send('{"type":"get_notifications","ref":"n"}');
  const { notifications: [joined] } = await before.take({ type: 'get_notifications', ref: 'n', notifications: '$_', more: false, waiting: 1 }, new Map());
  before.socket.send(JSON.stringify({ type: 'ack_notification', id: joined.id, ref: 'a' }));
  await before.take({ type: 'ack_notification', ref: 'a', acknowledged: 1, waiting: 0 }, new Map());
  before.socket.terminate();
  const blocks = examples(readFileSync(page, 'utf8'));
  assert.ok(blocks.length >= 18, `${blocks.length} examples`);
  for (const { heading, lines } of blocks)
    await t.test(heading, async () => {
      for (const [n, line] of lines.entries()) {
        const tool = line.match(/^\$ harkctl (.*)$/);
        if (tool) {
          await hub.ctl(...substitute(tool[1], bound).match(/'[^']*'|\S+/g).map((word) => word.replace(/^'|'$/g, '')));
          continue;
        }
        const closing = line.match(/^(\w+) closes$/);
        if (closing) {
          people.get(closing[1]).socket.terminate();
          people.delete(closing[1]);
          continue;
        }
        const [, name, direction, text] = line.match(/^(\w+) ([<>]) (.*)$/) ?? assert.fail(`not a line of an example: ${line}`);
        if (!people.has(name)) {
          people.set(name, new Person(hub, users[name.replace(/\d+$/, '')]?.token));
          await people.get(name).opened;
        }
        if (direction === '>') {
          const request = substitute(text, bound);
          if (!WRONG.test(lines[n + 1])) checkIn(JSON.parse(request));
          people.get(name).socket.send(request);
        } else await people.get(name).take(JSON.parse(text), bound);
      }
      for (const [name, person] of people) {
        await person.settle(bound);
        assert.deepEqual(person.queue, [], `${name} received what the example does not show`);
      }
    });
  for (const person of people.values()) person.socket.terminate();
});
