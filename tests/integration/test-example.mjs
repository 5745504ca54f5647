// SPDX-License-Identifier: LGPL-2.1-or-later
// doc/examples/chat.py, which was written from doc/protocol.md alone: it lists, says, hears, comes back and resumes.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Hub } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { community } from './lib/community.mjs';

const example = fileURLToPath(new URL('../../doc/examples/chat.py', import.meta.url));

class Example {
  constructor(hub, token, channel) {
    this.process = spawn('python3', [example, `127.0.0.1:${hub.port}`, channel],
                         { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, HARK_TOKEN: token } });
    this.exited = once(this.process, 'exit').then(([code]) => code);
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    this.errors = '';
    this.process.stderr.on('data', (data) => { this.errors += data; });
  }

  say(text) { this.process.stdin.write(`${text}\n`); }

  async line() {
    const { value, done } = await this.lines.next();
    assert.ok(!done, `it ended:\n${this.errors}`);
    return value;
  }

  async prints(...expected) {
    for (const line of expected) assert.equal(await this.line(), line);
  }
}

test('the client written from protocol.md lists, says, hears and resumes, and loses and doubles nothing', async (t) => {
  const hub = await Hub.start();
  t.after(() => hub.stop());
  const { users, server, channels } = await community(hub, ['ann', 'bob'], ['general', 'other']);
  const channel = channels.general;
  const ann = await Client.connect(hub, users.ann.token);
  await ann.request('get_messages', { channel_id: channel });
  await ann.request('message', { channel, message: 'before' });
  const bob = new Example(hub, users.bob.token, 'general');
  await bob.prints('Harbour / general (1 unread)', 'Harbour / other (0 unread)', 'ann: before', 'connected');
  await ann.request('message', { channel, message: 'hello, bob' });
  await bob.prints('ann: hello, bob');
  bob.say('hello, ann – “ça va?” 🚢');
  await bob.prints('bob: hello, ann – “ça va?” 🚢');
  for (const wanted of ['before', 'hello, bob', 'hello, ann – “ça va?” 🚢'])
    assert.equal((await ann.event('message')).message, wanted);
  // Cut, again and again, with something said by both meanwhile.
  for (let round = 0; round < 3; round++) {
    const [session] = (await hub.ctl('sessions', 'list')).filter((s) => s.username === 'bob');
    await hub.ctl('sessions', 'disconnect', session.session_id);
    await ann.request('message', { channel, message: `missed ${round}` });
    // By the resume or, when it was sooner, by the event.
    assert.deepEqual([await bob.line(), await bob.line()].sort(), [`ann: missed ${round}`, 'connected']);
  }
  bob.say('over and out');
  bob.process.stdin.end();
  assert.equal(await bob.exited, 0, bob.errors);
  const { messages } = await ann.request('get_messages', { channel_id: channel });
  assert.deepEqual(messages.map((m) => m.message),
                   ['before', 'hello, bob', 'hello, ann – “ça va?” 🚢', 'missed 0', 'missed 1', 'missed 2', 'over and out']);
  await ann.close();
  const refused = new Example(hub, 'not-a-token-of-ours', 'general');
  assert.equal(await refused.exited, 1);
  assert.match(refused.errors, /closed: 401/);
});
