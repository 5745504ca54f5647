// SPDX-License-Identifier: LGPL-2.1-or-later
// doc/schema is sound and complete: valid schemas, each with an example and each field described, for every request that
// the sources register and every event that they write. That frames are as the schemas say is seen by all other tests.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ajv, checkIn, checkOut, schemas } from './lib/schema.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}doc/protocol.md`, 'utf8');
const sources = readdirSync(`${root}src`, { recursive: true }).filter((name) => name.endsWith('.c'))
  .map((name) => readFileSync(`${root}src/${name}`, 'utf8')).join('\n');

const messages = ['request', 'reply', 'event'].flatMap((kind) => [...schemas[kind]].map(([name, schema]) => ({ kind, name, schema })));

function commands() {
  const found = new Map();
  for (const [, name, flags] of sources.matchAll(/^ {2}\{ "(\w+)", (HARK_COMMAND_\w+(?: \| HARK_COMMAND_\w+)*), [^{}]*\bon_\w+ \}/gm)) found.set(name, flags);
  return found;
}

// Types of events, where they are begun with a constant.
function eventTypes() {
  return new Set([...sources.matchAll(/\b(?:hark_draft_begin|hark_channel_emit|begin|emit_removed|emit) \((?![^;]*"error")[^;|{]*?"(\w+)"/g)].map(([, name]) => name));
}

function shownInPage({ kind, name }) {
  return [...page.matchAll(/^\w+ ([<>]) (\{.*\})$/gm)].some(([, direction, text]) => {
    if (JSON.parse(text).type !== name) return false;
    if (kind === 'request') return direction === '>';
    // An event has a seq or comes unasked; a reply to a request with a ref has it.
    return direction === '<' && (kind === 'reply') === (JSON.parse(text).ref !== undefined);
  });
}

test('every schema is a valid one', () => {
  for (const [name] of schemas.top) assert.ok(ajv.getSchema(`/schema/${name}.json`), name);
  for (const { kind, name } of messages) assert.ok(ajv.getSchema(`/schema/${kind}/${name}.json`), `${kind}/${name}`);
});

test('every message has an example, in protocol.md or in its schema, and those in schemas are right', () => {
  const without = messages.filter((m) => !m.schema.examples && !shownInPage(m)).map(({ kind, name }) => `${kind}/${name}`);
  assert.deepEqual(without, []);
  for (const { kind, schema } of [...messages, { kind: 'error', schema: schemas.top.get('error') }])
    for (const example of schema.examples ?? []) (kind === 'request' ? checkIn : checkOut)(example);
});

test('every message has a title and a description, and every field says what it is', () => {
  const silent = [];
  const walk = (schema, where) => {
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      if (!field.description && !field.$ref) silent.push(`${where}/${name}`);
      walk(field, `${where}/${name}`);
    }
    if (schema.items) walk(schema.items, `${where}[]`);
    for (const option of schema.anyOf ?? []) walk(option, where);
  };
  for (const { kind, name, schema } of messages) {
    assert.ok(schema.title && schema.description, `${kind}/${name}`);
    walk(schema, `${kind}/${name}`);
  }
  for (const [name, schema] of Object.entries(schemas.top.get('common').$defs)) {
    assert.ok(schema.title, `common ${name}`);
    walk(schema, `common ${name}`);
  }
  assert.deepEqual(silent, []);
});

// What only administrators may ask is described with the D-Bus interfaces too, and may do without.
test('every request that is registered has a schema, and so has its reply', () => {
  const registered = commands();
  assert.ok(registered.size >= 35, `${registered.size} found`);
  for (const kind of ['request', 'reply']) {
    const missing = [...registered].filter(([name, flags]) => !schemas[kind].has(name) && !flags.includes('HARK_COMMAND_ADMIN'));
    assert.deepEqual(missing.map(([name]) => name), [], `without doc/schema/${kind}/NAME.json`);
    assert.deepEqual([...schemas[kind].keys()].filter((name) => !registered.has(name)), [], `${kind}s that there are not`);
  }
});

test('every event that is written has a schema', () => {
  const types = eventTypes();
  assert.ok(types.size >= 8, `${types.size} found`);
  assert.deepEqual([...types].filter((name) => !schemas.event.has(name)), []);
});

test('a frame that is not as its schema says is refused by the check that all tests make', () => {
  assert.throws(() => checkOut({ type: 'nothing_of_ours' }), /no schema/);
  assert.throws(() => checkOut({ type: 'get_servers', ref: 1, servers: [{ server_id: 7 }], rev: 1 }), /servers\/0/);
  assert.throws(() => checkOut({ type: 'mark_read', ref: 1, channel_id: '7', unread: 0, more: 1 }), /additional properties/);
  assert.throws(() => checkOut({ type: 'error', code: 'bad', message: '' }), /\/code/);
  assert.throws(() => checkIn({ type: 'get_messages' }), /channel_id/);
  checkOut({ type: 'deployed', seq: 1, topic: 'app/x', data: {} });
});
