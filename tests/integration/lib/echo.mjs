// SPDX-License-Identifier: LGPL-2.1-or-later
// The Engine.IO server that sends back what it gets (tests/engineio/echo-server.c), and bare requests to it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import http from 'node:http';
import net from 'node:net';
import WebSocket from 'ws';

const build = process.env.HARK_BUILD_DIR;
if (!build) throw new Error('HARK_BUILD_DIR must name the build directory');

export class Echo {
  static async start(...args) {
    const self = new Echo();
    self.ends = new Map();
    self.process = spawn(join(build, 'tests/engineio/engineio-echo'), ['--verbose', ...args, '0'],
                         { stdio: ['ignore', 'pipe', 'inherit'] });
    self.exited = once(self.process, 'exit');
    self.lines = createInterface({ input: self.process.stdout });
    const ready = new Promise((resolve) => {
      self.lines.on('line', (line) => {
        const listening = line.match(/^listening on .*:(\d+)$/);
        if (listening) resolve(Number(listening[1]));
        const closed = line.match(/^closed (\S+) (\d+) (.*)$/);
        if (closed) self.ends.set(closed[1], { code: Number(closed[2]), reason: closed[3] });
      });
    });
    self.port = await Promise.race([ready, self.exited.then(() => { throw new Error('the server did not start'); })]);
    self.agent = new http.Agent({ keepAlive: true });
    return self;
  }

  // Fails when it had to be killed, or a sanitizer had something to say.
  async stop() {
    this.agent.destroy();
    this.process.kill('SIGTERM');
    const [code, signal] = await this.exited;
    if (code !== 0) throw new Error(`the server ended with ${code ?? signal}`);
  }

  get url() { return `http://127.0.0.1:${this.port}/engine.io/`; }
  get socketUrl() { return `ws://127.0.0.1:${this.port}/engine.io/`; }

  async endOf(sid) {
    while (!this.ends.has(sid)) await once(this.lines, 'line');
    return this.ends.get(sid);
  }

  // → { status, headers, text }
  request(query, { method = 'GET', body, headers = {}, agent = this.agent } = {}) {
    return new Promise((resolve, reject) => {
      const request = http.request(`${this.url}?${query}`, { method, headers, agent }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({
          status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString(),
        }));
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  async open() {
    const { status, text } = await this.request('EIO=4&transport=polling');
    if (status !== 200 || text[0] !== '0') throw new Error(`no open packet: ${status} ${text}`);
    return JSON.parse(text.slice(1)).sid;
  }

  poll(sid, options) { return this.request(`EIO=4&transport=polling&sid=${sid}`, options); }
  post(sid, body, options) { return this.request(`EIO=4&transport=polling&sid=${sid}`, { method: 'POST', body, ...options }); }

  // A poll, and the moment at which it is known to wait.
  async wait(sid) {
    const answer = this.poll(sid);
    await this.waiting();
    return { answer };
  }

  async figure(name) {
    const text = await new Promise((resolve, reject) => {
      http.get(`http://127.0.0.1:${this.port}/metrics`, (response) => {
        let all = '';
        response.on('data', (chunk) => { all += chunk; });
        response.on('end', () => resolve(all));
      }).on('error', reject);
    });
    return Number(text.match(new RegExp(`^${name} (\\S+)$`, 'm'))?.[1]);
  }

  async waiting(n = 1) {
    while (await this.figure('hark_polls_waiting') < n) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  socket(query = 'EIO=4&transport=websocket', options) { return Socket.open(`${this.socketUrl}?${query}`, options); }
  probe(sid) { return this.socket(`EIO=4&transport=websocket&sid=${sid}`); }

  // Bytes, as they are. → all that comes back until the server closes or has been quiet
  raw(...pieces) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.port, '127.0.0.1');
      const chunks = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', reject);
      socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
      socket.on('connect', async () => {
        for (const piece of pieces) {
          if (typeof piece === 'number') await new Promise((done) => setTimeout(done, piece));
          else socket.write(piece);
        }
      });
    });
  }
}

// A WebSocket whose messages are read one after another.
export class Socket {
  static async open(url, options) {
    const self = new Socket();
    self.messages = [];
    self.waiters = [];
    self.socket = new WebSocket(url, options);
    self.socket.on('message', (data, binary) => self.take(binary ? data : data.toString()));
    self.closed = once(self.socket, 'close').then(([code, reason]) => ({ code, reason: reason.toString() }));
    self.closed.then(() => self.take(null));
    await new Promise((resolve, reject) => {
      self.socket.once('open', resolve);
      self.socket.once('unexpected-response', (request, response) => {
        let text = '';
        response.on('data', (chunk) => { text += chunk; });
        response.on('end', () => reject(Object.assign(new Error(`HTTP ${response.statusCode}`),
                                                      { status: response.statusCode, text, headers: response.headers })));
      });
      self.socket.once('error', reject);
    });
    self.socket.on('error', () => {});
    return self;
  }

  take(message) {
    const waiter = this.waiters.shift();
    if (waiter) waiter(message); else this.messages.push(message);
  }

  // → the next message; null when the connection has closed
  next() {
    return this.messages.length > 0 ? Promise.resolve(this.messages.shift())
                                    : new Promise((resolve) => { this.waiters.push(resolve); });
  }

  send(data) { this.socket.send(data); }
  cut() { this.socket.terminate(); }
}
