// SPDX-License-Identifier: LGPL-2.1-or-later
// Another program in the place of the running one, under its clients' feet: they go on as if nothing had been.
import { test } from 'node:test';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { io } from 'socket.io-client';
import assert from 'node:assert/strict';
import { Hub, harkd } from './lib/hub.mjs';
import { Client } from './lib/client.mjs';
import { RawWebSocket, frame } from './lib/raw-websocket.mjs';
import { community } from './lib/community.mjs';

const TEXT = 1, CONTINUATION = 0, FIN = 0x80;

async function scene(t, options = {}) {
  const hub = await Hub.start(options);
  t.after(() => hub.stop());
  const { users, server, channels } = await community(hub, ['ann', 'bob']);
  return { hub, users, server, channel: channels.general };
}

test('sessions go on: what they had subscribed to reaches them, and nobody is told that anything was', async (t) => {
  const { hub, users, channel } = await scene(t);
  const ann = await Client.connect(hub, users.ann.token), bob = await Client.connect(hub, users.bob.token);
  await ann.request('get_messages', { channel_id: channel });
  await bob.request('get_messages', { channel_id: channel });
  const before = await hub.ctl('sessions');
  const pid = hub.process.pid;
  await hub.upgrade();
  assert.equal(hub.process.pid, pid);
  assert.equal(hub.process.exitCode, null);
  assert.deepEqual(await ann.drain(), []);
  await bob.request('message', { channel, message: 'after' });
  assert.equal((await ann.event('message')).message, 'after');
  const after = await hub.ctl('sessions');
  const lasting = ({ session_id, user_id, address, since, subscriptions }) => ({ session_id, user_id, address, since, subscriptions });
  assert.deepEqual(after.map(lasting), before.map(lasting));
  assert.equal((await hub.ctl('metrics'))['hark_sessions_restored_total'], 2);
});

test('a message in fragments, and a frame that is cut in its header, go on where they were', async (t) => {
  const { hub, users } = await scene(t);
  const request = JSON.stringify({ type: 'ping', ref: 'whole' });
  const cases = [];
  for (const cut of [1, 3, 5, 9, 20]) {
    const bytes = Buffer.concat([frame(TEXT, request.slice(0, 7)), frame(CONTINUATION, request.slice(7, 15)), frame(FIN | 9, 'between'),
                                 frame(FIN | CONTINUATION, request.slice(15))]);
    const client = await RawWebSocket.connect(hub, users.ann.token);
    await client.until('welcome');
    await client.write(bytes.subarray(0, cut));
    cases.push({ client, rest: bytes.subarray(cut) });
  }
  // What was written is read before the daemon stops reading: a request behind it is answered.
  await new Promise((resolve) => setImmediate(resolve));
  await hub.upgrade();
  for (const { client, rest } of cases) {
    await client.write(rest);
    const frames = [await client.frame(), await client.frame()].sort((a, b) => a.opcode - b.opcode);
    assert.equal(JSON.parse(frames[0].text).ref, 'whole');
    assert.deepEqual(frames[1], { opcode: 10, text: 'between' });
    client.destroy();
  }
});

test('a frame that is half written is written to its end', async (t) => {
  const { hub, users, channel } = await scene(t);
  const ann = await RawWebSocket.connect(hub, users.ann.token);
  await ann.until('welcome');
  await ann.write(frame(FIN | TEXT, JSON.stringify({ type: 'get_messages', channel_id: channel, ref: 1 })));
  await ann.until('get_messages');
  ann.socket.pause();
  const bob = await Client.connect(hub, users.bob.token);
  const text = 'x'.repeat(3900);
  const sent = [];
  // Until the kernel takes no more, and some lie in the outbox.
  for (;;) {
    for (let i = 0; i < 50; i++) sent.push(bob.request('message', { channel, message: `${sent.length} ${text}` }));
    await Promise.all(sent);
    const queued = (await hub.ctl('sessions')).find((session) => session.user_id === users.ann.id).queued;
    if (queued > 100000) break;
  }
  await hub.upgrade();
  sent.push(bob.request('message', { channel, message: `${sent.length} ${text}` }));
  await Promise.all(sent);
  ann.socket.resume();
  for (let i = 0; i < sent.length; i++) assert.equal((await ann.until('message')).message, `${i} ${text}`);
  ann.destroy();
});

test('what clients say while it changes is answered, once, and everybody hears it once and in order', async (t) => {
  const { hub, users, channel } = await scene(t);
  const clients = [];
  for (let i = 0; i < 20; i++) clients.push(await Client.connect(hub, i % 2 ? users.ann.token : users.bob.token));
  for (const client of clients) await client.request('get_messages', { channel_id: channel });
  let go = true, n = 0;
  const talking = clients.map(async (client, i) => {
    for (let k = 0; go; k++, n++) await client.request('message', { channel, message: `${i} ${k}` });
  });
  for (let i = 0; i < 4; i++) await hub.upgrade();
  go = false;
  await Promise.all(talking);
  const history = [];
  for (const client of clients) {
    const heard = (await client.drain()).filter((m) => m.type === 'message');
    assert.equal(heard.length, n);
    assert.deepEqual(heard.map((m) => m.seq), heard.map((_, i) => heard[0].seq + i));
    history.push(JSON.stringify(heard.map((m) => m.message_id)));
  }
  assert.equal(new Set(history).size, 1);
});

