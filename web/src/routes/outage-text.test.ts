import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outageText } from './outage-text.ts';

const sinceMs = new Date(2026, 2, 5, 3, 12).getTime();
const laterMs = (hours: number): number => sinceMs + hours * 3_600_000;

test('an outage says what is delayed, since when, and what goes on', () => {
  assert.equal(
    outageText({ sinceMs, nodes: undefined }, laterMs(1)),
    'History is delayed: the store has not answered since 03:12:00. Live values go on; agents keep on their disks what is not stored (72 h of it or 2 GiB each, unless set otherwise).',
  );
});

test('an outage of some ingest nodes names them, and one of another day its date', () => {
  assert.match(
    outageText({ sinceMs, nodes: ['ingest-1', 'ingest-3'] }, laterMs(48)),
    /^Some history is delayed: the store has not answered ingest-1, ingest-3 since 5 Mar 03:12:00\./,
  );
});
