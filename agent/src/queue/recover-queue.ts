/**
 * Opens what is on disk, whatever state it is in. It always succeeds: what cannot be read is lost and known as a gap, files that nobody can read
 * are kept aside for people. The newest segment is read first, because a segment's header says how the one before it ended.
 *
 * What was produced is known twice: by the running totals of the records, and as what is queued, settled and lost. Where the second is less,
 * segments are missing, and the difference is a gap.
 */
import type { Log } from '@thrum/actors/system/log';
import { checkpointNames, type Checkpoint, type HeldGap, type KeptGap } from './checkpoint.ts';
import { readCheckpoints, type CheckpointsFound } from './checkpoint-keeper.ts';
import { cannotBeMade, isBroken } from './disk-error.ts';
import type { Disk, DiskFile } from './disk.ts';
import { reconcile } from './reconcile.ts';
import { forgetOldFiles, makeDurable, setAside, takeBack, trustHeaders } from './queue-files.ts';
import { settledByHeaders, settledOutside, total, whereMissing, type Read } from './recover-account.ts';
import { recoverSegment, type SegmentRecords } from './recover-segment.ts';
import type { QueueRules } from './rules.ts';
import { openPatiently, readForgiving } from './segment-reader.ts';
import { readSegmentHeader, readSegmentName, segmentBytes } from './segment-format.ts';
import type { SegmentEnd, SegmentHeader } from './segment-format.ts';
import { firstFrom, newIndex, type SegmentIndex } from './segment-index.ts';
import { addRange, isSettled, sumOf, type Segment, type SettledSums } from './segment.ts';

/** Longer than any segment: what is behind it in a file is none of ours. */
const maxFileBytes = segmentBytes + 2 * 1024 * 1024;

export type Recovered = {
  readonly segments: Segment[];
  readonly outside: SettledSums;
  /** Gaps of processes before. Those whose record is not queued any more are to be told again. */
  readonly kept: readonly HeldGap[];
  readonly found: readonly KeptGap[];
  /** Files of segments that are settled, by ordinal. */
  readonly removed: ReadonlyMap<number, readonly string[]>;
  readonly checkpoints: CheckpointsFound;
  readonly end: SegmentEnd | undefined;
  readonly endEpoch: number;
  readonly nextOrdinal: number;
  readonly ageMs: number;
  readonly newestMs: number | undefined;
  readonly lastEpoch: number | undefined;
  readonly wasClean: boolean;
};

