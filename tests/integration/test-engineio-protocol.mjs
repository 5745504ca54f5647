// SPDX-License-Identifier: LGPL-2.1-or-later
// Each sentence of the Engine.IO protocol's text, revision 4, that can be seen from outside; the numbers are those of
// tests/engineio/README.md.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { Echo } from './lib/echo.mjs';

const unknown = { code: 1, message: 'Session ID unknown' };
const RS = '\x1e';

let echo, quick;

before(async () => {
  echo = await Echo.start();
  quick = await Echo.start('--ping-interval=300', '--ping-timeout=200', '--upgrade-timeout=400', '--close-timeout=300');
});
after(async () => {
  await echo.stop();
  await quick.stop();
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function refused(answer, status, expected) {
  const { status: got, text, headers } = await answer;
  assert.equal(got, status);
  assert.equal(headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(text), expected);
}

async function gone(server, sid) {
  await refused(server.poll(sid), 400, unknown);
}

async function socketRefused(server, query, text) {
  await assert.rejects(server.socket(query), (error) => {
    assert.equal(error.status, 400);
    assert.equal(error.text, text);
    return true;
  });
}

test('1.1: the path is served with its slash, without it, and not otherwise', async () => {
  const base = `http://127.0.0.1:${echo.port}`;
  const query = '?EIO=4&transport=polling';
  assert.equal((await fetch(`${base}/engine.io/${query}`)).status, 200);
  assert.equal((await fetch(`${base}/engine.io${query}`)).status, 200);
  assert.equal((await fetch(`${base}/engine.iox/${query}`)).status, 404);
  assert.equal((await fetch(`${base}/engine.io/more${query}`)).status, 404);
});

test('1.2: without EIO or transport, or with others, a handshake is answered 400', async () => {
  await refused(echo.request('transport=polling'), 400, { code: 5, message: 'Unsupported protocol version' });
  await refused(echo.request('EIO=3&transport=polling'), 400, { code: 5, message: 'Unsupported protocol version' });
  await refused(echo.request('EIO=abc&transport=polling'), 400, { code: 5, message: 'Unsupported protocol version' });
  await refused(echo.request('EIO=4'), 400, { code: 0, message: 'Transport unknown' });
  await refused(echo.request('EIO=4&transport=abc'), 400, { code: 0, message: 'Transport unknown' });
  await refused(echo.request('EIO=4&transport=webtransport'), 400, { code: 0, message: 'Transport unknown' });
  await refused(echo.request('EIO=4&transport=websocket'), 400, { code: 3, message: 'Bad request' });
  await refused(echo.request('EIO=4&transport=polling&j=0'), 400, { code: 3, message: 'Bad request' });
});

test('1.2: a handshake by another method than GET is answered 400', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
    await refused(echo.request('EIO=4&transport=polling', { method }), 400, { code: 2, message: 'Bad handshake method' });
  const head = await echo.request('EIO=4&transport=polling', { method: 'HEAD' });
  assert.equal(head.status, 400);
  assert.equal(head.text, '');
});

test('1.3: a body of octets is refused and ends the session; one of no type is text', async () => {
  const sid = await echo.open();
  assert.equal((await echo.post(sid, '4a')).text, 'ok');
  const { status, text } = await echo.post(sid, '4a', { headers: { 'Content-Type': 'application/octet-stream' } });
  assert.equal(status, 400);
  assert.equal(text, '');
  await gone(echo, sid);
});

test('1.4: packets sent by POST are answered with ok', async () => {
  const sid = await echo.open();
  const { status, text, headers } = await echo.post(sid, '4hello');
  assert.equal(status, 200);
  assert.equal(text, 'ok');
  assert.equal(headers['content-type'], 'text/html');
  assert.equal((await echo.poll(sid)).text, '4hello');
});

test('1.5: a sid that is not known is answered 400', async () => {
  for (const sid of ['x', 'AAAAAAAAAAAAAAAAAAAA', '__proto__', 'A'.repeat(4000)]) {
    await refused(echo.poll(sid), 400, unknown);
    await refused(echo.post(sid, '4a'), 400, unknown);
    await socketRefused(echo, `EIO=4&transport=websocket&sid=${sid}`, 'Session ID unknown');
  }
});

test('1.6: two POSTs at once are answered 400 and end the session', async () => {
  const sid = await echo.open();
  const slow = http.request(`${echo.url}?EIO=4&transport=polling&sid=${sid}`,
                            { method: 'POST', headers: { 'Content-Length': 10 }, agent: false });
  const first = new Promise((resolve) => slow.on('response', (response) => {
    response.resume();
    resolve(response.statusCode);
  }));
  slow.on('error', () => {});
  slow.write('4a');
  while (await echo.figure('hark_engineio_posts_total') < 1) await sleep(2);
  const posts = await echo.figure('hark_engineio_posts_total');
  while (await echo.figure('hark_engineio_posts_total') < posts) await sleep(2);
  await sleep(50);
  const second = await echo.post(sid, '4b');
  assert.equal(second.status, 400);
  assert.equal(await first, 400);
  await gone(echo, sid);
  assert.deepEqual(await echo.endOf(sid), { code: 1002, reason: 'transport error' });
});

test('1.7: a GET waits until there is something, and gets all there is', async () => {
  const sid = await echo.open();
  const { answer } = await echo.wait(sid);
  let answered = false;
  answer.then(() => { answered = true; });
  await sleep(100);
  assert.equal(answered, false);
  await echo.post(sid, `4one${RS}4two${RS}4three`);
  const { status, text, headers } = await answer;
  assert.equal(status, 200);
  assert.equal(text, `4one${RS}4two${RS}4three`);
  assert.equal(headers['content-type'], 'text/plain; charset=UTF-8');
  assert.equal(headers['cache-control'], 'no-store');
});

test('1.8: two GETs at once are answered 400 and end the session', async () => {
  const sid = await echo.open();
  const { answer } = await echo.wait(sid);
  assert.equal((await echo.poll(sid)).status, 400);
  assert.equal((await answer).text, '1');
  await gone(echo, sid);
});

test('1.9: a poll whose client goes away ends the session', async () => {
  const sid = await echo.open();
  const request = http.get(`${echo.url}?EIO=4&transport=polling&sid=${sid}`, { agent: false });
  request.on('error', () => {});
  await echo.waiting();
  request.destroy();
  assert.deepEqual(await echo.endOf(sid), { code: 1006, reason: 'transport error' });
  await gone(echo, sid);
});

test('1.9: a body whose client goes away ends the session', async () => {
  const sid = await echo.open();
  const request = http.request(`${echo.url}?EIO=4&transport=polling&sid=${sid}`,
                               { method: 'POST', headers: { 'Content-Length': 10 }, agent: false });
  request.on('error', () => {});
  request.write('4abc');
  await sleep(50);
  request.destroy();
  assert.deepEqual(await echo.endOf(sid), { code: 1006, reason: 'transport error' });
});

test('1.10: a WebSocket without EIO or transport, or with others, is refused', async () => {
  await socketRefused(echo, 'transport=websocket', 'Unsupported protocol version');
  await socketRefused(echo, 'EIO=3&transport=websocket', 'Unsupported protocol version');
  await socketRefused(echo, 'EIO=4', 'Transport unknown');
  await socketRefused(echo, 'EIO=4&transport=abc', 'Transport unknown');
  await socketRefused(echo, 'EIO=4&transport=polling', 'Bad request');
});

test('1.11: a second WebSocket for a session is closed, the first goes on', async () => {
  const sid = await echo.open();
  const first = await echo.probe(sid);
  const second = await echo.probe(sid);
  assert.equal(await second.next(), null);
  first.send('2probe');
  assert.equal(await first.next(), '3probe');
  first.send('5');
  const third = await echo.probe(sid);
  assert.equal(await third.next(), null);
  first.send('4still here');
  assert.equal(await first.next(), '4still here');
  first.cut();
});

test('2.1: a handshake by polling is answered with an open packet', async () => {
  const { text } = await echo.request('EIO=4&transport=polling');
  const { sid, ...rest } = JSON.parse(text.slice(1));
  assert.equal(text[0], '0');
  assert.match(sid, /^[-_A-Za-z0-9]{20}$/);
  assert.deepEqual(rest, { upgrades: ['websocket'], pingInterval: 25000, pingTimeout: 20000, maxPayload: 1000000 });
});

test('2.1: a handshake by WebSocket is answered with an open packet, without upgrades', async () => {
  const socket = await echo.socket();
  const text = await socket.next();
  const { sid, ...rest } = JSON.parse(text.slice(1));
  assert.equal(text[0], '0');
  assert.match(sid, /^[-_A-Za-z0-9]{20}$/);
  assert.deepEqual(rest, { upgrades: [], pingInterval: 25000, pingTimeout: 20000, maxPayload: 1000000 });
  await refused(echo.poll(sid), 400, { code: 3, message: 'Bad request' });
  socket.cut();
});

test('2.2: a session is asked with the EIO it was opened with', async () => {
  const sid = await echo.open();
  await refused(echo.request(`EIO=3&transport=polling&sid=${sid}`), 400, { code: 3, message: 'Bad request' });
  await refused(echo.request(`EIO=4&transport=websocket&sid=${sid}`), 400, { code: 3, message: 'Bad request' });
  await refused(echo.request(`EIO=4&transport=polling&sid=${sid}`, { method: 'PUT' }), 400,
                { code: 3, message: 'Bad request' });
  await echo.post(sid, '4a');
  assert.equal((await echo.poll(sid)).text, '4a');
});

test('2.3: pings are sent at the interval, and pongs keep the session', async () => {
  const sid = await quick.open();
  const began = Date.now();
  for (let i = 1; i <= 3; i++) {
    assert.equal((await quick.poll(sid)).text, '2');
    assert.ok(Date.now() - began >= i * 300);
    assert.equal((await quick.post(sid, '3')).text, 'ok');
  }
  const socket = await quick.socket();
  await socket.next();
  for (let i = 0; i < 3; i++) {
    assert.equal(await socket.next(), '2');
    socket.send('3');
  }
  socket.cut();
});

test('2.4: without a pong the session ends', async () => {
  const sid = await quick.open();
  assert.deepEqual(await quick.endOf(sid), { code: 4002, reason: 'ping timeout' });
  await gone(quick, sid);
  const socket = await quick.socket();
  await socket.next();
  assert.equal(await socket.next(), '2');
  assert.equal(await socket.next(), null);
  assert.deepEqual(await socket.closed, { code: 4002, reason: 'ping timeout' });
});

test('2.5: a ping of the client ends the session', async () => {
  const sid = await echo.open();
  assert.equal((await echo.post(sid, '2')).text, 'ok');
  await gone(echo, sid);
  const socket = await echo.socket();
  await socket.next();
  socket.send('2');
  assert.equal((await socket.closed).code, 1002);
});

test('2.6: an upgrade: probe, noop for the poll that waits, upgrade packet, messages', async () => {
  const sid = await echo.open();
  const { answer } = await echo.wait(sid);
  const socket = await echo.probe(sid);
  socket.send('2probe');
  assert.equal(await socket.next(), '3probe');
  assert.equal((await answer).text, '6');
  socket.send('5');
  socket.send('4hello');
  assert.equal(await socket.next(), '4hello');
  await refused(echo.poll(sid), 400, { code: 3, message: 'Bad request' });
  await refused(echo.post(sid, '4a'), 400, { code: 3, message: 'Bad request' });
  socket.send('4still here');
  assert.equal(await socket.next(), '4still here');
  socket.cut();
  assert.deepEqual(await echo.endOf(sid), { code: 1006, reason: 'transport close' });
});

test('2.6: what was not yet polled comes by the WebSocket, in order', async () => {
  const sid = await echo.open();
  const socket = await echo.probe(sid);
  socket.send('2probe');
  assert.equal(await socket.next(), '3probe');
  await echo.post(sid, `4one${RS}bAQI=${RS}4two`);
  socket.send('5');
  assert.equal(await socket.next(), '4one');
  assert.deepEqual(await socket.next(), Buffer.from([1, 2]));
  assert.equal(await socket.next(), '4two');
  socket.cut();
});

test('2.7: an upgrade that begins otherwise, is cut or takes too long leaves the session polling', async () => {
  for (const end of ['4hello', '2', 'x', Buffer.from([0x35])]) {
    const sid = await echo.open();
    const socket = await echo.probe(sid);
    socket.send(end);
    assert.equal(await socket.next(), null);
    await echo.post(sid, '4a');
    assert.equal((await echo.poll(sid)).text, '4a');
  }
  const sid = await echo.open();
  const cut = await echo.probe(sid);
  cut.send('2probe');
  await cut.next();
  cut.cut();
  await echo.post(sid, '4a');
  assert.equal((await echo.poll(sid)).text, '4a');

  const other = await quick.open();
  const late = await quick.probe(other);
  const pongs = (async () => {
    for (;;) {
      const { status, text } = await quick.poll(other);
      if (status !== 200) return text;
      if (text === '2') await quick.post(other, '3');
      if (text === '4enough') return text;
    }
  })();
  assert.equal(await late.next(), null);
  await quick.post(other, '4enough');
  assert.equal(await pongs, '4enough');
});

test('2.8: a close packet ends the session at once, and its poll gets a noop', async () => {
  const sid = await echo.open();
  const { answer } = await echo.wait(sid);
  assert.equal((await echo.post(sid, '1')).text, 'ok');
  assert.equal((await answer).text, '6');
  await gone(echo, sid);
  const socket = await echo.socket();
  await socket.next();
  socket.send('1');
  assert.equal(await socket.next(), null);
});

test('2.9: a session closed by the server gets what was sent before, and a close packet', async () => {
  const sid = await echo.open();
  const { answer } = await echo.wait(sid);
  await echo.post(sid, `4last${RS}4!close${RS}4too late`);
  assert.equal((await answer).text, `4last${RS}1`);
  await gone(echo, sid);
  const other = await echo.open();
  await echo.post(other, '4!close');
  assert.equal((await echo.poll(other)).text, '1');
  await gone(echo, other);
  const socket = await echo.socket();
  await socket.next();
  socket.send('4last');
  socket.send('4!close');
  assert.equal(await socket.next(), '4last');
  assert.equal(await socket.next(), null);
  assert.deepEqual(await socket.closed, { code: 1000, reason: 'as ordered' });
  const forgotten = await quick.open();
  await quick.post(forgotten, '4!close');
  assert.deepEqual(await quick.endOf(forgotten), { code: 1000, reason: 'as ordered' });
});

test('3.1: packets are joined by the record separator, both ways, in order', async () => {
  const sid = await echo.open();
  await echo.post(sid, `4hello${RS}3${RS}4wörld €${RS}4`);
  assert.equal((await echo.poll(sid)).text, `4hello${RS}4wörld €${RS}4`);
});

test('3.2: binary is base64 behind a b by polling, and itself by WebSocket', async () => {
  const sid = await echo.open();
  await echo.post(sid, `4hello${RS}bAQIDBA==${RS}b`);
  assert.equal((await echo.poll(sid)).text, `4hello${RS}bAQIDBA==${RS}b`);
  const socket = await echo.socket();
  await socket.next();
  socket.send(Buffer.from([1, 2, 3, 4]));
  assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3, 4]));
  socket.send('bAQID');
  assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3]));
  socket.cut();
});

