// SPDX-License-Identifier: LGPL-2.1-or-later
// An issuer of JWTs, with node's own cryptography: keys, tokens as they should be, and tokens as they should not.
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const pairs = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

export const ALGORITHMS = ['HS256', ...Object.keys(pairs)];

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export const now = () => Math.floor(Date.now() / 1000);

export class Issuer {
  constructor(algorithm, { secret, iss = 'https://id.example', aud = 'hark' } = {}) {
    Object.assign(this, { algorithm, iss, aud });
    if (algorithm === 'HS256') {
      this.secret = secret ?? randomBytes(32).toString('hex');
      this.key = this.secret;
    } else {
      const { publicKey, privateKey } = pairs[algorithm]();
      this.private = privateKey;
      this.key = publicKey.export({ type: 'spki', format: 'pem' });
    }
  }

  signature(text) {
    if (this.algorithm === 'HS256') return createHmac('sha256', this.secret).update(text).digest();
    // JOSE has the two numbers of ECDSA side by side.
    return sign(this.algorithm === 'EdDSA' ? null : 'sha256', Buffer.from(text), { key: this.private, dsaEncoding: 'ieee-p1363' });
  }

  // Claims that are undefined are left away.
  claims(sub, more = {}) {
    return { iss: this.iss, aud: this.aud, sub, iat: now(), exp: now() + 600, ...more };
  }

  token(sub, { claims = {}, header = {} } = {}) {
    const text = `${encode({ alg: this.algorithm, typ: 'JWT', ...header })}.${encode(this.claims(sub, claims))}`;
    return `${text}.${this.signature(text).toString('base64url')}`;
  }

  // What says `none`, and is signed by nobody.
  unsigned(sub) {
    return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(this.claims(sub))}.`;
  }
}
