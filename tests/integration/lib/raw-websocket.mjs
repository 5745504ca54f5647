// SPDX-License-Identifier: LGPL-2.1-or-later
// A WebSocket on a plain socket, for tests that must send half a frame, or not read: bytes out, bytes in.
import { once } from 'node:events';
import { connect } from 'node:net';

const MASK = Buffer.from([1, 2, 3, 4]);

// A client's frame, masked. first: FIN and opcode, as in RFC 6455 section 5.2.
export function frame(first, text) {
  const payload = Buffer.from(text);
  const header = payload.length < 126 ? Buffer.from([first, 0x80 | payload.length])
    : Buffer.from([first, 0x80 | 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([header, MASK, payload.map((byte, i) => byte ^ MASK[i % 4])]);
}

export class RawWebSocket {
  static async connect(hub, token) {
    const self = new RawWebSocket();
    self.received = Buffer.alloc(0);
    self.waiters = [];
    self.socket = connect(hub.port, '127.0.0.1');
    self.ended = new Promise((resolve) => self.socket.on('close', () => resolve('closed')));
    self.socket.on('error', () => {});
    await once(self.socket, 'connect');
    self.socket.setNoDelay(true);
    self.socket.write(`GET /ws/${token}/ HTTP/1.1\r\nHost: 127.0.0.1:${hub.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    const head = new Promise((resolve) => {
      const onData = (data) => {
        self.received = Buffer.concat([self.received, data]);
        const end = self.received.indexOf('\r\n\r\n');
        if (end < 0) return;
        self.received = self.received.subarray(end + 4);
        self.socket.off('data', onData);
        self.socket.on('data', (more) => { self.received = Buffer.concat([self.received, more]); self.wake(); });
        resolve();
      };
      self.socket.on('data', onData);
    });
    await head;
    return self;
  }

  wake() {
    for (const waiter of this.waiters.splice(0)) waiter();
  }

  async write(bytes) {
    await new Promise((resolve) => this.socket.write(bytes, resolve));
  }

  // The next whole frame: { opcode, text }. What is left over waits.
  async frame() {
    for (;;) {
      const bytes = this.received;
      const short = bytes.length >= 2 ? bytes[1] & 127 : 0;
      const header = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (bytes.length >= header && bytes.length >= 2) {
        const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
        if (bytes.length >= header + length) {
          this.received = bytes.subarray(header + length);
          return { opcode: bytes[0] & 15, text: bytes.subarray(header, header + length).toString() };
        }
      }
      const more = new Promise((resolve) => this.waiters.push(() => resolve('more')));
      if (await Promise.race([more, this.ended]) === 'closed') throw new Error(`cut, with ${this.received.length} bytes of a frame`);
    }
  }

  async message() {
    const { opcode, text } = await this.frame();
    if (opcode !== 1) throw new Error(`frame of opcode ${opcode}: ${text}`);
    return JSON.parse(text);
  }

  // What the test is told, up to a message of that type.
  async until(type) {
    for (;;) {
      const message = await this.message();
      if (message.type === type) return message;
    }
  }

  destroy() {
    this.socket.destroy();
  }
}