test('3.3: a packet that is none ends the session', async () => {
  for (const body of ['', 'abc', '7', `4a${RS}`, 'b*', Buffer.from([0x34, 0xFF])]) {
    const sid = await echo.open();
    assert.equal((await echo.post(sid, body)).text, 'ok');
    await gone(echo, sid);
    assert.deepEqual(await echo.endOf(sid), { code: 1002, reason: 'parse error' });
  }
  for (const text of ['', 'abc', '7', 'b*']) {
    const socket = await echo.socket();
    await socket.next();
    socket.send(text);
    assert.deepEqual(await socket.closed, { code: 1002, reason: 'parse error' });
  }
});

test('3.4: maxPayload bounds a body, a message and, roughly, a poll', async () => {
  const small = await Echo.start('--max-payload=1000', '--max-packets=20');
  const sid = await small.open();
  assert.equal((await small.post(sid, '4' + 'x'.repeat(999))).text, 'ok');
  assert.equal((await small.poll(sid)).text.length, 1000);
  assert.equal((await small.post(sid, '4' + 'x'.repeat(1000))).status, 413);
  await small.post(sid, '4!send 10 300');
  const polls = [];
  while (polls.join(RS).split(RS).length < 10) polls.push((await small.poll(sid)).text);
  assert.deepEqual(polls.map((text) => text.split(RS).length), [3, 3, 3, 1]);
  await small.post(sid, Array(21).fill('4x').join(RS));
  await gone(small, sid);
  const socket = await small.socket();
  await socket.next();
  socket.send('4' + 'x'.repeat(1000));
  assert.equal((await socket.closed).code, 1009);
  await small.stop();
});

