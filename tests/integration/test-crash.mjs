// SPDX-License-Identifier: LGPL-2.1-or-later
// kill -9 under load, again and again: no acknowledged message is lost, none is there twice, the file is sound, and the
// daemon is ready again within two seconds. HARK_LONG=1: a thousand times.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import WebSocket from 'ws';
import { Hub } from './lib/hub.mjs';
import { community } from './lib/community.mjs';
import { readFrame } from './lib/schema.mjs';

const CYCLES = process.env.HARK_LONG ? 1000 : 100;
const SENDERS = 8, WINDOW = 16;

class Sender {
  constructor(hub, token, channel, name) {
    Object.assign(this, { hub, token, channel, name, next: 0, acked: new Map(), open: new Map() });
  }

  start() {
    return new Promise((resolve) => {
      this.socket = new WebSocket(this.hub.url(this.token));
      this.socket.on('error', () => {});
      this.ended = new Promise((done) => this.socket.on('close', done));
      this.socket.on('message', (data) => {
        const message = readFrame(data);
        if (message.type === 'welcome') {
          // What was under way when the daemon died is sent again under its old id: stored or not, once.
          for (const id of this.open.keys()) this.send(id);
          while (this.open.size < WINDOW) this.sendNext();
          resolve();
        } else if (message.type === 'message' && message.ref !== undefined) {
          const before = this.acked.get(message.id);
          if (before !== undefined) assert.equal(before, message.message_id);
          this.acked.set(message.id, message.message_id);
          this.open.delete(message.id);
          this.sendNext();
        }
      });
    });
  }

  sendNext() {
    const id = `${this.name}-${this.next++}`;
    this.open.set(id, true);
    this.send(id);
  }

  send(id) {
    if (this.socket.readyState === WebSocket.OPEN)
      this.socket.send(JSON.stringify({ type: 'message', ref: 1, channel: this.channel, message: id, id }));
  }
}

test(`killed ${CYCLES} times under load, nothing acknowledged is lost and nothing is doubled`, { timeout: 3600000 }, async (t) => {
  const hub = await Hub.start({ settings: { 'log.level': 'notice' } });
  t.after(() => hub.stop());
  const { users, channels } = await community(hub, ['ann', 'bob']);
  const senders = [...Array(SENDERS).keys()].map((i) => new Sender(hub, (i % 2 ? users.ann : users.bob).token, channels.general, `s${i}`));
  const database = join(hub.directory, 'hark.db');
  let slowest = 0, acknowledgedInAll = 0;
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await Promise.all(senders.map((sender) => sender.start()));
    const target = acknowledgedInAll + 20 + (cycle * 37) % 200;
    await new Promise((resolve) => {
      const look = () => (senders.reduce((n, s) => n + s.acked.size, 0) >= target ? resolve() : setImmediate(look));
      look();
    });
    await hub.kill9();
    await Promise.all(senders.map((sender) => sender.ended));
    acknowledgedInAll = senders.reduce((n, s) => n + s.acked.size, 0);
    if (cycle % 10 === 9 || cycle === CYCLES - 1) {
      const out = execFileSync('sqlite3', [database, 'PRAGMA integrity_check']).toString().trim();
      assert.equal(out, 'ok');
    }
    const started = performance.now();
    await hub.spawn();
    slowest = Math.max(slowest, performance.now() - started);
  }
  await hub.end();
  const rows = execFileSync('sqlite3', ['-json', database, 'SELECT message_id, text FROM messages'], { maxBuffer: 1 << 30 }).toString();
  const stored = JSON.parse(rows);
  const byText = new Map();
  for (const row of stored) {
    assert.ok(!byText.has(row.text), `${row.text} is stored twice`);
    byText.set(row.text, String(row.message_id));
  }
  for (const sender of senders)
    for (const [id, messageId] of sender.acked) assert.equal(byText.get(id), messageId, `${id} was acknowledged`);
  assert.equal(execFileSync('sqlite3', [database, 'PRAGMA integrity_check']).toString().trim(), 'ok');
  t.diagnostic(`${acknowledgedInAll} acknowledged, ${stored.length} stored; slowest start ${Math.round(slowest)} ms`);
  assert.ok(slowest < 2000 * (process.env.HARK_SLOW ? 10 : 1), `ready again after ${slowest} ms`);
  hub.process.exitCode ?? await hub.exited;
});