export const recoverQueue = async (options: {
  disk: Disk;
  host: string;
  epoch: number;
  nowMs: number;
  log: Log;
  rules: QueueRules;
}): Promise<Recovered> => {
  const { disk, host, epoch, nowMs, log, rules } = options;
  const found: KeptGap[] = [];
  const none = { batches: 0, samples: 0, bytes: 0, foundIn: epoch };
  const listed = await disk.list().catch(async (error: unknown) => {
    if (cannotBeMade(error)) {
      log.error(
        { error },
        'the directory of the queue cannot be made: what is measured is kept in memory until it can',
      );
      return [];
    }
    if (!isBroken(error)) throw error;
    log.error({ error }, 'the queue on disk cannot be read: it is kept aside, and an empty one begins');
    await disk.setAside().catch((failure: unknown) => log.error({ error: failure }, 'it could not be kept aside'));
    found.push({ ...none, epoch, firstSeq: 0, lastSeq: -1, fromMs: nowMs, toMs: nowMs, reason: 'damaged' });
    return [];
  });
  const back = await takeBack(disk, log, host, listed);
  const names = [...listed, ...back];
  let lostFiles = 0;
  const loseFile = (name: string, why: string, isNewer = false): Promise<void> => {
    lostFiles += 1;
    return setAside(disk, log, name, why, isNewer);
  };

  const checkpoints = await readCheckpoints(disk, names);
  for (const name of checkpoints.newer) await setAside(disk, log, name, 'a checkpoint of a newer version', true);
  let known: Checkpoint | undefined = checkpoints.newest;
  if (known && known.host !== host) {
    for (const name of checkpointNames) await setAside(disk, log, name, 'a checkpoint of another host');
    known = undefined;
  }
  const gone = new Set(known?.removed);
  const removed = new Map<number, string[]>([...gone].map((ordinal) => [ordinal, []]));
  const files: { name: string; ordinal: number; salt: number }[] = [];
  for (const name of names) {
    const one = readSegmentName(name);
    if (one && gone.has(one.ordinal)) removed.get(one.ordinal)?.push(name);
    else if (one) files.push({ name, ...one });
  }
  await trustHeaders(disk, files);
  files.sort((a, b) => b.ordinal - a.ordinal);

  const reads: Read[] = [];
  const index = newIndex(4096);
  /** One is read into while the other is looked at. */
  const buffers = [Buffer.alloc(0), Buffer.alloc(0)];
  let nextOrdinal = Math.max(
    known?.nextOrdinal ?? 0,
    ...names.map((name) => (readSegmentName(name)?.ordinal ?? -1) + 1),
  );
  /** Neither rejects: `undefined` after a line in the log. */
  const openFile = async (name: string | undefined): Promise<{ file: DiskFile; size: number } | undefined> => {
    if (name === undefined) return undefined;
    try {
      const file = await openPatiently(disk, name);
      return { file, size: Math.min(await file.size(), maxFileBytes) };
    } catch (error) {
      log.error({ file: name, error }, 'a file of the queue cannot be opened: what is in it is missing');
      return undefined;
    }
  };
  const readFile = async (at: number, opened: Awaited<ReturnType<typeof openFile>>): Promise<Buffer | undefined> => {
    if (!opened) return undefined;
    const { file, size } = opened;
    let buffer = buffers[at & 1] ?? Buffer.alloc(0);
    if (buffer.length < size) buffer = Buffer.allocUnsafeSlow(Math.max(size, Math.min(segmentBytes, size * 2)));
    buffers[at & 1] = buffer;
    const { bytes, unreadable } = await readForgiving(file, 0, size, buffer);
    if (unreadable > 0) log.error({ file: files[at]?.name, unreadable }, 'a part of the queue on disk cannot be read');
    await file.close().catch(() => undefined);
    return bytes;
  };
  const seen = new Set<number>();
  /** Records that tell gaps and are queued still. */
  const telling = new Set<string>();
  /** Where segments begin whose header is damaged, together with the records behind it. */
  const blind = new Set<string>();

  let reading = readFile(0, await openFile(files[0]?.name));
  let opening = openFile(files[1]?.name);
  for (const [at, file] of files.entries()) {
    const bytes = await reading;
    // The disk reads the next one while this one is looked at.
    reading = readFile(at + 1, await opening);
    opening = openFile(files[at + 2]?.name);
    if (!bytes) {
      // What is told as missing must not come back at the next start.
      await loseFile(file.name, 'a segment that cannot be opened');
      continue;
    }
    const header = readSegmentHeader(bytes);
    const ordinal = header.kind === 'header' ? header.header.ordinal : file.ordinal;
    const behind = reads.at(-1);
    const before = behind?.records.header?.previous;
    const end = before?.ordinal === ordinal ? before : known?.end?.ordinal === ordinal ? known.end : undefined;
    const next = behind && { epoch: behind.records.epoch, seq: behind.segment.firstSeq };
    const records = recoverSegment(bytes, file, { end, next }, index, rules);
    if (records.kind === 'newer') await loseFile(file.name, `a segment of the newer version ${records.version}`, true);
    else if (records.kind === 'unreadable' && bytes.length === 0) removed.set(file.ordinal, [file.name]);
    else if (records.kind === 'unreadable') await loseFile(file.name, 'a segment of which nothing can be read');
    else if (records.header && records.header.host !== host)
      await setAside(disk, log, file.name, 'a segment of another host');
    else if (gone.has(records.ordinal) || seen.has(records.ordinal))
      await setAside(disk, log, file.name, 'a copy of a segment of the queue');
    else {
      seen.add(records.ordinal);
      nextOrdinal = Math.max(nextOrdinal, records.ordinal + 1);
      const mine = known?.ranges.filter((one) => one.ordinal === records.ordinal) ?? [];
      const segment = segmentOf(file.name, records, bytes.length, mine, known, behind?.records.header);
      for (const { toldIn } of known?.gaps ?? [])
        if (segment && toldIn?.epoch === records.epoch && isQueued(segment.segment, records.index, toldIn.seq))
          telling.add(`${toldIn.epoch}/${toldIn.seq}`);
      if (segment)
        reads.push({ name: file.name, records: { ...records, index: newIndex(0) }, segment: segment.segment });
      else removed.set(records.ordinal, [file.name]);
      const [first] = segment?.lost ?? [];
      if (first && !records.header) blind.add(`${records.epoch}/${first.firstSeq}`);
      for (const one of segment?.lost ?? [])
        found.push({ ...none, epoch: records.epoch, ...one, batches: one.records, reason: 'damaged' });
    }
  }
  reads.reverse();
  if (rules.isUnclean(known, files.length)) {
    const doubtful = reads.filter(({ segment }) => segment.ordinal >= (known?.end?.ordinal ?? 0));
    await makeDurable(
      disk,
      doubtful.map(({ name }) => name),
      log,
    );
  }
  await forgetOldFiles(disk, names, log);

  const segments = reads.map(({ segment }) => segment);
  const living = segments.reduce((sum, one) => sum + one.queued.samples + total(sumOf(one.ranges)), 0);
  const last = segments.at(-1);
  const byRecords = Math.max(
    0,
    ...reads.map(({ segment, records }) => Math.max(segment.end.total, records.header?.before.produced ?? 0)),
  );
  const outside = known ? settledOutside(known, segments) : settledByHeaders(reads, byRecords - living);
  const produced = Math.max(byRecords, known?.produced ?? 0);
  const missing = produced - living - total(outside);
  // They were counted as lost when they were left alone.
  if (back.length > 0 && missing < 0) outside.gap = Math.max(0, outside.gap + missing);
  if (missing > 0) {
    outside.gap += missing;
    // Of the first records of a segment whose header is gone too, only the numbers were known.
    const at = found.findIndex(
      (gap) => gap.samples === 0 && gap.batches > 0 && blind.has(`${gap.epoch}/${gap.firstSeq}`),
    );
    const [gap] = at < 0 ? [] : found.splice(at, 1);
    found.push(
      gap
        ? { ...gap, samples: missing }
        : { ...none, ...whereMissing(reads, missing, known), samples: missing, reason: 'damaged' },
    );
  }
  // Without a checkpoint nobody knows what was in them, or whether anything of it was still to be sent.
  if (!known && lostFiles > 0)
    found.push({ ...none, epoch, firstSeq: 0, lastSeq: -1, fromMs: nowMs, toMs: nowMs, reason: 'damaged' });
  const newest = Math.max(known?.newestMs ?? -Infinity, ...reads.map(({ records }) => records.newestMs));
  const newestMs = Number.isFinite(newest) ? newest : undefined;
  const lastEpoch = Math.max(known?.lastEpoch ?? -1, ...segments.map((one) => one.epoch));
  const isUnclean = rules.isUnclean(known, segments.length);
  const sinceMs = newestMs ?? known?.openedMs;
  if (isUnclean && sinceMs !== undefined) {
    const firstSeq = Math.max(0, (last?.end.seq ?? known?.end?.seq ?? -1) + 1);
    const epochOfIt = last?.epoch ?? known?.end?.epoch ?? epoch;
    const until = { fromMs: sinceMs, toMs: Math.max(sinceMs, nowMs) };
    found.push({ ...none, epoch: epochOfIt, firstSeq, lastSeq: firstSeq - 1, ...until, reason: 'unclean' });
  }
  if (found.length > 0)
    log.warn({ gaps: found.length, missing }, 'samples of before are missing: they are told as gaps');
  const kept = (known?.gaps ?? []).map((held) =>
    held.toldIn && telling.has(`${held.toldIn.epoch}/${held.toldIn.seq}`) ? held : { ...held, toldIn: undefined },
  );
  const lastAge = Math.max(known?.ageMs ?? 0, ...segments.map((one) => one.lastAgeMs));
  return {
    ...{ segments, outside, kept, found, removed, checkpoints, nextOrdinal, newestMs },
    end: last?.end ?? known?.end,
    endEpoch: last?.epoch ?? known?.end?.epoch ?? 0,
    ageMs: lastAge + (known ? rules.ageOfStop(known.writtenMs, nowMs) : 0),
    lastEpoch: lastEpoch < 0 ? undefined : lastEpoch,
    wasClean: !isUnclean,
  };
};

