import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger, noSums, type DifferenceKind, type Produced, type Stored } from './ledger.ts';

const host = '11111111-1111-4111-8111-111111111111';
const sample = (seq: number, of: Partial<Produced> = {}): Produced => ({
  host,
  target: 'cpu',
  fields: ['total'],
  timeMs: 1000 * seq,
  epoch: 7,
  seq,
  index: 0,
  values: { usage: 5, idle: 95 },
  segment: 'a',
  ...of,
});
const stored = (one: Produced, of: Partial<Stored> = {}): Stored => ({
  host: one.host,
  target: one.target,
  fields: one.fields,
  timeMs: one.timeMs,
  values: one.values,
  index: 'x-1s-cpu-2026.11.22',
  ...of,
});
const kinds = (ledger: Ledger, refused = new Map<string, string>()): DifferenceKind[] =>
  ledger.finish(refused, []).differences.map((one) => one.kind);
const id = (seq: number, index = 0): string => `${host}:7:${seq}:${index}`;

test('what is stored, refused or in a gap is no difference, and each is counted', () => {
  const ledger = new Ledger();
  for (const seq of [1, 2, 3, 4]) ledger.produced(sample(seq));
  ledger.stored(stored(sample(1), { values: { idle: 95, usage: 5 } }));
  ledger.stored(stored(sample(4)));
  const gap = { host, epoch: 7, firstSeq: 3, lastSeq: 9, samples: 1, reason: 'damaged' };
  const findings = ledger.finish(new Map([[id(2), 'time-ahead']]), [gap]);
  assert.deepEqual(findings.differences, []);
  assert.deepEqual(findings.hosts.get(host), {
    ...noSums,
    ...{ durable: 4, stored: 2, refused: 1, gap: 1, storedInGap: 1 },
  });
});

test('a sample that is nowhere is lost, also when a gap of another epoch or host would cover it', () => {
  const ledger = new Ledger();
  ledger.produced(sample(1));
  const gaps = [
    { host, epoch: 8, firstSeq: 0, lastSeq: 9, samples: 0, reason: 'full' },
    { host: 'other', epoch: 7, firstSeq: 0, lastSeq: 9, samples: 0, reason: 'full' },
    { host, epoch: 7, firstSeq: 1, lastSeq: 0, samples: 0, reason: 'unclean' },
  ];
  assert.deepEqual(
    ledger.finish(new Map(), gaps).differences.map((one) => one.kind),
    ['lost'],
  );
});

test('other values, a second document, one that no agent had, and a dead letter beside a document are told apart', () => {
  const ledger = new Ledger();
  for (const seq of [1, 2, 3]) ledger.produced(sample(seq));
  ledger.stored(stored(sample(1), { values: { usage: 6, idle: 95 } }));
  ledger.stored(stored(sample(2)));
  ledger.stored(stored(sample(2)));
  ledger.stored(stored(sample(3)));
  ledger.stored(stored(sample(99)));
  const refused = new Map([
    [id(3), 'collision'],
    [id(1), 'collision'],
    [id(50), 'time-ahead'],
  ]);
  assert.deepEqual(kinds(ledger, refused), [
    'altered',
    'stored twice',
    'unknown',
    'stored and refused',
    'refused unknown',
  ]);
});

test('of two samples with one place one is stored and the other has to be accounted for', () => {
  const first = sample(1);
  const second = sample(2, { timeMs: first.timeMs, values: { usage: 50, idle: 50 } });
  const both = (): Ledger => {
    const ledger = new Ledger();
    ledger.produced(first);
    ledger.produced(second);
    ledger.stored(stored(second));
    return ledger;
  };
  assert.deepEqual(kinds(both()), ['lost']);
  assert.deepEqual(kinds(both(), new Map([[id(1), 'collision']])), []);
  const twice = both();
  twice.stored(stored(first));
  assert.deepEqual(kinds(twice), ['stored twice']);
});

test('of equal samples with one place the one document is that of both', () => {
  const ledger = new Ledger();
  ledger.produced(sample(1));
  ledger.produced(sample(2, { timeMs: 1000 }));
  ledger.stored(stored(sample(1)));
  const findings = ledger.finish(new Map(), []);
  assert.deepEqual(findings.differences, []);
  assert.equal(findings.hosts.get(host)?.stored, 2);
});

test('the same record in two files counts once; another under its name is a difference', () => {
  const ledger = new Ledger();
  ledger.produced(sample(1));
  ledger.produced(sample(1, { segment: 'b' }));
  ledger.stored(stored(sample(1)));
  assert.equal(ledger.size, 1);
  assert.deepEqual(kinds(ledger), []);
  ledger.produced(sample(1, { values: { usage: 1 } }));
  assert.deepEqual(kinds(ledger), ['two of one name']);
});

test('while its disk took nothing an agent may store what only its memory knew, once', () => {
  const ledger = new Ledger({ memoryOnly: (of, timeMs) => of === host && timeMs >= 5000 && timeMs < 9000 });
  ledger.stored(stored(sample(5)));
  ledger.stored(stored(sample(4)));
  ledger.stored(stored(sample(5)));
  const findings = ledger.finish(new Map(), []);
  assert.deepEqual(
    findings.differences.map((one) => [one.kind, one.timeMs]),
    [
      ['unknown', 4000],
      ['unknown', 5000],
    ],
  );
  assert.equal(findings.hosts.get(host)?.storedFromMemory, 1);
});
