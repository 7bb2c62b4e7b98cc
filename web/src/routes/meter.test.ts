import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { flushSync, mount, unmount } from 'svelte';
import Meter from './Meter.svelte';

let mounted: object | undefined;
afterEach(async () => {
  if (mounted) await unmount(mounted);
});

const show = (value: number | undefined, stale = false): HTMLElement => {
  mounted = mount(Meter, {
    target: document.body,
    props: {
      metric: 'cpu.usage',
      name: 'CPU',
      value,
      quantity: { unit: '%', rate: false },
      sampleMs: value === undefined ? undefined : 1000,
      color: '--blue',
      whole: 100,
      stale,
    },
  });
  flushSync();
  const meter = document.querySelector<HTMLElement>('[data-metric="cpu.usage"]');
  assert.ok(meter);
  return meter;
};

test('a figure shows its number, its unit and the raw value for machines', () => {
  const meter = show(38.26);
  assert.equal(meter.querySelector('.number')?.textContent, '38%');
  assert.equal(meter.dataset['value'], '38.26');
  assert.equal(meter.dataset['sampleMs'], '1000');
  assert.equal(meter.querySelector<HTMLElement>('.fill')?.style.transform, 'scaleX(0.3826)');
});

test('unknown is a dash without a bar, never a zero', () => {
  const meter = show(undefined);
  assert.equal(meter.querySelector('.number')?.textContent, '–');
  assert.equal(meter.dataset['value'], '');
  assert.equal(meter.querySelector('.fill'), null);
});

test('an old value stays and is grey', () => {
  const meter = show(12, true);
  assert.equal(meter.querySelector('.number')?.textContent, '12%');
  assert.ok(meter.classList.contains('stale'));
});
