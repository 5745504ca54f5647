// SPDX-License-Identifier: LGPL-2.1-or-later
// Tokens that another program signs: by each algorithm, in every way to present one, and each that must not let in.
import { describe, test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { Hub, harkd } from './lib/hub.mjs';
import { Client, refusal } from './lib/client.mjs';
import { ALGORITHMS, Issuer, now } from './lib/jwt.mjs';
import { connect, request } from './lib/socketio-client.mjs';

const run = promisify(execFile);
let directory, n = 0;

before(async () => { directory = await mkdtemp(join(tmpdir(), 'hark-jwt-')); });
after(() => rm(directory, { recursive: true }));

async function keyFile(key) {
  const path = join(directory, `key-${++n}`);
  await writeFile(path, key);
  return path;
}

async function startHub(issuer, settings = {}) {
  return Hub.start({
    settings: {
      'jwt.algorithm': issuer.algorithm, 'jwt.key-file': await keyFile(issuer.key), 'jwt.issuer': issuer.iss, 'jwt.audience': issuer.aud, ...settings,
    },
  });
}

// What the server says of a token in a first message, and what it does before the upgrade.
async function refused(hub, token) {
  assert.equal((await refusal(hub.url(token))).status, 401);
  const client = new Client(new WebSocket(hub.url()));
  await client.opened;
  const { message } = await client.fails('unauthenticated', 'authenticate', { token });
  await client.close();
  return message;
}

async function post(hub, name, token) {
  const response = await fetch(`${hub.origin}/api/v1/${name}`, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: '{}' });
  await response.arrayBuffer();
  return response.status;
}

for (const algorithm of ALGORITHMS)
  describe(`by ${algorithm}`, () => {
    const issuer = new Issuer(algorithm);
    let hub, ann;

    before(async () => {
      hub = await startHub(issuer);
      ann = await hub.user('ann');
    });
    after(() => hub.stop());

    test('a good token lets its user in, again from memory, and beside a stored token', async () => {
      const token = issuer.token('ann');
      for (let i = 0; i < 3; i++) {
        const client = await Client.connect(hub, token);
        assert.equal(client.welcome.user.user_id, ann.id);
        await client.request('get_servers');
        await client.close();
      }
      await (await Client.connect(hub, ann.token)).close();
    });

    test('"none" is refused', async () => {
      assert.match(await refused(hub, issuer.unsigned('ann')), /"alg"/);
      assert.match(await refused(hub, issuer.token('ann', { header: { alg: 'none' } })), /"alg"/);
    });

    test('every other algorithm is refused, and the public key is no secret', async () => {
      for (const other of ALGORITHMS.filter((name) => name !== algorithm)) {
        const swapped = other === 'HS256' ? new Issuer('HS256', { secret: issuer.key }) : new Issuer(other);
        assert.match(await refused(hub, swapped.token('ann')), /"alg"/);
        assert.match(await refused(hub, swapped.token('ann', { header: { alg: algorithm } })), /signature/);
      }
    });

    test('an expired token is refused', async () => {
      assert.match(await refused(hub, issuer.token('ann', { claims: { iat: now() - 100, exp: now() - 40 } })), /expired/);
    });

    test('a token of the future is refused', async () => {
      assert.match(await refused(hub, issuer.token('ann', { claims: { nbf: now() + 500 } })), /"nbf"/);
      assert.match(await refused(hub, issuer.token('ann', { claims: { iat: now() + 500, exp: now() + 900 } })), /"iat"/);
    });

    test('a wrongly signed token is refused', async () => {
      assert.match(await refused(hub, new Issuer(algorithm).token('ann')), /signature/);
      const [header, , signature] = issuer.token('ann').split('.');
      const [, payload] = issuer.token('bob').split('.');
      assert.match(await refused(hub, `${header}.${payload}.${signature}`), /signature/);
      assert.match(await refused(hub, `${header}.${payload}.`), /signature/);
    });
  });

