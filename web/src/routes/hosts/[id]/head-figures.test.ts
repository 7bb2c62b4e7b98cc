import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Table } from '@thrum/actors/wire/frame';
import { slotsOf, sumOf } from './head-figures.ts';

const table: Table = {
  id: 1,
  series: [
    { target: 'cpu', fields: ['0'], metrics: ['usage', 'user'] },
    { target: 'cpu', fields: ['total'], metrics: ['usage', 'user'] },
    { target: 'network', fields: ['lo'], metrics: ['received_bytes'] },
    { target: 'network', fields: ['eth0'], metrics: ['received_bytes'] },
    { target: 'network', fields: ['eth1'], metrics: ['received_bytes'] },
  ],
};

test('CPU is that of all cores together, network that of all interfaces but the loop-back', () => {
  assert.deepEqual(slotsOf(table, 'cpu', 'usage'), [2]);
  assert.deepEqual(slotsOf(table, 'network', 'received_bytes'), [5, 6]);
  assert.deepEqual(slotsOf(table, 'memory', 'usage'), []);
});

test('a sum of nothing known is unknown, not zero', () => {
  assert.equal(sumOf([1, Number.NaN, undefined, 2]), 3);
  assert.equal(sumOf([Number.NaN, undefined]), undefined);
  assert.equal(sumOf([]), undefined);
});