const isQueued = (segment: Segment, index: SegmentIndex, seq: number): boolean => {
  const at = firstFrom(index, seq);
  return at < index.count && index.seqs[at] === seq && !isSettled(segment, seq);
};

/** `undefined` when there is nothing in it: it was begun and not more. */
const segmentOf = (
  name: string,
  records: SegmentRecords,
  fileBytes: number,
  settled: Checkpoint['ranges'],
  known: Checkpoint | undefined,
  next: SegmentHeader | undefined,
): { segment: Segment; lost: (ReturnType<typeof reconcile>['lost'][number] & { bytes: number })[] } | undefined => {
  const { header, ordinal, salt, epoch, index, damage } = records;
  const missing = damage.filter((one) => one.records > 0);
  if (index.count === 0 && missing.length === 0 && settled.length === 0) return undefined;
  const target = { ranges: [] as Segment['ranges'] };
  for (const { from, to, stored, refused, gap } of settled) addRange(target, { from, to, stored, refused, gap });
  const { queued, lost } = reconcile(target.ranges, records);
  for (const one of lost)
    addRange(target, { from: one.firstSeq, to: one.lastSeq, stored: 0, refused: 0, gap: one.samples });
  const endOfDamage = missing.at(-1)?.lastSeq ?? -1;
  const firstSeq = header?.firstSeq ?? Math.min(index.seqs[0] ?? 0, missing[0]?.firstSeq ?? Infinity);
  const read = records.end ?? { ordinal, seq: firstSeq - 1, total: header?.before.produced ?? 0, records: 0 };
  const tail = missing.at(-1);
  const isTailLost = tail !== undefined && endOfDamage > read.seq;
  const end = isTailLost
    ? { ordinal, seq: endOfDamage, total: read.total + tail.samples, records: read.records + tail.records }
    : read;
  const lastAgeMs = Math.max(header?.ageMs ?? 0, next?.ageMs ?? known?.ageMs ?? 0);
  // Of records that can all not be read nobody knows the times: about when the segment was begun.
  const aboutMs = header?.createdMs ?? next?.createdMs ?? known?.writtenMs ?? 0;
  const timesMs =
    index.count > 0
      ? { oldestMs: records.oldestMs, newestMs: records.newestMs }
      : { oldestMs: aboutMs, newestMs: aboutMs };
  const segment: Segment = {
    ...{
      ordinal,
      name,
      salt,
      epoch,
      firstSeq,
      end,
      fileBytes,
      queued,
      ranges: target.ranges,
      lastAgeMs,
      firstAgeMs: header?.ageMs ?? 0,
    },
    ...timesMs,
    isSealed: true,
    failedTo: records.hasLeftovers ? Infinity : -1,
    dictionaries: [...records.dictionaries],
  };
  return { segment, lost: lost.map((one) => ({ ...one, bytes: 0 })) };
};
