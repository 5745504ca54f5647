// SPDX-License-Identifier: LGPL-2.1-or-later
// Each sentence of the Socket.IO protocol's text, revision 5, that can be seen from outside; the numbers are those of
// tests/socketio/README.md. Every test runs against harkd and against the reference server, which shows that it asks
// for what the protocol is and not for what Hark happens to do.
import { describe, test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Raw } from './lib/socketio-raw.mjs';
import { Reference } from './lib/socketio-reference.mjs';
import { SocketIoHub } from './lib/socketio-hub.mjs';

// The payload of a packet without its trailing offset, which connection state recovery adds to events.
function payload(packet) {
  const data = JSON.parse(packet.slice(packet.indexOf('[')));
  if (data.length > 2 && typeof data.at(-1) === 'string') data.pop();
  return data;
}

for (const Target of [SocketIoHub, Reference]) {
  describe(Target.name, () => {
    let server, quick, ann, bob;

    before(async () => {
      server = await Target.start();
      quick = await Target.start({ connectTimeout: 300 });
      ann = await server.user('ann');
      bob = await server.user('bob');
    });
    after(async () => {
      await server.stop();
      await quick.stop();
    });

    async function closes(raw) {
      for (let packet = ''; packet !== null;) packet = await raw.packet();
    }

    async function closesOn(...packets) {
      const raw = await Raw.connect(server.origin, ann.token);
      raw.send(...packets);
      await closes(raw);
    }

    test('1.1: CONNECT is answered with CONNECT and a sid, which is not the sid of Engine.IO', async () => {
      const raw = await Raw.connect(server.origin, ann.token);
      const { sid } = JSON.parse(raw.answer.slice(2));
      assert.equal(typeof sid, 'string');
      assert.notEqual(sid, raw.handshake.sid);
      raw.close();
    });

    test('1.2: CONNECT carries a payload, and what is wrong with it is said by CONNECT_ERROR', async () => {
      const raw = await Raw.open(server.origin);
      const refusal = await raw.join('no token of anybody');
      assert.match(refusal, /^44\{/);
      const { message, data } = JSON.parse(refusal.slice(2));
      assert.equal(typeof message, 'string');
      assert.equal(data.code, 'unauthenticated');
      assert.match(await raw.join(ann.token), /^40\{/, 'the connection goes on');
      raw.close();
    });

    test('1.3: a CONNECT names its namespace, and so does the answer', async () => {
      const raw = await Raw.connect(server.origin, ann.token, '/chat');
      assert.match(raw.answer, /^40\/chat,\{"sid":"/);
      raw.close();
    });

    test('1.4: a namespace that does not exist is refused, and the connection goes on', async () => {
      const raw = await Raw.connect(server.origin, ann.token);
      assert.equal(await raw.join(ann.token, '/random'), '44/random,{"message":"Invalid namespace"}');
      await raw.alive();
      raw.close();
    });

    test('1.5: one connection is connected to several namespaces, each with a sid of its own', async () => {
      const raw = await Raw.connect(server.origin, ann.token);
      const chat = await raw.join(ann.token, '/chat');
      assert.notEqual(JSON.parse(chat.slice('40/chat,'.length)).sid, JSON.parse(raw.answer.slice(2)).sid);
      await raw.alive();
      await raw.alive('/chat');
      raw.close();
    });

    test('1.6: who does not connect to a namespace in time is closed', async () => {
      await closes(await Raw.open(quick.origin));
    });

    test('1.7: who begins with another packet than CONNECT is closed', async () => {
      for (const packet of ['42["ping",{}]', '41', '43[1]', '451-["ping",{"_placeholder":true,"num":0}]']) {
        const raw = await Raw.open(server.origin);
        raw.send(packet);
        if (packet.startsWith('45')) raw.send(Buffer.from([1]));
        await closes(raw);
      }
    });

    test('1.8: a second CONNECT to the same namespace closes the connection', async () => {
      await closesOn(`40${JSON.stringify({ token: ann.token })}`);
    });

    test('2.1: an EVENT is an array that begins with its name', async () => {
      const [one, two] = [await Raw.connect(server.origin, ann.token, '/chat'), await Raw.connect(server.origin, bob.token, '/chat')];
      one.send('42/chat,["message",{"message":"hé \\u00e9 \\n","username":"Ann","timestamp":1700000000000}]');
      for (const raw of [one, two]) {
        const [name, message] = payload(await raw.until('42/chat,["message"'));
        assert.equal(name, 'message');
        assert.deepEqual(message, { message: 'hé é \n', username: 'Ann', timestamp: 1700000000000 });
        raw.close();
      }
    });

    test('2.2: what is sent to one namespace is not seen in another', async () => {
      const raw = await Raw.connect(server.origin, ann.token);
      await raw.join(ann.token, '/chat');
      raw.send('42["message",{"message":"x","username":"Ann","timestamp":1}]');
      raw.send('42/forward,["forward",{}]');
      await closes(raw);
      const other = await Raw.connect(server.origin, ann.token, '/chat');
      const root = await Raw.connect(server.origin, ann.token);
      other.send('42/chat,["message",{"message":"y","username":"Ann","timestamp":1}]');
      await other.until('42/chat,["message"');
      await root.alive();
      assert.deepEqual(root.queue.filter((packet) => packet.includes('"y"')), []);
      other.close();
      root.close();
    });

    test('2.3: an EVENT with an id is answered by an ACK with that id, whose payload is an array', async () => {
      const raw = await Raw.connect(server.origin, ann.token);
      raw.send('420["ping",{"data":[1,"two",null]}]', '42987654321["ping",{"data":{"a":1.5}}]');
      const first = await raw.until('43');
      assert.match(first, /^430\[/);
      assert.deepEqual(JSON.parse(first.slice(3))[0].data, [1, 'two', null]);
      const second = await raw.until('43');
      assert.match(second, /^43987654321\[/);
      assert.deepEqual(JSON.parse(second.slice('43987654321'.length))[0].data, { a: 1.5 });
      raw.close();
    });

    test('2.4: an ACK is for the namespace of its EVENT', async () => {
      const raw = await Raw.connect(server.origin, ann.token, '/chat');
      raw.send('42/chat,12["message",{"message":"x","username":"Ann","timestamp":1}]');
      assert.match(await raw.until('43'), /^43\/chat,12\[/);
      raw.close();
    });

    test('2.5: a BINARY_EVENT is followed by its attachments, which stand where their placeholders do', async () => {
      const tabs = [await Raw.connect(server.origin, ann.token, '/forward'), await Raw.connect(server.origin, ann.token, '/forward'),
        await Raw.connect(server.origin, bob.token, '/forward')];
      const [first, second] = [Buffer.from([1, 2, 3]), Buffer.from('äöü')];
      tabs[0].send(`452-/forward,["forward",{"target":${bob.id},"b":{"_placeholder":true,"num":1},"a":[{"_placeholder":true,"num":0}]}]`, first, second);
      const head = await tabs[1].until('45');
      assert.match(head, /^452-\/forward,\["forwarded"/);
      const [, object] = payload(head);
      const attachments = [await tabs[1].packet(), await tabs[1].packet()];
      assert.deepEqual(attachments[object.a[0].num], first);
      assert.deepEqual(attachments[object.b.num], second);
      assert.equal(object.sender, Number(ann.id));
      for (const raw of tabs) raw.close();
    });

    test('2.6: packets of other connections do not come between a packet and its attachments', async () => {
      const [from, to, talker] = [await Raw.connect(server.origin, ann.token, '/forward'),
        await Raw.connect(server.origin, bob.token, '/forward'), await Raw.connect(server.origin, ann.token, '/chat')];
      await to.join(bob.token, '/chat');
      for (let i = 0; i < 50; i++) {
        talker.send(`42/chat,["message",{"message":"${i}","username":"Ann","timestamp":1}]`);
        from.send(`451-/forward,["forward",{"target":${bob.id},"n":${i},"data":{"_placeholder":true,"num":0}}]`, Buffer.alloc(10, i));
      }
      for (let binary = 0; binary < 50;) {
        const packet = await to.packet();
        assert.equal(typeof packet, 'string');
        if (!packet.startsWith('451-')) continue;
        assert.equal(payload(packet)[1].n, binary);
        assert.deepEqual(await to.packet(), Buffer.alloc(10, binary++));
      }
      for (const raw of [from, to, talker]) raw.close();
    });

    test('3.1: DISCONNECT ends one namespace, is not answered, and the others go on', async () => {
      const raw = await Raw.connect(server.origin, ann.token);
      await raw.join(ann.token, '/chat');
      raw.send('41/chat,');
      await raw.alive();
      const other = await Raw.connect(server.origin, bob.token, '/chat');
      other.send('42/chat,["message",{"message":"after","username":"Bob","timestamp":1}]');
      await other.until('42/chat,["message"');
      await raw.alive();
      assert.deepEqual(raw.queue.filter((packet) => typeof packet === 'string' && /^4\d\/chat/.test(packet)), []);
      raw.close();
      other.close();
    });

    test('3.2: a namespace that was left can be connected to again, with a new sid', async () => {
      const raw = await Raw.connect(server.origin, ann.token);
      await raw.join(ann.token, '/chat');
      raw.send('41');
      await raw.alive('/chat');
      const again = await raw.join(ann.token);
      assert.notEqual(again, raw.answer);
      await raw.alive();
      raw.close();
    });

    test('3.3: a packet for a namespace that is not connected closes the connection', async () => {
      await closesOn('42/chat,["message",{"message":"x","username":"Ann","timestamp":1}]');
      const raw = await Raw.connect(server.origin, ann.token);
      await raw.join(ann.token, '/chat');
      raw.send('41');
      await raw.alive('/chat');
      raw.send('42["ping",{}]');
      await closes(raw);
    });

    const MALFORMED = {
      'no packet type': ['4'], 'an unknown packet type': ['4abc'], 'a packet type out of range': ['47'],
      'a payload that is no JSON': ['42{'], 'an EVENT that is an object': ['42{}'],
      'an EVENT without a name': ['42[]'], 'an EVENT whose name is an object': ['42[{}]'],
      'an acknowledgement id that is no number': ['42abc["ping",{}]'],
      'a reserved name': ['42["connect"]'], 'another reserved name': ['42["disconnect"]'], 'a third': ['42["connect_error"]'],
      'an ACK that is no array': ['431{}'], 'a DISCONNECT with a payload': ['41{}'],
      'a CONNECT whose payload is no object': ['40/chat,[]'],
      'a number of attachments that is none': ['45x-["ping"]'], 'a number of attachments without its dash': ['451["ping"]'],
      'text where an attachment is due': ['451-["ping",{"_placeholder":true,"num":0}]', '42["ping",{}]'],
      'a placeholder out of range': ['451-["ping",{"_placeholder":true,"num":7}]', Buffer.from([1])],
      'an attachment that nothing announced': [Buffer.from([1, 2])],
    };
    for (const [what, packets] of Object.entries(MALFORMED))
      test(`4.1: ${what} closes the connection`, () => closesOn(...packets));

    test('4.2: a malformed packet of one connection is no matter of another', async () => {
      const raw = await Raw.connect(server.origin, ann.token);
      await closesOn('4abc');
      await raw.alive();
      raw.close();
    });

    test('4.3: an ACK that nothing asked for is passed over', async () => {
      const raw = await Raw.connect(server.origin, ann.token);
      raw.send('4312345["x"]');
      await raw.alive();
      raw.close();
    });
  });
}
