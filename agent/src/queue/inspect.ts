/**
 * What lies in the files of a queue, for people and for tests: `thrum-agent queue inspect`. It only reads, takes no lock and trusts nothing, so
 * it may look at a queue that an agent is using, at a damaged one, or at copies of single segments. What it says of a queue in use is as old as
 * its last checkpoint.
 */
import { decodeBatch } from '@thrum/actors/wire/batch';
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import { checkpointNames, gapId, readCheckpoint, type Checkpoint, type SettledRange } from './checkpoint.ts';
import { readDictionary, readEventsOf } from './inspect-payload.ts';
import type { Account, Gap, Position } from './queue.ts';
import { recordHeadBytes } from './record.ts';
import { recoverSegment, type Damage, type SegmentRecords } from './recover-segment.ts';
import { readSegmentHeader, readSegmentName, segmentHeaderBytes, type Settled } from './segment-format.ts';

/** `undefined`: the file went meanwhile. Bytes beyond `bytes` need not be read. */
export type QueueFiles = {
  list(): Promise<readonly string[]>;
  read(name: string, bytes?: number): Promise<Buffer | undefined>;
};

export type Item = {
  readonly target: string;
  readonly fields: readonly string[];
  readonly timeMs: number;
  readonly values: Readonly<Record<string, number>>;
};

export type SegmentLine = {
  readonly type: 'segment';
  readonly name: string;
  /** `settled`: all of it is stored or given up, the file is about to go. `aside`: left alone or kept for people. */
  readonly state: 'living' | 'settled' | 'aside' | 'newer' | 'unreadable';
  readonly bytes: number;
  readonly epoch?: number;
  readonly firstSeq?: number;
  readonly lastSeq?: number;
  readonly records?: number;
  readonly samples?: number;
  /** Records that are neither stored nor given up. */
  readonly waiting?: number;
  readonly oldestMs?: number;
  readonly newestMs?: number;
};

export type RecordLine = Position & {
  readonly type: 'record';
  readonly segment: string;
  readonly kind: 'batch' | 'events';
  readonly timeMs: number;
  readonly samples: number;
  readonly total: number;
  /** Stored, refused or given up, as far as a checkpoint says so. */
  readonly acknowledged: boolean;
  readonly items?: readonly Item[];
  readonly events?: readonly unknown[];
  /** Why there are no items. */
  readonly unreadable?: string;
};

export type DamageLine = Damage & { readonly type: 'damage'; readonly segment: string; readonly epoch: number };

export type CheckpointLine = {
  readonly type: 'checkpoint';
  readonly name: string;
  readonly state: 'newest' | 'older' | 'damaged' | 'newer' | 'missing';
  readonly generation?: number;
  readonly writtenMs?: number;
};

export type SummaryLine = {
  readonly type: 'summary';
  readonly host: string | undefined;
  readonly account: Account;
  /** Samples that were produced and are nowhere: the next start tells of them as a gap. They are in `account.gap`. */
  readonly missing: number;
  readonly waiting: {
    readonly records: number;
    readonly samples: number;
    readonly bytes: number;
    readonly segments: number;
    readonly oldestMs: number | undefined;
    readonly newestMs: number | undefined;
  };
  /** Gaps that the store does not have yet, and the record of the queue that tells it, if there is one. */
  readonly gaps: readonly (Gap & { readonly toldIn: Position | undefined })[];
  readonly damage: { readonly stretches: number; readonly records: number; readonly samples: number };
  readonly wasClean: boolean;
  readonly writtenMs: number | undefined;
};

export type InspectLine = SegmentLine | RecordLine | DamageLine | CheckpointLine | SummaryLine;

type Place = { readonly name: string; readonly ordinal: number; readonly salt: number };

const checkpointsOf = async (
  files: QueueFiles,
): Promise<{ newest: Checkpoint | undefined; lines: CheckpointLine[] }> => {
  const read = await Promise.all(
    checkpointNames.map(async (name) => ({ name, bytes: await files.read(name).catch(() => Buffer.alloc(0)) })),
  );
  const found = read.map(({ name, bytes }) => ({ name, found: bytes && readCheckpoint(bytes) }));
  let newest: Checkpoint | undefined;
  for (const { found: one } of found)
    if (one?.kind === 'checkpoint' && (!newest || one.checkpoint.generation > newest.generation))
      newest = one.checkpoint;
  const lines = found.map(({ name, found: one }): CheckpointLine => {
    if (one?.kind !== 'checkpoint') return { type: 'checkpoint', name, state: one?.kind ?? 'missing' };
    const { generation, writtenMs } = one.checkpoint;
    const state = one.checkpoint === newest ? 'newest' : 'older';
    return { type: 'checkpoint', name, state, generation, writtenMs };
  });
  return { newest, lines };
};