test('4.1: a session that reads nothing lets its client wait with the next body', async () => {
  const sid = await echo.open();
  const began = Date.now();
  await echo.post(sid, `4!pause 200${RS}4one${RS}4two`);
  assert.ok(Date.now() - began >= 195);
  assert.equal((await echo.poll(sid)).text, `4one${RS}4two`);
});

test('4.2: bounds on sessions, all and of one address', async () => {
  const few = await Echo.start('--max-sessions=2');
  const sids = [await few.open(), await few.open()];
  await refused(few.request('EIO=4&transport=polling'), 503, { code: 4, message: 'Too many sessions' });
  await assert.rejects(few.socket(), { status: 503 });
  await few.post(sids[0], '1');
  await few.open();
  await few.stop();
  const each = await Echo.start('--max-per-address=2', '--count-local');
  await each.open();
  const second = await each.open();
  const third = await each.request('EIO=4&transport=polling');
  assert.equal(third.status, 503);
  each.agent.destroy();
  await each.post(second, '1');
  await each.open();
  await each.stop();
});

test('4.3: one connection serves polls one after another, and closes when asked to', async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let connections = 0;
  const connect = agent.createConnection;
  agent.createConnection = function (...args) {
    connections++;
    return connect.apply(this, args);
  };
  const sid = await echo.open();
  for (let i = 0; i < 20; i++) {
    const { headers } = await echo.post(sid, `4${i}`, { agent });
    assert.equal(headers.connection, 'keep-alive');
    assert.equal((await echo.poll(sid, { agent })).text, `4${i}`);
  }
  assert.equal(connections, 1);
  agent.destroy();
  const once = await echo.poll('x', { agent: false, headers: { Connection: 'close' } });
  assert.equal(once.headers.connection, 'close');
});

