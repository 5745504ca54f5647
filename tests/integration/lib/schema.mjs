// SPDX-License-Identifier: LGPL-2.1-or-later
// The schemas of doc/schema, held against every native frame that a test sees: what the daemon sends must be what is written
// there, and so must what a test sends, unless it is meant to be refused.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export const schemaDirectory = fileURLToPath(new URL('../../../doc/schema/', import.meta.url));

// An event of an application may be of any type that its publisher chose; these members tell it from others.
const PUBLICATION = ['data', 'seq', 'topic', 'type'];

export const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, allErrors: true });
addFormats(ajv);

function load(path) {
  const schema = JSON.parse(readFileSync(join(schemaDirectory, path), 'utf8'));
  if (schema.$id !== `/schema/${path}`) throw new Error(`doc/schema/${path}: its $id is ${schema.$id}`);
  ajv.addSchema(schema);
  return schema;
}

function loadKind(kind) {
  const names = readdirSync(join(schemaDirectory, kind)).filter((name) => name.endsWith('.json')).sort();
  return new Map(names.map((name) => [name.slice(0, -'.json'.length), load(`${kind}/${name}`)]));
}

// Each a schema, by message type; `top` those that stand alone.
export const schemas = {
  top: new Map([['common', load('common.json')], ['error', load('error.json')]]),
  request: loadKind('request'), reply: loadKind('reply'), event: loadKind('event'),
};

function complaints(path, frame) {
  const validate = ajv.getSchema(`/schema/${path}.json`);
  if (validate(frame)) return null;
  return validate.errors.map((e) => `${path}: ${e.instancePath || '/'} ${e.message} ${JSON.stringify(e.params)}`);
}

function check(frame, paths) {
  const found = [];
  for (const path of paths) {
    const wrong = complaints(path, frame);
    if (wrong === null) return;
    found.push(...wrong);
  }
  const what = paths.length > 0 ? found.join('\n  ') : `there is no schema for it`;
  throw new Error(`a frame is not as doc/schema has it:\n  ${JSON.stringify(frame)}\n  ${what}`);
}

function isPublication(frame) {
  return Object.keys(frame).sort().join() === PUBLICATION.join();
}

// What the daemon sends. A reply without `ref` cannot be told from an event by the envelope: it must be one of the two.
export function checkOut(frame) {
  const { type } = frame;
  if (type === 'error') return check(frame, ['error']);
  const paths = schemas.reply.has(type) ? [`reply/${type}`] : [];
  if (frame.ref === undefined) {
    if (schemas.event.has(type)) paths.push(`event/${type}`);
    else if (isPublication(frame)) paths.push('event/publication');
  }
  check(frame, paths);
  for (const topic of type === 'resume' ? frame.topics : []) topic.events?.forEach(checkOut);
}

// What a test sends and means to be right. null is as good as absent.
export function checkIn(frame) {
  const given = Object.fromEntries(Object.entries(frame).filter(([, value]) => value !== null));
  check(given, schemas.request.has(frame.type) ? [`request/${frame.type}`] : []);
}

// A native frame as it came: its text, checked.
export function readFrame(data) {
  const frame = JSON.parse(data.toString());
  checkOut(frame);
  return frame;
}