/** Where each segment begins: records of the one before it that it holds too do not count there. */
const beginningsOf = async (
  files: QueueFiles,
  places: readonly Place[],
): Promise<(Position & { before: Settled })[]> => {
  const heads = await Promise.all(
    places.map(({ name }) => files.read(name, segmentHeaderBytes).catch(() => undefined)),
  );
  return heads.map((bytes) => {
    const found = bytes && readSegmentHeader(bytes);
    const { epoch, firstSeq, before } =
      found?.kind === 'header' ? found.header : { ...{ epoch: -1, firstSeq: -1 }, before: nothingSettled };
    return { epoch, seq: firstSeq, before };
  });
};
const nothingSettled: Settled = { produced: 0, stored: 0, refused: 0, gap: 0 };

const payloadOf = (
  bytes: Buffer,
  at: number,
  length: number,
  words: (hash: string) => Dictionary | undefined,
): Pick<RecordLine, 'items' | 'events' | 'unreadable'> => {
  const payload = bytes.subarray(at + recordHeadBytes, at + recordHeadBytes + length);
  if (bytes.readUInt8(at + 8) === 2) {
    const events = readEventsOf(payload);
    return events ? { events } : { events: [], unreadable: 'no events' };
  }
  const hash = bytes.toString('hex', at + 48, at + 56);
  const dictionary = words(hash);
  if (!dictionary) return { items: [], unreadable: `no dictionary ${hash}` };
  const decoded = decodeBatch(payload, dictionary);
  if (!decoded.ok) return { items: [], unreadable: decoded.detail };
  const { shape, timesMs, values } = decoded.batch;
  const items = shape.series.map(({ target, fields }, i): Item => {
    const from = shape.offsets[i] ?? 0;
    const there = target.metrics
      .map((metric, k) => [metric.name, values[from + k] ?? Number.NaN] as const)
      .filter(([, value]) => !Number.isNaN(value));
    return { target: target.name, fields, timeMs: timesMs[i] ?? Number.NaN, values: Object.fromEntries(there) };
  });
  return { items };
};

/** Tells of each record whether one of these ranges holds it; asked in order of the records. */
const settledBy = (ranges: readonly SettledRange[]): ((seq: number) => boolean) => {
  const sorted = [...ranges].sort((a, b) => a.from - b.from);
  let at = 0;
  return (seq) => {
    while (at < sorted.length && (sorted[at]?.to ?? 0) < seq) at += 1;
    return (sorted[at]?.from ?? Infinity) <= seq;
  };
};

const maxDictionaries = 1000;

/** Every line there is to say, in order: checkpoints, then each segment with its damage and (if asked for) its records, then the summary. */
export async function* inspectQueue(files: QueueFiles, options: { records: boolean }): AsyncGenerator<InspectLine> {
  const names = [...(await files.list())].sort();
  const { newest, lines } = await checkpointsOf(files);
  yield* lines;
  const places = names
    .flatMap((name) => {
      const place = readSegmentName(name);
      return place ? [{ name, ...place }] : [];
    })
    .sort((a, b) => a.ordinal - b.ordinal);
  const beginnings = await beginningsOf(files, places);
  const removed = new Set(newest?.removed);
  const words = new Map<string, Dictionary>();
  const waiting = { records: 0, samples: 0, bytes: 0, segments: 0, oldestMs: Infinity, newestMs: -Infinity };
  const damage = { stretches: 0, records: 0, samples: 0 };
  let total = Math.max(0, newest?.produced ?? 0, beginnings[0]?.before.produced ?? 0);
  let host: string | undefined = newest?.host;

  for (const name of names.filter((one) => /^(newer|damaged)-/.test(one)))
    yield {
      type: 'segment',
      name,
      state: 'aside',
      bytes: (await files.read(name).catch(() => undefined))?.length ?? 0,
    };
  for (const [i, { name, ordinal, salt }] of places.entries()) {
    const bytes = await files.read(name).catch(() => undefined);
    if (!bytes) continue;
    const end = newest?.end;
    const next = beginnings[i + 1];
    const found = recoverSegment(bytes, { ordinal, salt }, { end, next, total: undefined });
    if (found.kind !== 'segment') {
      yield { type: 'segment', name, state: found.kind, bytes: bytes.length };
      continue;
    }
    host ??= found.header?.host;
    const isSettled = removed.has(ordinal);
    const rows = rowsOf(
      bytes,
      found,
      isSettled ? undefined : settledBy(newest?.ranges.filter((one) => one.ordinal === ordinal) ?? []),
    );
    const left = rows.filter((row) => !row.acknowledged);
    yield segmentLine(name, isSettled, bytes.length, found, left.length);
    for (const one of found.damage) {
      if (one.records > 0) damage.stretches += 1;
      damage.records += one.records;
      damage.samples += one.samples;
      yield { type: 'damage', segment: name, epoch: found.epoch, ...one };
    }
    total = Math.max(total, found.end?.total ?? 0);
    if (left.length > 0) waiting.segments += 1;
    for (const row of left) {
      waiting.records += 1;
      waiting.samples += row.samples;
      waiting.bytes += row.payloadBytes;
      waiting.oldestMs = Math.min(waiting.oldestMs, row.timeMs);
      waiting.newestMs = Math.max(waiting.newestMs, row.timeMs);
    }
    if (!options.records) continue;
    for (const place of found.dictionaries) {
      const from = place.offset + recordHeadBytes;
      const one = readDictionary(bytes.subarray(from, from + place.payloadBytes));
      if (one && words.size < maxDictionaries) words.set(one.hash, one);
    }
    for (const { payloadBytes, offset, ...row } of rows)
      yield {
        type: 'record',
        segment: name,
        ...row,
        ...payloadOf(bytes, offset, payloadBytes, (hash) => words.get(hash)),
      };
  }
  yield summaryOf({ host, newest, before: beginnings[0]?.before ?? nothingSettled, total, waiting, damage });
}

