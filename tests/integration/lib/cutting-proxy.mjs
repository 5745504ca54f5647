// SPDX-License-Identifier: LGPL-2.1-or-later
// A TCP proxy that cuts each connection after a number of bytes, which a seeded generator chooses: in the middle of a
// frame, of a head, of a handshake.
import net from 'node:net';
import { once } from 'node:events';

// Mulberry32: small, and the same everywhere for the same seed.
export function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

export class CuttingProxy {
  // cutting: false lets everything through until it is set.
  static async start(port, { seed = 1, least = 200, most = 6000 } = {}) {
    const self = new CuttingProxy();
    self.pick = random(seed);
    self.cutting = true;
    self.cuts = 0;
    self.sockets = new Set();
    self.server = net.createServer({ allowHalfOpen: true }, (client) => self.accept(client, port, least, most));
    self.server.listen(0, '127.0.0.1');
    await once(self.server, 'listening');
    self.port = self.server.address().port;
    return self;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  accept(client, port, least, most) {
    const upstream = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    // One in four lasts: what a client has missed comes in one answer, and might be longer than any that is cut early.
    let left = this.pick(4) === 0 ? 10 * most : least + this.pick(most - least);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      this.sockets.add(from);
      from.on('error', end);
      from.on('end', () => to.end());
      from.on('close', (failed) => {
        this.sockets.delete(from);
        if (failed) end();
      });
      from.on('data', (data) => {
        if (!this.cutting || data.length < left) {
          left -= this.cutting ? data.length : 0;
          to.write(data);
          return;
        }
        this.cuts++;
        to.write(data.subarray(0, left), end);
      });
    }
  }

  // Nothing goes through, and nothing is lost, until release().
  hold() {
    for (const socket of this.sockets) socket.pause();
  }

  release() {
    for (const socket of this.sockets) socket.resume();
  }

  // Everything that is open is cut now.
  cut() {
    for (const socket of this.sockets) socket.destroy(new Error('cut'));
  }

  async stop() {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }
}