describe('a token', () => {
  const issuer = new Issuer('ES256'), next = new Issuer('ES256');
  let hub, ann;

  before(async () => {
    hub = await startHub(issuer, { 'jwt.second-key-file': await keyFile(next.key), 'jwt.max-lifetime': '1h' });
    ann = await hub.user('ann');
  });
  after(() => hub.stop());

  async function welcomed(socket) {
    const client = new Client(socket);
    await client.opened;
    const { user } = await client.event('welcome');
    await client.close();
    assert.equal(user.user_id, ann.id);
  }

  test('is presented in the path, as a bearer, as a subprotocol and by a first message', async () => {
    const token = issuer.token('ann');
    await welcomed(new WebSocket(hub.url(token)));
    await welcomed(new WebSocket(hub.url(), { headers: { authorization: `Bearer ${token}` } }));
    await welcomed(new WebSocket(hub.url(), ['hark.v1', `hark.token.${token}`]));
    const client = new Client(new WebSocket(hub.url()));
    await client.opened;
    assert.equal((await client.request('authenticate', { token: issuer.token('ann', { claims: { jti: 'late' } }) })).user_id, ann.id);
    assert.equal((await client.event('welcome')).user.username, 'ann');
    await client.close();
  });

  test('lets in by Socket.IO, and a bad one is refused there too', async () => {
    for (const transports of [['polling'], ['websocket']]) {
      const socket = await connect(hub.origin, '', { token: issuer.token('ann', { claims: { jti: transports[0] } }) }, { mode: { transports } });
      assert.equal((await request(socket, 'ping', { data: 'x' })).data, 'x');
      socket.disconnect();
      await assert.rejects(connect(hub.origin, '', { token: issuer.unsigned('ann') }, { mode: { transports } }), /"alg"/);
    }
  });

  test('says over HTTP who asks, and makes nobody an administrator', async () => {
    const root = await hub.user('root', '--admin');
    assert.equal(await post(hub, 'list_users', root.token), 200);
    assert.equal(await post(hub, 'list_users', issuer.token('root', { claims: { admin: true } })), 403);
    assert.equal(await post(hub, 'list_users', new Issuer('ES256').token('root')), 401);
  });

  const bad = {
    'of another issuer': [{ iss: 'https://id.example/' }, /"iss"/],
    'of no issuer': [{ iss: undefined }, /"iss"/],
    'for others': [{ aud: ['others', 'more'] }, /"aud"/],
    'for nobody': [{ aud: undefined }, /"aud"/],
    'that never expires': [{ exp: undefined }, /"exp" is required/],
    'that lives too long': [{ exp: now() + 7200 }, /lives longer/],
    'whose dates are texts': [{ exp: String(now() + 600) }, /"exp"/],
    'of no user here': [{ sub: 'nobody' }, /"sub" is no user/],
    'of no username': [{ sub: 'Ann' }, /"sub" must be/],
  };
  for (const [what, [claims, why]] of Object.entries(bad))
    test(`${what} is refused`, async () => {
      assert.match(await refused(hub, issuer.token('ann', { claims })), why);
    });

  test('that says what must be understood is refused', async () => {
    assert.match(await refused(hub, issuer.token('ann', { header: { crit: ['exp'], exp: 1 } })), /"crit"/);
  });

  test('that brings or names a key is checked with ours alone', async () => {
    const own = new Issuer('ES256');
    const jwk = { kty: 'EC', crv: 'P-256', x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' };
    assert.match(await refused(hub, own.token('ann', { header: { jwk, kid: '../../etc/passwd', jku: `${hub.origin}/jwks` } })), /signature/);
    await (await Client.connect(hub, issuer.token('ann', { header: { kid: 'unknown' } }))).close();
  });

  test('that is cut, padded or longer than 4,096 bytes is refused', async () => {
    const token = issuer.token('ann');
    assert.match(await refused(hub, token.slice(0, -1)), /signature/);
    assert.match(await refused(hub, `${token}A`), /signature/);
    const client = new Client(new WebSocket(hub.url()));
    await client.opened;
    await client.fails('unauthenticated', 'authenticate', { token: `${token}==` });
    await client.fails('too_large', 'authenticate', { token: issuer.token('ann', { claims: { fill: 'x'.repeat(4096) } }) });
    await client.close();
    assert.equal((await refusal(hub.url(), { headers: { authorization: `Bearer ${issuer.token('ann', { claims: { fill: 'x'.repeat(4096) } })}` } })).status, 401);
  });

  test('for several audiences, ours among them, is taken', async () => {
    await (await Client.connect(hub, issuer.token('ann', { claims: { aud: ['others', 'hark'] } }))).close();
  });

  test('by the issuer\'s next key is taken while it changes keys', async () => {
    await (await Client.connect(hub, next.token('ann'))).close();
    await (await Client.connect(hub, issuer.token('ann'))).close();
  });

  test('is not ended by revoking a stored token', async () => {
    const client = await Client.connect(hub, issuer.token('ann'));
    const { token, token_id } = await hub.ctl('token', 'create', 'ann');
    const other = await Client.connect(hub, token);
    await hub.ctl('token', 'revoke', token_id);
    assert.equal((await other.closed).code, 4001);
    await client.request('get_servers');
    await client.close();
  });

  test('lets nobody in any more once the user is deleted, and its sessions end at once', async () => {
    const bob = await hub.user('bob');
    const token = issuer.token('bob');
    const client = await Client.connect(hub, token), other = await Client.connect(hub, issuer.token('ann'));
    await hub.ctl('user', 'delete', 'bob');
    assert.deepEqual(await client.closed, { code: 4001, reason: 'the account is gone' });
    assert.match(await refused(hub, token), /deleted/);
    assert.notEqual((await hub.user('bob')).id, bob.id);
    assert.match(await refused(hub, token), /deleted/);
    await other.request('get_servers');
    await other.close();
  });

  test('is never in the log, at the most talkative level', async () => {
    const tokens = [issuer.token('ann'), issuer.unsigned('ann'), new Issuer('ES256').token('ann')];
    await (await Client.connect(hub, tokens[0])).close();
    for (const token of tokens.slice(1)) await refused(hub, token);
    const log = hub.log.join('\n');
    assert.ok(log.length > 0);
    for (const token of tokens) for (const part of token.split('.').filter((text) => text)) assert.ok(!log.includes(part), 'a token is in the log');
  });
});

test('a session ends when its token expires, with a code that says so, and is refused then', async (t) => {
  const issuer = new Issuer('EdDSA');
  const hub = await startHub(issuer, { 'jwt.leeway': '0' });
  t.after(() => hub.stop());
  await hub.user('ann');
  const token = issuer.token('ann', { claims: { exp: now() + 10 } });
  const client = await Client.connect(hub, token), other = await Client.connect(hub, issuer.token('ann'));
  assert.deepEqual(await client.closed, { code: 4001, reason: 'the token has expired' });
  assert.match(await refused(hub, token), /expired/);
  await other.request('get_servers');
  await other.close();
});

test('with create-users who is unknown gets an account, which is gone when it is deleted', async (t) => {
  const issuer = new Issuer('RS256');
  const hub = await startHub(issuer, { 'jwt.create-users': 'yes', 'jwt.leeway': '0' });
  t.after(() => hub.stop());
  const token = issuer.token('carla', { claims: { name: 'Carla Jones' } });
  const clients = await Promise.all([1, 2, 3, 4].map(() => Client.connect(hub, token)));
  assert.equal(new Set(clients.map((client) => client.welcome.user.user_id)).size, 1);
  assert.equal(clients[0].welcome.user.displayname, 'Carla Jones');
  assert.equal((await hub.ctl('user', 'show', 'carla')).admin, false);
  const socket = await connect(hub.origin, '', { token: issuer.token('dora') });
  assert.equal((await hub.ctl('user', 'show', 'dora')).displayname, 'dora');
  socket.disconnect();
  const late = new Client(new WebSocket(hub.url()));
  await late.opened;
  await late.request('authenticate', { token: issuer.token('erik') });
  assert.equal((await late.event('welcome')).user.username, 'erik');
  await late.close();
  await hub.ctl('user', 'delete', 'carla');
  for (const client of clients) assert.equal((await client.closed).code, 4001);
  assert.match(await refused(hub, token), /deleted/);
  assert.ok(!(await hub.ctl('user', 'list')).some(({ username }) => username === 'carla'));
  // Who signs in anew is somebody new.
  while ((await refusal(hub.url(issuer.token('carla')))).status !== 101) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.notEqual((await hub.ctl('user', 'show', 'carla')).user_id, clients[0].welcome.user.user_id);
});

test('without an algorithm a JWT lets nobody in', async (t) => {
  const issuer = new Issuer('HS256');
  const hub = await startHub(issuer, { 'jwt.algorithm': 'off' });
  t.after(() => hub.stop());
  await hub.user('ann');
  await refused(hub, issuer.token('ann'));
});

test('--check-config names file, line and key of a key that is missing, too weak or of another kind', async () => {
  const file = join(directory, 'broken.conf');
  const weak = await keyFile('a short secret'), ec = await keyFile(new Issuer('ES256').key);
  const mistakes = async (lines, ...expected) => {
    await writeFile(file, `[jwt]\n${lines.join('\n')}\n`);
    for (const options of [['--check-config'], []]) {
      const error = await run(harkd, ['--config', file, ...options]).then(() => assert.fail('there are mistakes'), (e) => e);
      assert.equal(error.code, 78, error.stderr); // EX_CONFIG
      for (const part of expected) assert.match(error.stderr, part);
    }
  };
  await mistakes(['algorithm=HS512'], /broken\.conf:2: \[jwt\] algorithm: .*HS256/);
  await mistakes(['algorithm=none'], /broken\.conf:2: \[jwt\] algorithm/);
  await mistakes(['algorithm=ES256'], /broken\.conf:2: \[jwt\] key-file/, /broken\.conf:2: \[jwt\] issuer/, /broken\.conf:2: \[jwt\] audience/);
  await mistakes(['algorithm=HS256', 'issuer=a', 'audience=b', `key-file=${weak}`], /broken\.conf:5: \[jwt\] key-file: .*14 bytes/);
  await mistakes(['algorithm=RS256', 'issuer=a', 'audience=b', `key-file=${ec}`], /broken\.conf:5: \[jwt\] key-file: .*RSA/);
  await mistakes(['algorithm=HS256', 'issuer=a', 'audience=b', `key-file=${ec}`], /broken\.conf:5: \[jwt\] key-file: .*no secret/);
  await mistakes(['algorithm=ES256', 'issuer=a', 'audience=b', `key-file=${ec}`, 'second-key-file=/nowhere'], /broken\.conf:6: \[jwt\] second-key-file/);
  await writeFile(file, `[jwt]\nalgorithm=ES256\nissuer=a\naudience=b\nkey-file=${ec}\n`);
  await run(harkd, ['--config', file, '--check-config']);
});
