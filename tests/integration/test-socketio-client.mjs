// SPDX-License-Identifier: LGPL-2.1-or-later
// What people do with npm `socket.io-client`, unmodified, its versions 3 and 4, in its three ways to connect: with Hark,
// and with the reference server, which shows that the tests ask for nothing else.
import { describe, test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { CuttingProxy } from './lib/cutting-proxy.mjs';
import { MODES, VERSIONS, collect, connect, once, request, until } from './lib/socketio-client.mjs';
import { Reference } from './lib/socketio-reference.mjs';
import { SocketIoHub } from './lib/socketio-hub.mjs';

const say = (n) => ({ message: String(n), username: 'Ann', timestamp: 1700000000000 + n });

for (const Target of [SocketIoHub, Reference]) {
  describe(Target.name, () => {
    let server, ann, bob, carla;

    before(async () => {
      server = await Target.start();
      ann = await server.user('ann');
      bob = await server.user('bob');
      carla = await server.user('carla');
    });
    after(() => server.stop());

    for (const version of Object.keys(VERSIONS))
      for (const [name, mode] of Object.entries(MODES))
        describe(`version ${version}, ${name}`, () => {
          const open = (namespace, user, options) => connect(server.origin, namespace, user, { version, mode, ...options });
          const close = (...sockets) => sockets.forEach((socket) => socket.disconnect());

          test('003-1: it connects, and stays with the transport it is to use', async () => {
            const socket = await open('', ann);
            const last = mode.transports.at(-1);
            await until(() => socket.io.engine.transport.name === last, `it uses ${last}`);
            assert.deepEqual((await request(socket, 'ping', { data: 'x' })).data, 'x');
            close(socket);
          });

          test('003-2: one connection holds two namespaces, and an event of one is not seen in the other', async () => {
            const root = await open('', ann);
            const chat = root.io.socket('/chat', { auth: { token: ann.token } });
            await once(chat, 'connect');
            assert.equal(root.io.engine.id, chat.io.engine.id);
            const seen = collect(root, 'message', (message) => message);
            const arrived = once(chat, 'message');
            chat.emit('message', say(1));
            await arrived;
            await request(root, 'ping', {});
            assert.deepEqual(seen, []);
            close(root, chat);
          });

          test('003-3: a message to /chat reaches all who are there, the sender too', async () => {
            const sockets = await Promise.all([ann, ann, bob, carla].map((user) => open('/chat', user)));
            const arrived = sockets.map((socket) => once(socket, 'message'));
            sockets[0].emit('message', say(1));
            for (const [message] of await Promise.all(arrived)) assert.deepEqual(message, say(1));
            close(...sockets);
          });

          test('003-4 to 003-6: a forwarded object reaches the target\'s sessions and the sender\'s others as it was', async () => {
            const [sender, second, third, one, two, other] = await Promise.all([ann, ann, ann, bob, bob, carla].map((user) => open('/forward', user)));
            const seen = [sender, other].map((socket) => collect(socket, 'forwarded', (object) => object));
            const arrived = [second, third, one, two].map((socket) => once(socket, 'forwarded'));
            sender.emit('forward', { target: Number(bob.id), text: 'é', big: 9007199254740991, deep: { list: [1, 'two', null] }, sender: 99 });
            for (const [object] of await Promise.all(arrived))
              assert.deepEqual(object, { target: Number(bob.id), text: 'é', big: 9007199254740991, deep: { list: [1, 'two', null] }, sender: Number(ann.id) });
            await request(sender, 'forward', { target: Number(bob.id) });
            assert.deepEqual(seen, [[], []]);
            close(sender, second, third, one, two, other);
          });

          test('binary stands where it stood', async () => {
            const [from, to] = await Promise.all([open('/forward', ann), open('/forward', bob)]);
            const bytes = [Buffer.from([0, 1, 255]), Buffer.alloc(5000, 7), Buffer.alloc(0)];
            const arrived = once(to, 'forwarded');
            from.emit('forward', { target: Number(bob.id), first: bytes[0], more: { list: [bytes[1], 'x', bytes[2]] } });
            const [object] = await arrived;
            assert.deepEqual(object.first, bytes[0]);
            assert.deepEqual(object.more.list, [bytes[1], 'x', bytes[2]]);
            close(from, to);
          });

          test('volatile events arrive when somebody is there', async () => {
            const [from, to] = await Promise.all([open('/chat', ann), open('/chat', bob)]);
            const arrived = once(to, 'message');
            // While its transport changes a client has nowhere to put what may be lost.
            await until(() => from.io.engine.transport.name === mode.transports.at(-1) && from.io.engine.transport.writable, 'it can send');
            from.volatile.emit('message', say(5));
            assert.deepEqual((await arrived)[0], say(5));
            close(from, to);
          });

          test('a hundred events in one go arrive in order, once', async () => {
            const [from, to] = await Promise.all([open('/chat', ann), open('/chat', bob)]);
            const seen = collect(to, 'message', (message) => Number(message.message));
            for (let i = 0; i < 100; i++) from.emit('message', say(i));
            await until(() => seen.length >= 100, 'all have come');
            assert.deepEqual(seen, Array.from({ length: 100 }, (_, i) => i));
            close(from, to);
          });

          test('a namespace that does not exist, and a token of nobody, are refused by connect_error', async () => {
            await assert.rejects(open('/random', ann), { message: 'Invalid namespace' });
            await assert.rejects(open('', { token: 'of nobody' }), (error) => error.data.code === 'unauthenticated');
          });

          test('what leaves one namespace keeps the other', async () => {
            const root = await open('', ann);
            const chat = root.io.socket('/chat', { auth: { token: ann.token } });
            await once(chat, 'connect');
            chat.disconnect();
            assert.equal((await request(root, 'ping', { data: 1 })).data, 1);
            close(root);
          });
        });

    test('an acknowledgement that does not come in time is an error of the client\'s, and nothing else', async () => {
      const proxy = await CuttingProxy.start(server.port);
      proxy.cutting = false;
      const socket = await connect(proxy.origin, '', ann, { reconnection: true });
      assert.equal((await socket.timeout(60000).emitWithAck('ping', { data: 1 })).data, 1);
      proxy.hold();
      await assert.rejects(socket.timeout(20).emitWithAck('ping', { data: 2 }), /timed out/);
      proxy.release();
      assert.equal((await socket.timeout(60000).emitWithAck('ping', { data: 3 })).data, 3);
      socket.disconnect();
      await proxy.stop();
    });

    // What is published while a client has not noticed that it was cut is lost with the reference.
    if (Target !== Reference) test('a storm of clients that come back all find their place', async () => {
      const proxy = await CuttingProxy.start(server.port, { seed: 7 });
      proxy.cutting = false;
      const sockets = await Promise.all(Array.from({ length: 60 }, (_, i) =>
        connect(proxy.origin, '/chat', [ann, bob, carla][i % 3], { mode: Object.values(MODES)[i % 3], reconnection: true })));
      for (let round = 0; round < 3; round++) {
        // Between two polls there is nothing to cut: those who poll may not notice.
        const back = sockets.filter((socket) => socket.io.engine.transport.name === 'websocket').map((socket) => once(socket, 'connect'));
        assert.ok(back.length >= 20);
        proxy.cut();
        await Promise.all(back);
        await until(() => sockets.every((socket) => socket.connected), 'all are back');
      }
      const arrived = sockets.map((socket) => once(socket, 'message', (message) => message.message === 'storm'));
      sockets[0].emit('message', { ...say(0), message: 'storm' });
      await Promise.all(arrived);
      sockets.forEach((socket) => socket.disconnect());
      await proxy.stop();
    });

    // The reference loses now and then what is published while a connection is taken up again.
    for (const [name, mode] of Target === Reference ? [] : Object.entries(MODES))
      test(`cut at random points, ${name}: what is said to be recovered has lost and doubled nothing`, async (t) => {
        const proxy = await CuttingProxy.start(server.port, name === 'polling alone' ? { seed: 42, least: 300, most: 2500 } : { seed: 42, least: 1500, most: 9000 });
        const speaker = await connect(server.origin, '/chat', ann);
        const listener = await connect(proxy.origin, '/chat', bob, { mode, reconnection: true });
        t.after(async () => {
          listener.disconnect();
          speaker.disconnect();
          await proxy.stop();
        });
        const seen = [];
        const breaks = []; // how many had been seen when a connection was made that did not go on with the last
        let recoveries = 0;
        listener.on('message', (message) => seen.push(Number(message.message)));
        listener.on('connect', () => {
          if (listener.recovered) recoveries++;
          else breaks.push(seen.length);
        });
        let said = 0;
        for (; said < 300 || ((proxy.cuts < 5 || recoveries < 2) && said < 5000); said++) {
          await request(speaker, 'message', say(said));
          if (said % 10 === 9) await until(() => listener.connected, 'the listener is back');
        }
        proxy.cutting = false;
        await until(() => listener.connected, 'the listener is back');
        await request(speaker, 'message', say(said));
        await until(() => seen.at(-1) === said, 'the last message arrives');
        for (let i = 1; i < seen.length; i++)
          if (breaks.includes(i)) assert.ok(seen[i] > seen[i - 1], `${seen[i]} after ${seen[i - 1]}`);
          else assert.equal(seen[i], seen[i - 1] + 1, `after ${recoveries} recoveries and breaks at ${breaks}`);
        assert.ok(proxy.cuts >= 5 && recoveries >= 2, `${recoveries} recoveries of ${proxy.cuts} cuts`);
      });
  });
}
