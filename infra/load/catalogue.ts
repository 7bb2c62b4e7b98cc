/**
 * The targets of a simulated fleet, which no real host has: `load_1` to `load_N` with as many metrics as wanted. An ingest node knows
 * them from a file (THRUM_CATALOGUE) that this writes: `node infra/load/catalogue.ts FILE [TARGETS VALUES]`.
 */
import { writeFileSync } from 'node:fs';
import { counter, gauge, level, target, type Metric, type Target } from '@thrum/actors/wire/schema';
import { behaviorOf } from './signals.ts';

const metric = (index: number): Metric => {
  const name = `value_${String(index).padStart(3, '0')}`;
  const behavior = behaviorOf(index);
  if (behavior === 'constant') return level(name, 'count', 'A number that stays as it is.');
  if (behavior === 'counter') return counter(name, 'count', 'A counter that grows at a pace of its own.');
  return gauge(name, '%', 'A level that wanders between 0 and 100.');
};

export const simulatedCatalogue = (targets: number, values: number): readonly Target[] =>
  Array.from({ length: targets }, (_, i) =>
    target({
      name: `load_${i + 1}`,
      title: `Simulated load ${i + 1}`,
      sentence: 'Values of a simulated agent, for measuring the platform itself.',
      fields: [{ name: 'source', sentence: 'Name of the simulated source.' }],
      metrics: Array.from({ length: values }, (_, k) => metric(k)),
      charts: [],
    }),
  );

export const writeCatalogue = (path: string, targets: number, values: number): void =>
  writeFileSync(path, `${JSON.stringify(simulatedCatalogue(targets, values), undefined, 1)}\n`);

if (import.meta.main) {
  const [path, targets = '7', values = '100'] = process.argv.slice(2);
  if (path === undefined || !/^[1-9]\d{0,2}$/.test(targets) || !/^[1-9]\d{0,2}$/.test(values)) {
    console.error('Usage: node infra/load/catalogue.ts FILE [TARGETS=7] [VALUES=100], each from 1 to 999');
    process.exit(2);
  }
  writeCatalogue(path, Number(targets), Number(values));
  console.log(`${targets} targets of ${values} metrics in ${path}: start ingest with THRUM_CATALOGUE=${path}`);
}