test('4.3: requests sent without waiting for answers are answered in order', async () => {
  const sid = await echo.open();
  const path = `/engine.io/?EIO=4&transport=polling&sid=${sid}`;
  const post = (body) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const got = await echo.raw(post('4a') + post('4b') + `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const bodies = got.split('HTTP/1.1 200 OK').slice(1).map((text) => text.split('\r\n\r\n')[1]);
  assert.deepEqual(bodies, ['ok', 'ok', `4a${RS}4b`]);
});

test('4.3: heads and bodies may come in pieces; HTTP/1.0 is answered once', async () => {
  const sid = await echo.open();
  const path = `/engine.io/?EIO=4&transport=polling&sid=${sid}`;
  const got = await echo.raw(`POST ${path} HT`, 20, 'TP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n',
                             20, '4on', 20, 'e', 20, `\x1e4GET ${path} HTTP/1.0\r\nHost: x\r\n\r\n`);
  assert.match(got, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  assert.match(got, /\r\n\r\nokHTTP\/1\.1 200 OK\r\n(.*\r\n)*Connection: close\r\n/);
  assert.ok(got.endsWith(`\r\n\r\n4one${RS}4`));
});

test('4.3: a body of no announced length is refused', async () => {
  const sid = await echo.open();
  const { status } = await echo.post(sid, '4a', { headers: { 'Transfer-Encoding': 'chunked' }, agent: false });
  assert.equal(status, 411);
});

test('4.4: a connection that says nothing more, or half a request, is closed in its time', async () => {
  const impatient = await Echo.start('--keep-alive=200');
  const get = 'GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n';
  assert.match(await impatient.raw(get), /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(await impatient.raw(get, 50, 'GET /engine.io/'), /HTTP\/1\.1 408 Request Timeout\r\n/);
  assert.match(await impatient.raw('POST /engine.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4'),
               /^HTTP\/1\.1 400 Bad Request\r\n/);
  const sid = await impatient.open();
  const { answer } = await impatient.wait(sid);
  await sleep(600); // a poll has all the time it wants
  await impatient.post(sid, '4a');
  assert.equal((await answer).text, '4a');
  await impatient.stop();
});

test('4.5: an answer of a megabyte arrives, however slowly it is read', async () => {
  const sid = await echo.open();
  await echo.post(sid, '4!send 9 100000');
  const text = await new Promise((resolve, reject) => {
    const socket = net.connect(echo.port, '127.0.0.1');
    let all = '';
    socket.on('error', reject);
    socket.on('end', () => resolve(all));
    socket.write(`GET /engine.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    setTimeout(() => socket.on('data', (chunk) => { all += chunk; }), 100);
  });
  const packets = text.split('\r\n\r\n')[1].split(RS);
  assert.deepEqual(packets.map((packet) => [packet.length, parseInt(packet.slice(1), 10)]),
                   Array.from({ length: 9 }, (_, i) => [100001, i]));
});

