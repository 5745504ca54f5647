// SPDX-License-Identifier: LGPL-2.1-or-later
// Socket.IO by hand: an Engine.IO 4 session on a WebSocket, on which tests send and read packets as bytes.
import WebSocket from 'ws';
import { PATIENCE_MS } from './hub.mjs';

export class Raw {
  // Opened, and nothing said yet.
  static async open(origin) {
    const self = new Raw();
    self.socket = new WebSocket(`${origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    self.queue = [];
    self.waiting = [];
    self.socket.on('message', (data, isBinary) => self.take(isBinary ? data : data.toString()));
    self.socket.on('error', () => {});
    self.closed = new Promise((resolve) => self.socket.on('close', (code) => resolve(code)));
    self.closed.then(() => self.take(null));
    self.handshake = JSON.parse((await self.packet()).slice(1));
    return self;
  }

  // With a namespace connected.
  static async connect(origin, token, namespace = '/') {
    const self = await Raw.open(origin);
    self.answer = await self.join(token, namespace);
    return self;
  }

  take(packet) {
    if (packet === '2') this.socket.send('3');
    else if (this.waiting.length > 0) this.waiting.shift()(packet);
    else this.queue.push(packet);
  }

  // The next packet, a string or a Buffer; null when the connection has closed.
  packet() {
    if (this.queue.length > 0) return Promise.resolve(this.queue.shift());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no packet came')), PATIENCE_MS);
      this.waiting.push((packet) => {
        clearTimeout(timer);
        resolve(packet);
      });
    });
  }

  send(...packets) {
    for (const packet of packets) this.socket.send(packet);
  }

  // What the server answers to a CONNECT. What it says of itself after it is no matter of the protocol's.
  async join(token, namespace = '/') {
    const prefix = namespace === '/' ? '' : `${namespace},`;
    this.send(`40${prefix}${JSON.stringify({ token })}`);
    for (;;) {
      const packet = await this.packet();
      if (packet === null || packet.startsWith(`40${prefix}`) || packet.startsWith(`44${prefix}`)) return packet;
    }
  }

  // The next packet that starts like that.
  async until(start) {
    for (;;) {
      const packet = await this.packet();
      if (packet === null) throw new Error(`closed before ${start} came`);
      if (typeof packet === 'string' && packet.startsWith(start)) return packet;
    }
  }

  // Whether it is still there, and everything that was sent before has been looked at.
  async alive(namespace = '/') {
    const prefix = namespace === '/' ? '' : `${namespace},`;
    this.send(`42${prefix}4711["${namespace === '/chat' ? 'message' : 'ping'}",{"data":1,"message":"alive","username":"x","timestamp":1}]`);
    await this.until(`43${prefix}4711[`);
  }

  close() {
    this.socket.terminate();
  }
}