test('one that compresses goes on, and in the middle of a compressed message is told to come back', async (t) => {
  const { hub, users, channel } = await scene(t, { settings: { 'websocket.compression': true } });
  const ann = await Client.connect(hub, users.ann.token, { perMessageDeflate: { threshold: 0 } });
  const bob = await Client.connect(hub, users.bob.token, { perMessageDeflate: { threshold: 0 } });
  assert.match(ann.socket.extensions, /permessage-deflate/);
  await ann.request('get_messages', { channel_id: channel });
  bob.socket.send('{"type":"ping","fill":"' + 'y'.repeat(500), { fin: false, compress: true });
  await ann.fence();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await hub.upgrade();
  assert.deepEqual((await bob.closed).code, 1012);
  await ann.request('message', { channel, message: 'z'.repeat(1000) });
  assert.equal((await ann.event('message')).message, 'z'.repeat(1000));
});

test('guests stay in their rooms', async (t) => {
  const hub = await Hub.start({ settings: { 'auth.anonymous': true } });
  t.after(() => hub.stop());
  const one = await Client.connect(hub, ''), two = await Client.connect(hub, '');
  await one.request('join', { room: 'garden' });
  await two.request('join', { room: 'garden' });
  await one.drain();
  await two.drain();
  await hub.upgrade();
  await one.request('publish', { room: 'garden', data: { hello: 1 } });
  assert.deepEqual((await two.event('published')).data, { hello: 1 });
  assert.deepEqual((await one.request('get_room', { room: 'garden' })).members.length, 2);
  assert.deepEqual((await two.drain()).filter((m) => m.type === 'user_joined' || m.type === 'user_left'), []);
});

test('what a Socket.IO client is told is the end of its connection, after which it comes back by itself', async (t) => {
  const { hub, users } = await scene(t);
  const socket = io(`${hub.origin}/chat`, { auth: { token: users.ann.token }, transports: ['websocket'], reconnectionDelay: 50 });
  t.after(() => socket.close());
  await new Promise((resolve) => socket.once('connect', resolve));
  const cut = new Promise((resolve) => socket.once('disconnect', resolve));
  const back = cut.then(() => new Promise((resolve) => socket.once('connect', resolve)));
  await hub.upgrade();
  assert.match(await cut, /transport close|server disconnect/);
  await back;
});

test('numbers of what is unread that were still to be told are told afterwards', async (t) => {
  const { hub, users, server, channel } = await scene(t, { settings: { 'chat.unread-interval': '1500ms' } });
  const ann = await Client.connect(hub, users.ann.token), bob = await Client.connect(hub, users.bob.token);
  await ann.request('get_server_channels', { server_id: server });
  await bob.request('message', { channel, message: 'unread' });
  await hub.upgrade();
  assert.deepEqual((await ann.event('unread')).channel_unread, 1);
});

test('a newer program may have another schema: it is brought up to date within the pause', async (t) => {
  const program = join(await mkdtemp(join(tmpdir(), 'hark-program-')), 'harkd');
  await copyFile(harkd, program);
  const { hub, users, channel } = await scene(t, { program });
  t.after(() => rm(dirname(program), { recursive: true }));
  const ann = await Client.connect(hub, users.ann.token);
  await ann.request('get_messages', { channel_id: channel });
  // As if the running program had not had the last of the migrations: it is undone before the next program starts.
  const database = join(hub.directory, 'hark.db');
  const undo = ['DELETE FROM schema_migrations WHERE rowid = (SELECT max(rowid) FROM schema_migrations)'];
  await rm(program);
  await writeFile(program, `#!/bin/sh\ncase "$*" in *--check-config*) ;; *) sqlite3 ${database} '${undo}';; esac\nexec ${harkd} "$@"\n`);
  await chmod(program, 0o755);
  await hub.upgrade();
  await ann.request('message', { channel, message: 'after' });
  assert.equal((await ann.event('message')).message, 'after');
});

test('the program is asked first: one that cannot go on changes nothing', async (t) => {
  const { hub, users } = await scene(t);
  const ann = await Client.connect(hub, users.ann.token);
  const good = await readFile(hub.config, 'utf8');
  await writeFile(hub.config, `${good}\n[limits]\nno-such=1\n`);
  await assert.rejects(hub.busctl('call', 'org.hark.Hub1', '/org/hark/Hub1', 'org.hark.Hub1', 'Upgrade'), /the new program cannot go on: .*no-such/);
  await writeFile(hub.config, good);
  await ann.request('get_servers');
  await hub.upgrade();
  await ann.request('get_servers');
});
