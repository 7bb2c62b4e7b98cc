import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBatch, encodeBatch } from '@thrum/actors/wire/batch';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { AgentWatch } from './agent-signs.ts';
import { HostTable } from './table.ts';
import { Ticks } from './ticks.ts';

const dictionary = dictionaryOf(catalogue);
const target = dictionary.targets.findIndex(({ name }) => name === 'agent');
const metrics = dictionary.targets[target]?.metrics.map(({ name }) => name) ?? [];
let timeMs = 0;

const newTicks = (): Ticks => new Ticks(new HostTable(1, { maxSeries: 10, maxSlots: 1000 }), () => undefined);
const sample = (ticks: Ticks, said: Readonly<Record<string, number>>): void => {
  timeMs += 1000;
  const values = metrics.map((name) => said[name] ?? 0);
  const decoded = decodeBatch(
    encodeBatch(dictionary, 1, 1, [{ target, fields: [], timeMs, values }]).bytes,
    dictionary,
  );
  assert.ok(decoded.ok);
  ticks.accept(decoded.batch);
};
const calm = { dropped: false, lost: false, diskFailing: false };

test('an agent that says nothing of its queue gives no sign', () => {
  assert.equal(new AgentWatch().look(newTicks()), undefined);
});

test('each sample is looked at once', () => {
  const [watch, ticks] = [new AgentWatch(), newTicks()];
  sample(ticks, {});
  assert.deepEqual(watch.look(ticks), calm);
  assert.equal(watch.look(ticks), undefined);
});

test('a disk that takes nothing is a sign for as long as it is said', () => {
  const [watch, ticks] = [new AgentWatch(), newTicks()];
  const said = [0, 1, 1, 0].map((queue_degraded) => {
    sample(ticks, { queue_degraded });
    return watch.look(ticks)?.diskFailing;
  });
  assert.deepEqual(said, [false, true, true, false]);
});

test('batches given up are a sign when their number grew', () => {
  const [watch, ticks] = [new AgentWatch(), newTicks()];
  const said = [5, 5, 6, 6].map((queue_dropped) => {
    sample(ticks, { queue_dropped });
    return watch.look(ticks)?.dropped;
  });
  assert.deepEqual(said, [false, false, true, false]);
});

test('samples missing for good are a sign when more are missing than before, also over a start of the agent', () => {
  const [watch, ticks] = [new AgentWatch(), newTicks()];
  const lost = (samples_gap: number): boolean | undefined => {
    sample(ticks, { samples_gap });
    return watch.look(ticks)?.lost;
  };
  assert.deepEqual([700, 700, 1400, 1400].map(lost), [false, false, true, false]);
  ticks.restart();
  assert.equal(lost(1401), true);
  assert.deepEqual([0, 3].map(lost), [false, true], 'another queue begins at nothing');
});

test('a new table is no sign', () => {
  const watch = new AgentWatch();
  for (const ticks of [newTicks(), newTicks()]) {
    sample(ticks, { samples_gap: 7 });
    assert.deepEqual(watch.look(ticks), calm);
  }
});