test('5.1: a page of another origin is refused unless it is let in', async () => {
  const query = 'EIO=4&transport=polling';
  await refused(echo.request(query, { headers: { Origin: 'https://evil.example' } }), 403, { code: 4, message: 'Forbidden' });
  const preflight = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' };
  const answer = await echo.request(query, { method: 'OPTIONS', headers: preflight });
  assert.equal(answer.status, 403);
  assert.equal(answer.headers['access-control-allow-origin'], undefined);
  await assert.rejects(echo.socket('EIO=4&transport=websocket', { origin: 'https://evil.example' }), { status: 403 });
  const own = await echo.request(query, { headers: { Origin: `http://127.0.0.1:${echo.port}` } });
  assert.equal(own.status, 200);
  assert.equal(own.headers['access-control-allow-origin'], undefined);
});

test('5.2: a page that is let in may read, and send its cookies if that is configured', async () => {
  const query = 'EIO=4&transport=polling';
  const open = await Echo.start('--origin=https://a.example', '--origin=https://b.example', '--credentials');
  const { status, headers } = await open.request(query, { headers: { Origin: 'https://b.example' } });
  assert.equal(status, 200);
  assert.equal(headers['access-control-allow-origin'], 'https://b.example');
  assert.equal(headers['access-control-allow-credentials'], 'true');
  assert.equal(headers.vary, 'Origin');
  const preflight = await open.request(`${query}&sid=x`, {
    method: 'OPTIONS',
    headers: { Origin: 'https://a.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-one,x-two' },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-origin'], 'https://a.example');
  assert.equal(preflight.headers['access-control-allow-credentials'], 'true');
  assert.equal(preflight.headers['access-control-allow-methods'], 'GET,POST');
  assert.equal(preflight.headers['access-control-allow-headers'], 'x-one,x-two');
  assert.equal(preflight.headers['content-length'], '0');
  const error = await open.request(`${query}&sid=x`, { headers: { Origin: 'https://a.example' } });
  assert.equal(error.status, 400);
  assert.equal(error.headers['access-control-allow-origin'], 'https://a.example', 'errors can be read as well');
  await refused(open.request(query, { headers: { Origin: 'https://c.example' } }), 403, { code: 4, message: 'Forbidden' });
  await open.stop();

  const wide = await Echo.start('--origin=*', '--credentials');
  const any = await wide.request(query, { headers: { Origin: 'https://c.example' } });
  assert.equal(any.headers['access-control-allow-origin'], '*');
  assert.equal(any.headers['access-control-allow-credentials'], undefined);
  await wide.stop();
});

test('5.3: a cookie holds the id if it is given a name', async () => {
  const named = await Echo.start('--cookie=io');
  const { text, headers } = await named.request('EIO=4&transport=polling');
  const { sid } = JSON.parse(text.slice(1));
  assert.deepEqual(headers['set-cookie'], [`io=${sid}; Path=/; HttpOnly; SameSite=Lax`]);
  await named.post(sid, '4a');
  assert.equal((await named.poll(sid)).headers['set-cookie'], undefined);
  await named.stop();
  assert.equal((await echo.request('EIO=4&transport=polling')).headers['set-cookie'], undefined);
});
