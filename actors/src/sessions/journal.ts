/**
 * What this node remembers over a restart: every change is appended to a file, sign-ins and sign-outs are on the disk before they are answered
 * (many at once share one sync), and when the file is much longer than what it says, it is written anew. Where the disk fails, sessions go
 * on in memory, counted and said once; as soon as it takes something again the whole state is written, so that nothing stays missing.
 */
import type { Clock, Timer } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Disk } from './disk.ts';
import { formatRecord, readRecords } from './journal-format.ts';
import { noEntries } from './session-record.ts';
import type { Entries, SessionRecord, UserGeneration } from './session-record.ts';

export type Journal = {
  /** Resolves when it is written, with `sync` on the disk; false when it could not be. Never throws. */
  append(records: readonly (SessionRecord | UserGeneration)[], options: { sync: boolean }): Promise<boolean>;
  counters(): Record<string, number>;
  close(): Promise<void>;
};

/** Longer than this and three times what it says: written anew. A shorter file is not worth it. */
const minLines = 1_000;
const staleFactor = 3;
/** Records waiting for the disk. Beyond it they are left to the next whole writing. */
const maxWaiting = 20_000;
/** How long a sign-in or sign-out waits for a disk that hangs. */
const patienceMs = 5_000;
const retryMs = 10_000;
const perPart = 1_000;

type Waiting = { text: string; lines: number; sync: boolean; done: (written: boolean) => void };

export const memoryJournal: Journal = {
  append: () => Promise.resolve(true),
  counters: () => ({}),
  close: () => Promise.resolve(),
};

function* partsOf(records: Iterable<SessionRecord | UserGeneration>): Generator<Uint8Array> {
  let texts: string[] = [];
  for (const record of records) {
    texts.push(formatRecord(record));
    if (texts.length < perPart) continue;
    yield Buffer.from(texts.join(''));
    texts = [];
  }
  yield Buffer.from(texts.join(''));
}

/** Reads what is there and goes on from it. `state` gives all that is held, `size` how much that is. */
export const openJournal = async (options: {
  disk: Disk;
  clock: Clock;
  log: Log;
  state: () => Iterable<SessionRecord | UserGeneration>;
  size: () => number;
}): Promise<{ journal: Journal; entries: Entries }> => {
  const { disk, clock, log } = options;
  const counts = { journalFailures: 0, journalDamaged: 0, journalRewrites: 0, journalSyncs: 0 };
  let lines = 0;
  let waiting: Waiting[] = [];
  let waitingRecords = 0;
  /** Something is in memory that the file does not say. */
  let isBehind = false;
  let isFailing = false;
  let running: Promise<void> | undefined;
  let retry: Timer | undefined;
  /** There is something to try again, also when nothing new waits. */
  let isDue = false;
  let closed = false;

  const failed = (error: unknown): void => {
    counts.journalFailures += 1;
    isBehind = true;
    if (!isFailing)
      log.error(
        { error },
        'Sessions cannot be written to disk: they go on in memory, and a restart now would sign people out. Make room or give permission',
      );
    isFailing = true;
    if (!closed)
      retry ??= clock.after(retryMs, () => {
        retry = undefined;
        isDue = true;
        void work();
      });
  };
  const succeeded = (): void => {
    if (isFailing) log.info({}, 'Sessions are written to disk again');
    isFailing = false;
  };

  const rewrite = async (): Promise<boolean> => {
    try {
      isBehind = false;
      await disk.replace(partsOf(options.state()));
      lines = options.size();
      counts.journalRewrites += 1;
      succeeded();
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  };
  const write = async (group: readonly Waiting[]): Promise<boolean> => {
    // The state holds what waits as well: written whole, it is written.
    if (isBehind || lines > Math.max(minLines, staleFactor * options.size())) return await rewrite();
    if (group.length === 0) return true;
    const sync = group.some((one) => one.sync);
    try {
      await disk.append(Buffer.from(group.map((one) => one.text).join('')), { sync });
      if (sync) counts.journalSyncs += 1;
      lines += group.reduce((sum, one) => sum + one.lines, 0);
      succeeded();
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  };
  const hasMore = (): boolean => waiting.length > 0 || isDue;
  const drain = async (): Promise<void> => {
    do {
      isDue = false;
      const group = waiting;
      waiting = [];
      waitingRecords = 0;
      const written = await write(group);
      for (const one of group) one.done(written);
    } while (hasMore());
  };
  const work = (): Promise<void> =>
    (running ??= drain().finally(() => {
      running = undefined;
      if (hasMore()) void work();
    }));

  let entries = noEntries;
  try {
    const read = readRecords(await disk.read());
    entries = read.entries;
    lines = read.lines;
    counts.journalDamaged = read.damaged;
    if (read.damaged > 0) {
      isBehind = true;
      log.warn(
        { damaged: read.damaged, read: read.lines - read.damaged },
        'Records of the sessions on disk are damaged and left out; other web nodes may still know them',
      );
    }
  } catch (error) {
    failed(error);
  }

  return {
    entries,
    journal: {
      append: (records, { sync }) => {
        if (records.length === 0 || closed) return Promise.resolve(!closed);
        if (waitingRecords >= maxWaiting) {
          isBehind = true;
          counts.journalFailures += 1;
          return Promise.resolve(false);
        }
        waitingRecords += records.length;
        return new Promise((resolve) => {
          const patience = clock.after(patienceMs, () => resolve(false));
          const done = (written: boolean): void => {
            patience.cancel();
            resolve(written);
          };
          waiting.push({ text: records.map(formatRecord).join(''), lines: records.length, sync, done });
          void work();
        });
      },
      counters: () => ({ ...counts, journalLines: lines, journalFailing: isFailing ? 1 : 0 }),
      close: async () => {
        retry?.cancel();
        await work();
        closed = true;
        retry?.cancel();
        await disk.close();
      },
    },
  };
};
