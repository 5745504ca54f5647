// SPDX-License-Identifier: LGPL-2.1-or-later
// npm `socket.io-client`, unmodified, in its versions, and its ways to connect.
import { io as io4 } from 'socket.io-client';
import io3 from 'socket.io-client-3';
import { PATIENCE_MS } from './hub.mjs';

export const VERSIONS = { 3: io3.io ?? io3, 4: io4 };
export const MODES = {
  'polling alone': { transports: ['polling'] },
  'WebSocket alone': { transports: ['websocket'] },
  'polling upgraded to WebSocket': { transports: ['polling', 'websocket'] },
};

export function once(socket, event, match = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`"${event}" did not come`)), PATIENCE_MS).unref();
    const listener = (...args) => {
      if (!match(...args)) return;
      clearTimeout(timer);
      socket.off(event, listener);
      resolve(args);
    };
    socket.on(event, listener);
  });
}

// One of a connection of its own.
export async function connect(origin, namespace, user, { version = 4, mode = MODES['WebSocket alone'], ...options } = {}) {
  const socket = VERSIONS[version](`${origin}${namespace}`, {
    forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 50, auth: { token: user.token }, ...mode, ...options,
  });
  const failed = new Promise((resolve, reject) => socket.once('connect_error', (error) => {
    // Who goes on trying may fail now and then.
    if (options.reconnection === undefined) reject(error);
  }));
  failed.catch(() => {});
  try {
    if (!socket.connected) await Promise.race([once(socket, 'connect'), failed]);
  } catch (error) {
    // It would try again for as long as there is a process.
    socket.disconnect();
    throw error;
  }
  return socket;
}

// Every event of that name from now on, by what `key` makes of it.
export function collect(socket, event, key) {
  const all = [];
  socket.on(event, (...args) => all.push(key(...args)));
  return all;
}

export async function until(condition, what) {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`it did not happen that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function request(socket, event, ...args) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`"${event}" was not acknowledged`)), PATIENCE_MS);
    socket.emit(event, ...args, (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}
