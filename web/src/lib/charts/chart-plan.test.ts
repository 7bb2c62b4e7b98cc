import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue } from '@thrum/actors/wire/catalogue';
import type { Table } from '@thrum/actors/wire/frame';
import { planCharts } from './chart-plan.ts';

const all = (name: string): string[] => catalogue.find((one) => one.name === name)?.metrics.map((m) => m.name) ?? [];

const table: Table = {
  id: 1,
  series: [
    { target: 'agent', fields: [], metrics: all('agent') },
    { target: 'disk', fields: ['sda'], metrics: all('disk') },
    { target: 'network', fields: ['eth10'], metrics: all('network') },
    { target: 'network', fields: ['eth2'], metrics: all('network') },
    { target: 'cpu', fields: ['total'], metrics: ['usage', 'user', 'system'] },
    { target: 'mail_queue', fields: [], metrics: ['waiting_letters'] },
  ],
};

test('CPU stands first, what is unknown here last, instances as people count', () => {
  const plans = planCharts(table, catalogue);
  assert.deepEqual(
    plans.map((plan) => plan.target),
    ['cpu', 'network', 'disk', 'agent', 'mail_queue'],
  );
  assert.deepEqual(plans[1]?.instances, [['eth2'], ['eth10']]);
});

test('every chart the catalogue declares for a measured target is planned', () => {
  for (const plan of planCharts(table, catalogue)) {
    const declared = catalogue.find((one) => one.name === plan.target);
    if (declared)
      assert.deepEqual(
        plan.charts.map((chart) => chart.title),
        declared.charts.map((chart) => chart.title),
      );
  }
});

test('a metric the host does not measure is no line', () => {
  const cpu = planCharts(table, catalogue)[0];
  assert.deepEqual(
    cpu?.charts[0]?.lines.map((line) => line.metric),
    ['user', 'system'],
  );
  const { max, stacked } = cpu.charts.at(0) ?? {};
  assert.deepEqual([max, stacked], [100, true]);
});

test('counters are rates, and what leaves is drawn below zero', () => {
  const traffic = planCharts(table, catalogue)[1]?.charts[0];
  assert.deepEqual(
    [traffic?.quantity, ...(traffic?.lines.map((line) => [line.metric, line.below]) ?? [])],
    [{ unit: 'bytes', rate: true }, ['received_bytes', false], ['sent_bytes', true]],
  );
});

test('a target nobody declared gets a chart for each of its metrics', () => {
  const other = planCharts(table, catalogue).at(-1);
  assert.deepEqual(
    other?.charts.map((chart) => chart.title),
    ['mail queue waiting letters'],
  );
});
