import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '@thrum/actors/wire/limits';
import { readEvents } from './event-reader.ts';

const event = { kind: 'start', id: '7-1', timeMs: 1000, facts: { version: '0.1.0', produced: 5 } };
const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const problemOf = (bytes: unknown): string => {
  const read = readEvents(bytes);
  assert.equal(read.ok, false);
  return `${read.code} ${read.detail}`;
};

test('events are read as they were told', () => {
  const message = { epoch: 7, seq: 3, events: [event] };
  assert.deepEqual(readEvents(bytesOf(message)), { ok: true, message });
});

test('a kind and facts that nobody here knows are kept', () => {
  const message = { epoch: 7, seq: 3, events: [{ ...event, kind: 'full-moon', facts: { wolf: true } }] };
  assert.deepEqual(readEvents(bytesOf(message)), { ok: true, message });
});

test('what is no message of events is refused with what is wrong with it', () => {
  assert.equal(problemOf('{}'), 'malformed events: not bytes');
  assert.equal(problemOf(Buffer.from('{')), 'malformed events: no JSON in UTF-8');
  assert.equal(problemOf(Buffer.of(0x22, 0xff, 0x22)), 'malformed events: no JSON in UTF-8');
  assert.match(problemOf(bytesOf({ epoch: 1, seq: 1, events: [] })), /^malformed events: events: /);
  assert.match(problemOf(bytesOf({ epoch: -1, seq: 1, events: [event] })), /^malformed events: epoch: /);
  assert.match(problemOf(bytesOf({ epoch: 1, seq: 1, events: [{ ...event, id: '../x' }] })), /events\.0\.id/);
  assert.match(problemOf(bytesOf({ epoch: 1, seq: 1, events: [{ ...event, facts: { A: 1 } }] })), /^malformed events/);
});

test('events beyond the largest size are too large, however they are made up', () => {
  const bytes = Buffer.alloc(limits.maxEventsBytes + 1, 0x20);
  assert.match(problemOf(bytes), /^too-large events: 65537 bytes/);
  assert.match(problemOf(Buffer.from('['.repeat(limits.maxEventsBytes))), /^malformed/);
});
