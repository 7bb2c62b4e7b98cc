/**
 * What a queue was given and what became of it: a plain list to judge a queue by, for tests. Everything the queue promises is stated here
 * once, and holds for a queue that runs as for one that was found again after a crash:
 *
 * I1 what was safe is readable, acknowledged, or in a gap · I2 what is readable was appended, byte for byte · I3 in order, each once ·
 * I4 what was acknowledged may come back, what was not never vanishes without a gap over it · I7 the account adds up, and each of its numbers
 * is that of the list · I8 a gap that was given out stays as it was · I9 epochs grow · I10 a gap is told by a record, or given out again, until a
 * record that tells it was acknowledged.
 */
import assert from 'node:assert/strict';
import {
  comparePositions,
  isWithin,
  type Account,
  type Gap,
  type Position,
  type QueuedBatch,
  type RefusedOf,
  type SeqRange,
} from './queue.ts';

export type Entry = {
  readonly record: QueuedBatch;
  /** `offered`: its append has not returned; `kept`: in memory only, the disk was failing; `safe`: on disk. */
  readonly state: 'offered' | 'kept' | 'safe';
  /** Samples of it that were refused; `undefined` until it was acknowledged. */
  readonly acked: number | undefined;
  /** Which acknowledgement of all it was, counted from 1. */
  readonly ackedAs?: number;
};

/** What a queue says of itself. `gaps`: all it still keeps, where they are known. */
export type Found = {
  readonly records: readonly QueuedBatch[];
  readonly gaps: readonly Gap[] | undefined;
  readonly account: Account;
};

export type Judgment = { readonly gapped: readonly Entry[]; readonly lost: readonly Entry[] };

export type Ledger = {
  entries: Map<string, Entry>;
  /** Gaps given out, by id. */
  given: Map<string, Gap>;
  /** Which record tells a gap, by the id of the gap. */
  told: Map<string, Position>;
  /** Gaps whose record was acknowledged. */
  ended: Set<string>;
  /** Some bytes of the disk were damaged: the numbers may be wrong then, the records not. */
  isDamaged: boolean;
  acknowledgements: number;
};

export const emptyLedger = (): Ledger => ({
  entries: new Map(),
  given: new Map(),
  told: new Map(),
  ended: new Set(),
  isDamaged: false,
  acknowledgements: 0,
});

/** As it is now; a later change of one is not seen in the other. */
export const copyLedger = (ledger: Ledger): Ledger => ({
  ...ledger,
  entries: new Map(ledger.entries),
  given: new Map(ledger.given),
  told: new Map(ledger.told),
  ended: new Set(ledger.ended),
});

export const nameOf = ({ epoch, seq }: { epoch: number; seq: number }): string => `${epoch}/${seq}`;

const samplesOf = (entries: Iterable<Entry>): number => {
  let sum = 0;
  for (const { record } of entries) sum += record.samples;
  return sum;
};

export const covers = (gap: Gap, { epoch, seq }: QueuedBatch): boolean =>
  gap.epoch === epoch && gap.firstSeq <= seq && seq <= gap.lastSeq;

/** A gap of which nobody knows the numbers covers a time, or (a whole file is gone) records of epochs before. */
export const coversTime = (gap: Gap, { timeMs, epoch }: QueuedBatch): boolean =>
  gap.lastSeq < gap.firstSeq &&
  ((gap.fromMs <= timeMs && timeMs <= gap.toMs) || (gap.reason === 'damaged' && epoch < gap.epoch));

export const offer = ({ entries }: Ledger, record: QueuedBatch): void =>
  void entries.set(nameOf(record), { record, state: 'offered', acked: undefined });

export const setState = ({ entries }: Ledger, record: QueuedBatch, state: Entry['state']): void => {
  const entry = entries.get(nameOf(record));
  if (entry) entries.set(nameOf(record), { ...entry, state });
};

/** Everything that is kept is on disk again. */
export const allSafe = (ledger: Ledger): void => {
  for (const [name, entry] of ledger.entries)
    if (entry.state === 'kept') ledger.entries.set(name, { ...entry, state: 'safe' });
};

/** How many records an acknowledgement lets go, of those that can be read. */
export const acknowledge = (
  ledger: Ledger,
  readable: ReadonlySet<string>,
  epoch: number,
  ranges: readonly SeqRange[],
  refused: readonly RefusedOf[],
): number => {
  const { entries } = ledger;
  let went = 0;
  ledger.acknowledgements += 1;
  for (const [name, entry] of entries) {
    const { record, acked } = entry;
    if (record.epoch !== epoch || acked !== undefined || !readable.has(name)) continue;
    if (!isWithin(ranges, record.seq)) continue;
    const asked = refused.reduce((sum, one) => sum + (one.seq === record.seq ? one.samples : 0), 0);
    const turnedDown = Math.min(asked, record.samples);
    entries.set(name, { ...entry, acked: turnedDown, ackedAs: ledger.acknowledgements });
    for (const [id, at] of ledger.told) if (nameOf(at) === name) ledger.ended.add(id);
    went += 1;
  }
  return went;
};

const sameRecord = (a: QueuedBatch, b: QueuedBatch): boolean =>
  a.kind === b.kind &&
  a.timeMs === b.timeMs &&
  a.dictionary === b.dictionary &&
  a.samples === b.samples &&
  Buffer.compare(a.bytes, b.bytes) === 0;

