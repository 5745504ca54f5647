// SPDX-License-Identifier: LGPL-2.1-or-later
// A client of the native protocol on npm `ws`, for tests: requests as promises, everything else in order in `events`.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import WebSocket from 'ws';
import { PATIENCE_MS } from './hub.mjs';
import { checkIn, readFrame } from './schema.mjs';

// With these a request is refused because it is wrong in itself.
const WRONG = ['bad_request', 'unknown_type', 'too_large'];

export class RequestError extends Error {
  constructor(reply) {
    super(`${reply.code}: ${reply.message}`);
    this.code = reply.code;
    this.reply = reply;
  }
}

export class Client {
  static async connect(hub, token, { query = '', ...options } = {}) {
    const self = new Client(new WebSocket(hub.url(token, query), options));
    await self.opened;
    self.welcome = await self.event((m) => m.type === 'welcome');
    return self;
  }

  constructor(socket) {
    this.socket = socket;
    this.events = [];
    this.frames = [];
    this.waiting = new Map();
    this.waiters = [];
    this.nextRef = 1;
    this.opened = once(socket, 'open');
    this.closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
    this.closed.then(({ code, reason }) => this.giveUp(new Error(`closed: ${code} ${reason}`)));
    socket.on('error', () => {});
    socket.on('message', (data) => this.receive(this.read(data)));
  }

  giveUp(error) {
    for (const { reject } of this.waiting.values()) reject(error);
    for (const { reject } of this.waiters) reject(error);
    this.waiting.clear();
    this.waiters = [];
  }

  // A frame that is not as its schema has it fails the test, whether somebody waits for it or not.
  read(data) {
    try {
      return readFrame(data);
    } catch (error) {
      this.giveUp(error);
      throw error;
    }
  }

  receive(message) {
    this.frames.push(message);
    const pending = message.ref !== undefined ? this.waiting.get(message.ref) : undefined;
    if (pending) {
      this.waiting.delete(message.ref);
      if (message.type === 'error') pending.reject(new RequestError(message));
      else pending.resolve(message);
      return;
    }
    const waiter = this.waiters.findIndex(({ match }) => match(message));
    if (waiter >= 0) this.waiters.splice(waiter, 1)[0].resolve(message);
    else this.events.push(message);
  }

  // invalid: what is asked is not as the schema has it, and meant so.
  request(type, fields = {}, { invalid = false } = {}) {
    const ref = this.nextRef++;
    if (!invalid) checkIn({ type, ref, ...fields });
    return this.within(new Promise((resolve, reject) => {
      this.waiting.set(ref, { resolve, reject });
      this.socket.send(JSON.stringify({ type, ref, ...fields }));
    }), `a reply to ${type}`);
  }

  async fails(code, type, fields = {}) {
    try {
      const reply = await this.request(type, fields, { invalid: WRONG.includes(code) });
      assert.fail(`${type} was expected to fail with ${code} and gave ${JSON.stringify(reply)}`);
    } catch (error) {
      assert.equal(error.code, code, error.message);
      return error.reply;
    }
  }

  // The next event that matches, taken out of the queue.
  event(match) {
    const test = typeof match === 'string' ? (m) => m.type === match : match;
    const found = this.events.findIndex(test);
    if (found >= 0) return Promise.resolve(this.events.splice(found, 1)[0]);
    return this.within(new Promise((resolve, reject) => this.waiters.push({ match: test, resolve, reject })), `an event ${match}`);
  }

  // When this has resolved, everything the hub had queued for this session before has arrived.
  async fence() {
    await this.fails('unknown_type', 'fence-of-the-tests');
  }

  // Everything that has come unasked, after a fence.
  async drain() {
    await this.fence();
    return this.events.splice(0);
  }

  within(promise, what) {
    let timer;
    const late = new Promise((resolve, reject) => { timer = setTimeout(() => reject(new Error(`no ${what} came`)), PATIENCE_MS); });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }

  async close() {
    this.socket.close();
    return this.closed;
  }
}

// How a handshake is refused: the HTTP status.
export async function refusal(url, options = {}) {
  const socket = new WebSocket(url, options.protocols ?? [], options);
  socket.on('error', () => {});
  const outcome = await new Promise((resolve) => {
    socket.on('unexpected-response', (request, response) => resolve({ status: response.statusCode, headers: response.headers }));
    socket.on('open', () => resolve({ status: 101 }));
  });
  socket.terminate();
  return outcome;
}
