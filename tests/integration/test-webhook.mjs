// SPDX-License-Identifier: LGPL-2.1-or-later
// A back end that is told by HTTP what clients say: one that fails, hangs, goes away and comes back.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hub, PATIENCE_MS } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { connect } from './lib/socketio.mjs';

const SECRET = 'a secret of the tests';

// Answers what `behave` says: a status, or null to say nothing at all.
class BackEnd {
  static async start(port = 0) {
    const self = new BackEnd();
    self.requests = [];
    self.waiters = [];
    self.behave = () => 200;
    self.server = http.createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const seen = { headers: request.headers, body, ...JSON.parse(body) };
        self.requests.push(seen);
        const status = self.behave(seen);
        seen.status = status;
        if (status !== null) response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('heard');
        self.waiters.splice(0).forEach((wake) => wake());
      });
    });
    self.server.listen(port, '127.0.0.1');
    await once(self.server, 'listening');
    self.port = self.server.address().port;
    return self;
  }

  // Each once: what came too late for the hub comes again.
  get taken() {
    return [...new Map(this.requests.filter(({ status }) => status === 200).map(({ id, data }) => [id, data.content?.message])).values()];
  }

  async until(done) {
    const late = setTimeout(() => { this.late = true; this.waiters.splice(0).forEach((wake) => wake()); }, PATIENCE_MS);
    while (!done()) {
      assert.ok(!this.late, `taken: ${this.taken}`);
      await new Promise((resolve) => this.waiters.push(resolve));
    }
    clearTimeout(late);
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

let hub, backEnd, directory, ann;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hark-webhook-'));
  await writeFile(join(directory, 'secret'), `${SECRET}\n`);
  backEnd = await BackEnd.start();
  hub = await Hub.start({ settings: {
    'webhook.url': `http://127.0.0.1:${backEnd.port}/hook`, 'webhook.secret-file': join(directory, 'secret'),
    'webhook.timeout': '500ms', 'limits.client-messages-per-second': 0, 'socketio.namespaces': '/orders',
  } });
  ann = await hub.user('ann');
});
after(async () => {
  await hub.stop();
  await backEnd.stop();
  await rm(directory, { recursive: true });
});

function check({ headers, body }) {
  const timestamp = headers['x-hark-timestamp'];
  const expected = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
  assert.equal(headers['x-hark-signature'], `sha256=${expected}`);
  assert.ok(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300);
  assert.equal(headers['x-hark-delivery'], JSON.parse(body).id);
  assert.equal(headers['content-type'], 'application/json');
}

test('004-4: {"message": …} without a type is posted, signed, and gets no answer that nobody asked for', async () => {
  const client = await Client.connect(hub, ann.token);
  client.socket.send(JSON.stringify({ message: 'hi', more: [1, { a: null }] }));
  await backEnd.until(() => backEnd.taken.length === 1);
  const [request] = backEnd.requests;
  check(request);
  assert.equal(request.headers['x-hark-event'], 'client_message');
  assert.equal(request.kind, 'client_message');
  assert.deepEqual(request.data, {
    session_id: client.welcome.session, user_id: ann.id, username: 'ann', content: { message: 'hi', more: [1, { a: null }] },
  });
  assert.deepEqual(await client.drain(), []);
  await client.close();
});

test('a back end that fails, redirects or hangs is told again, in order, and in the end takes each', async () => {
  const client = await Client.connect(hub, ann.token);
  const refusals = [500, 302, null];
  backEnd.requests.length = 0;
  backEnd.behave = () => (refusals.length > 0 ? refusals.shift() : 200);
  for (const message of ['a', 'b', 'c']) await client.request('client_message', { message });
  await backEnd.until(() => backEnd.taken.length === 3);
  assert.deepEqual(backEnd.taken, ['a', 'b', 'c']);
  assert.deepEqual(backEnd.requests.slice(0, 4).map(({ status }) => status), [500, 302, null, 200]);
  assert.equal(new Set(backEnd.requests.slice(0, 4).map(({ id }) => id)).size, 1, 'the id is that of the delivery, not of the attempt');
  backEnd.requests.forEach(check);
  const metrics = await (await fetch(`${hub.origin}/metrics`)).text();
  assert.ok(Number(metrics.match(/^hark_webhook_failed_total (\d+)$/m)[1]) >= 3);
  await client.close();
});

test('what Socket.IO clients emit in a namespace of the back end\'s comes there, too', async () => {
  const socket = await connect(hub, '/orders', ann.token);
  backEnd.requests.length = 0;
  socket.emit('place', { item: 7, note: 'é' }, Buffer.from([1, 2]));
  await backEnd.until(() => backEnd.requests.length > 0);
  const [{ kind, data }] = backEnd.requests;
  assert.equal(kind, 'socketio_event');
  assert.deepEqual({ ...data, session: '' }, { namespace: '/orders', socket: socket.id, session: '', user_id: ann.id, event: 'place',
                                               args: [{ item: 7, note: 'é' }, { $binary: 'AQI=' }] });
  backEnd.requests.forEach(check);
  backEnd.requests.length = 0;
  socket.disconnect();
});

test('what is acknowledged survives kill -9 of the hub while the back end is down, and comes in order when it is back', async () => {
  let client = await Client.connect(hub, ann.token);
  const { port } = backEnd;
  await backEnd.stop();
  for (let i = 0; i < 20; i++) await client.request('client_message', { message: `m${i}` });
  await hub.kill9();
  await hub.spawn();
  backEnd = await BackEnd.start(port);
  client = await Client.connect(hub, ann.token);
  await client.request('client_message', { message: 'last' });
  await backEnd.until(() => backEnd.taken.includes('last'));
  assert.deepEqual(backEnd.taken, [...Array.from({ length: 20 }, (_, i) => `m${i}`), 'last']);
  backEnd.requests.forEach(check);
  await client.close();
});

test('killed between taking and striking off, a delivery is repeated under its id, and none is lost', async () => {
  let client = await Client.connect(hub, ann.token);
  backEnd.requests.length = 0;
  let killed;
  backEnd.behave = ({ data }) => {
    if (data.content.message !== 'x3' || killed) return 200;
    killed = hub.kill9();
    return 200;
  };
  for (let i = 0; i < 8 && !killed; i++) await client.request('client_message', { message: `x${i}` }).catch(() => {});
  await backEnd.until(() => killed !== undefined);
  await killed;
  await hub.spawn();
  client = await Client.connect(hub, ann.token);
  await client.request('client_message', { message: 'end' });
  await backEnd.until(() => backEnd.taken.includes('end'));
  const ids = new Map();
  for (const { id, data } of backEnd.requests) {
    assert.ok(!ids.has(id) || ids.get(id) === data.content.message);
    ids.set(id, data.content.message);
  }
  const once = [...ids.values()];
  assert.deepEqual(once.slice(0, 4), ['x0', 'x1', 'x2', 'x3']);
  assert.equal(new Set(once).size, once.length);
  await client.close();
});
