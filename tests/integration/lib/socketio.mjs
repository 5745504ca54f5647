// SPDX-License-Identifier: LGPL-2.1-or-later
// npm socket.io-client, unmodified, with what tests want of it: events that are awaited, and requests.
import { io, Manager } from 'socket.io-client';
import { once } from 'node:events';
import { PATIENCE_MS } from './hub.mjs';

export const MODES = [['polling'], ['websocket'], ['polling', 'websocket']];

// Fails with what was waited for.
export function patient(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// What a socket is sent, in order, to be taken one by one.
export class Inbox {
  constructor(socket) {
    this.socket = socket;
    this.items = [];
    this.waiters = [];
    socket.onAny((name, ...args) => {
      const at = this.waiters.findIndex((waiter) => waiter.match(name, args));
      if (at >= 0) this.waiters.splice(at, 1)[0].resolve(args);
      else this.items.push({ name, args });
    });
  }

  // The arguments of the next event of this name.
  next(name, where = () => true) {
    const match = (other, args) => other === name && where(...args);
    const at = this.items.findIndex((item) => match(item.name, item.args));
    if (at >= 0) return Promise.resolve(this.items.splice(at, 1)[0].args);
    return patient(new Promise((resolve) => this.waiters.push({ match, resolve })), `${this.socket.nsp}: "${name}"`);
  }

  // Those there are of this name, without waiting.
  all(name) {
    return this.items.filter((item) => item.name === name).map((item) => item.args);
  }
}

export function manager(hub, transports, options = {}) {
  return new Manager(hub.origin, { transports, reconnection: false, forceNew: true, ...options });
}

export function socket(hub, nsp, token, { transports = ['websocket'], auth, of, ...options } = {}) {
  const given = auth ?? (token ? { token } : undefined);
  const made = of ? of.socket(nsp, { auth: given })
                  : io(hub.origin + nsp, { transports, reconnection: false, forceNew: true, auth: given, ...options });
  made.inbox = new Inbox(made);
  return made;
}

// A connected socket.
export async function connect(hub, nsp, token, options) {
  const made = socket(hub, nsp, token, options);
  await connected(made);
  return made;
}

export function connected(made) {
  if (made.connected) return Promise.resolve();
  return patient(new Promise((resolve, reject) => {
    made.once('connect', resolve);
    made.once('connect_error', reject);
  }), `${made.nsp}: to be connected`);
}

// How a connection is refused.
export function refused(made) {
  return patient(new Promise((resolve, reject) => {
    made.once('connect_error', resolve);
    made.once('connect', () => reject(new Error('it was let in')));
  }), 'a refusal');
}

export function event(emitter, name) {
  return patient(new Promise((resolve) => emitter.once(name, (...args) => resolve(args))), `"${name}"`);
}

export function request(made, name, ...args) {
  return patient(made.emitWithAck ? made.emitWithAck(name, ...args)
                                  : new Promise((resolve) => made.emit(name, ...args, resolve)), `the reply to "${name}"`);
}