/** I2, I3 and I8: of what can be read. */
export const checkRecords = ({ entries, given, isDamaged }: Ledger, records: readonly QueuedBatch[]): void => {
  for (const [i, record] of records.entries()) {
    const entry = entries.get(nameOf(record));
    assert.ok(entry, `I2: ${nameOf(record)} is readable and was never appended`);
    assert.ok(sameRecord(record, entry.record), `I2: ${nameOf(record)} is not what was appended`);
    const before = records[i - 1];
    if (before) assert.ok(comparePositions(before, record) < 0, `I3: ${nameOf(record)} behind ${nameOf(before)}`);
    if (isDamaged) continue;
    for (const gap of given.values())
      assert.ok(!covers(gap, record), `I8: ${nameOf(record)} is readable, and in the gap ${gap.id} that was given out`);
  }
};

/** I10: of all gaps that a queue keeps. */
const checkTold = ({ given, told, ended }: Ledger, readable: ReadonlySet<string>, gaps: readonly Gap[]): void => {
  const untold = new Set(gaps.map(({ id }) => id));
  for (const id of given.keys()) {
    const at = told.get(id);
    const isTold = at !== undefined && readable.has(nameOf(at));
    assert.ok(
      ended.has(id) || isTold || untold.has(id),
      `I10: the gap ${id} is told by nothing (${at ? nameOf(at) : ''})`,
    );
  }
};

export const checkSum = ({ produced, stored, refused, gap, queued }: Account): void => {
  for (const [name, value] of Object.entries({ produced, stored, refused, gap, queued }))
    assert.ok(Number.isSafeInteger(value) && value >= 0, `I7: ${name} is ${value}`);
  assert.equal(produced, stored + refused + gap + queued, 'I7: the account does not add up');
};

/** Of records that lay in memory only when they were acknowledged and a crash came: a checkpoint may know of those that were acknowledged first. */
const knownOf = (unsure: readonly Entry[], produced: number, certain: number): number | undefined => {
  let sum = 0;
  for (let known = 0; ; known += 1) {
    if (certain + sum === produced) return known;
    const next = unsure[known];
    if (!next) return undefined;
    sum += next.record.samples;
  }
};

/**
 * Judges what a queue says of itself. Throws when a promise is broken. `crashed`: it was found again after a crash, so that what was not safe
 * may be gone (covered by a gap that says so), and what was acknowledged may be back. Without `gaps` those are not known, and what is missing
 * is taken to be in one.
 */
export const judge = (ledger: Ledger, found: Found, { crashed }: { crashed: boolean }): Judgment => {
  const { entries, isDamaged } = ledger;
  const { records, account } = found;
  checkRecords(ledger, records);
  checkSum(account);
  const gaps = found.gaps && [
    ...new Map([...ledger.given, ...found.gaps.map((gap) => [gap.id, gap] as const)]).values(),
  ];
  const readable = new Set(records.map(nameOf));
  if (found.gaps && !isDamaged) checkTold(ledger, readable, found.gaps);
  const [gapped, lost, settled, queued, unsure]: [Entry[], Entry[], Entry[], Entry[], Entry[]] = [[], [], [], [], []];
  for (const [name, entry] of entries) {
    const { record, state, acked } = entry;
    if (readable.has(name)) {
      if (!crashed) {
        assert.ok(state !== 'offered', `I1: ${name} is readable before its append returned`);
        assert.ok(acked === undefined, `I4: ${name} is readable although it was acknowledged`);
      }
      queued.push(entry);
    } else if (acked !== undefined) (crashed && state !== 'safe' ? unsure : settled).push(entry);
    else if (gaps ? gaps.some((gap) => covers(gap, record)) : state !== 'offered') gapped.push(entry);
    else if (state === 'safe' || (state === 'kept' && !crashed)) {
      const byTime = isDamaged && gaps?.some((gap) => coversTime(gap, record)) === true;
      assert.ok(byTime, `I1, I4: ${name} (${state}) is neither readable nor acknowledged nor in a gap`);
      lost.push(entry);
    } else (crashed ? lost : queued).push(entry);
  }
  if (isDamaged) return { gapped, lost };
  if (crashed)
    for (const { record } of lost)
      assert.ok(
        gaps?.some((gap) => coversTime(gap, record)),
        `I4: ${nameOf(record)} of ${record.timeMs} was lost with the crash, and no gap says so: ${JSON.stringify(gaps)}`,
      );
  const certain = samplesOf([...gapped, ...settled, ...queued]);
  unsure.sort((a, b) => (a.ackedAs ?? 0) - (b.ackedAs ?? 0));
  const known = knownOf(unsure, account.produced, certain);
  assert.ok(known !== undefined, `I7: produced is ${account.produced}, the list says ${certain}`);
  settled.push(...unsure.slice(0, known));
  lost.push(...unsure.slice(known));
  const refused = settled.reduce((sum, { acked = 0 }) => sum + acked, 0);
  assert.deepEqual(
    account,
    {
      produced: account.produced,
      stored: samplesOf(settled) - refused,
      refused,
      gap: samplesOf(gapped),
      queued: samplesOf(queued),
    },
    'I7: a number of the account is not that of the list',
  );
  return { gapped, lost };
};

/** Notes a gap that was given out, and holds it against what is known. */
export const giveOut = (ledger: Ledger, gap: Gap): void => {
  const before = ledger.given.get(gap.id);
  if (before && !ledger.isDamaged) assert.deepEqual(gap, before, 'I8: a gap was given out again and was another');
  ledger.given.set(gap.id, gap);
  if (ledger.isDamaged || gap.lastSeq < gap.firstSeq) return;
  const inside = [...ledger.entries.values()].filter(({ record, acked }) => acked === undefined && covers(gap, record));
  assert.equal(gap.samples, samplesOf(inside), `I7: the samples of the gap ${gap.id}`);
  assert.equal(gap.batches, inside.length, `I7: the records of the gap ${gap.id}`);
};