type Row = Omit<RecordLine, 'type' | 'segment' | 'items' | 'events' | 'unreadable'> & {
  readonly payloadBytes: number;
  readonly offset: number;
};

/** `isDone` `undefined`: all of them are. */
const rowsOf = (
  bytes: Buffer,
  { index, epoch }: SegmentRecords,
  isDone: ((seq: number) => boolean) | undefined,
): Row[] =>
  Array.from({ length: index.count }, (_, at) => {
    const [offset = 0, seq = 0] = [index.offsets[at], index.seqs[at]];
    return {
      ...{ kind: bytes.readUInt8(offset + 8) === 2 ? ('events' as const) : ('batch' as const), epoch, seq, offset },
      ...{ timeMs: index.timesMs[at] ?? 0, samples: index.samples[at] ?? 0, total: bytes.readDoubleLE(offset + 40) },
      ...{ acknowledged: isDone ? isDone(seq) : true, payloadBytes: index.payloadBytes[at] ?? 0 },
    };
  });

const segmentLine = (
  name: string,
  isSettled: boolean,
  bytes: number,
  { epoch, index, samples, oldestMs, newestMs, header }: SegmentRecords,
  waiting: number,
): SegmentLine => {
  const first = index.seqs[0] ?? header?.firstSeq ?? 0;
  const times = index.count > 0 && { lastSeq: index.seqs[index.count - 1] ?? 0, oldestMs, newestMs };
  const state = isSettled ? 'settled' : 'living';
  return {
    ...{ type: 'segment', name, state, bytes, epoch, firstSeq: first, records: index.count, samples, waiting },
    ...times,
  };
};

const summaryOf = (known: {
  host: string | undefined;
  newest: Checkpoint | undefined;
  before: Settled;
  total: number;
  waiting: SummaryLine['waiting'] & { oldestMs: number; newestMs: number };
  damage: SummaryLine['damage'];
}): SummaryLine => {
  const { host, newest, before, total, waiting, damage } = known;
  const settled = newest?.settled ?? before;
  const ranges = newest?.ranges ?? [];
  const sum = (of: 'stored' | 'refused' | 'gap'): number => ranges.reduce((all, one) => all + one[of], settled[of]);
  const [stored, refused, gap, queued] = [sum('stored'), sum('refused'), sum('gap'), waiting.samples];
  const missing = Math.max(0, total - stored - refused - gap - queued);
  return {
    type: 'summary',
    host,
    account: { produced: stored + refused + gap + missing + queued, stored, refused, gap: gap + missing, queued },
    missing,
    waiting: {
      ...waiting,
      oldestMs: waiting.records > 0 ? waiting.oldestMs : undefined,
      newestMs: waiting.records > 0 ? waiting.newestMs : undefined,
    },
    gaps: (newest?.gaps ?? []).map(({ gap, toldIn }) => {
      const { foundIn, ...one } = gap;
      return { id: gapId({ ...one, foundIn }), ...one, toldIn };
    }),
    damage,
    wasClean: newest?.isClean === true,
    writtenMs: newest?.writtenMs,
  };
};
