/**
 * Writes batches and events in groups: whatever came in within 50 ms, or while the last group was being made durable, is one transaction
 * (`group.ts`). A batch whose (host, epoch, sequence) was written before is skipped there.
 *
 * Invariants: one transaction at a time; a group that fails stays whole at the front and is tried again; what waits is bounded, beyond
 * it `write` answers `full`.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock, Timer } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import type { Target } from '@thrum/actors/wire/schema';
import { countItems, judgeSample } from '../admissible.ts';
import { letterOf, type DeadLetter } from '../dead-letter.ts';
import type { Health } from '../health.ts';
import type { LetterAllowance } from '../letter-allowance.ts';
import { openWrite, type OpenWrite } from '../open-write.ts';
import type { EventsRequest, Origin, StoreRoom, WriteOutcome, WriteRequest } from '../store.ts';
import type { Database } from './database.ts';
import { createDelivered, type Delivered } from './delivered.ts';
import { ensureEventsTable } from './events-table.ts';
import { writeGroup, type Waiting, type Written } from './group.ts';
import { createNewestTimes } from './newest-times.ts';
import { ensureRefusedTable, hasRefused } from './refused-table.ts';
import { createRowAppender, deliveredTable, ensureTables, type RowAppender } from './tables.ts';
import { deleteOutdated } from './upkeep.ts';

export type GroupWriter = {
  write(request: WriteRequest): WriteOutcome;
  writeEvents(request: EventsRequest): WriteOutcome;
  room(): StoreRoom;
  /** Deletes what is older than what is kept, between two groups. */
  upkeep(): void;
  counters(): Record<string, number>;
  close(withinMs: number): Promise<void>;
};

type Options = {
  readonly database: Database;
  readonly catalogue: ReadonlyMap<string, Target>;
  readonly retentionDays: number;
  readonly health: Health;
  readonly allowance: LetterAllowance;
  readonly clock: Clock;
  readonly log: Log;
  readonly maxHeldBytes: number;
};

const lingerMs = 50;
/** Samples in one transaction: a table costs about 9 ms for each group it is in, however few of its rows are. Raising it delays the first. */
const maxGroupSamples = 4_000;
const retryMs = 1_000;
/** What a sample, a dead letter or an event costs beside its values. */
const sampleBytes = 200;

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);

/** Opens the tables and returns the writer. Throws when the file cannot be prepared. */
export const startGroupWriter = async (options: Options): Promise<GroupWriter> => {
  const { database, catalogue, clock, health, allowance, maxHeldBytes, retentionDays, log } = options;
  const queue: Waiting[] = [];
  const open = new Set<OpenWrite>();
  const count = { stored: 0, duplicate: 0, refused: 0, compared: 0, groups: 0, failed: 0, full: 0 };
  const more = { letters: 0, events: 0, eventsAgain: 0 };
  const newest = createNewestTimes();
  let heldBytes = 0;
  let timer: Timer | undefined;
  let lateTimer: Timer | undefined;
  let running: Promise<void> | undefined;
  let upkeepDue = false;
  let isFailing = false;
  let someRefused = false;
  let closing = false;
  let connection: DuckDBConnection;
  let delivered: Delivered;
  let rows: RowAppender;

  const prepare = async (): Promise<void> => {
    connection = await database.connect();
    rows = createRowAppender(await ensureTables(connection, [...catalogue.values()]));
    await ensureEventsTable(connection);
    await ensureRefusedTable(connection);
    someRefused = await hasRefused(connection);
    newest.forget();
    delivered = createDelivered();
    const found = await connection.runAndReadAll(
      `SELECT host_id, epoch, from_seq, to_seq FROM ${deliveredTable} ORDER BY written_ms`,
    );
    for (const [hostId, epoch, from, to] of found.getRows())
      delivered.add(String(hostId), Number(epoch), { from: Number(from), to: Number(to) });
  };

  const nextGroup = (): Waiting[] => {
    const group: Waiting[] = [];
    let samples = 0;
    while (queue.length > 0 && samples < maxGroupSamples) {
      const next = queue.shift() as Waiting;
      samples += Math.max(1, next.samples.length);
      group.push(next);
    }
    return group;
  };

  /** Tells how each ended, in the same parts as it was counted in: samples, dead letters, events. */
  const end = ({ waiting, isKnown, stored, duplicate, refused, newEvents }: Written): void => {
    const { write, letters, events } = waiting;
    heldBytes -= waiting.bytes;
    const collided = refused.reduce((sum, one) => sum + one.samples, 0);
    count.stored += stored;
    count.duplicate += duplicate - (isKnown ? collided : 0);
    count.refused += isKnown ? 0 : collided;
    someRefused ||= collided > 0;
    more.letters += isKnown ? 0 : letters.length;
    more.events += newEvents;
    more.eventsAgain += events.length - newEvents;
    for (const { reason } of letters) write.end(1, reason.isTold ? reason : undefined);
    for (const { code, samples, detail } of refused) write.end(samples, { code, detail });
    const others = waiting.samples.length - collided + events.length;
    if (others > 0) write.end(others);
  };

  const write = async (group: readonly Waiting[]): Promise<void> => {
    const state = { connection, rows, delivered, newest, allowance };
    const around = { ...state, hasRefused: someRefused, nowMs: clock.wallMs() };
    const { written, compared } = await writeGroup(around, group);
    count.groups += 1;
    count.compared += compared;
    for (const one of written) end(one);
  };

  const recover = async (error: unknown): Promise<void> => {
    count.failed += 1;
    isFailing = true;
    health.down(text(error));
    try {
      await connection.run('ROLLBACK');
    } catch {
      // no transaction is open any more, or the file is gone: reopening tells
    }
    if (!/invalidated|FATAL|Connection/i.test(text(error))) return;
    try {
      await database.reopen();
      await prepare();
    } catch (reopenError) {
      health.down(text(reopenError));
    }
  };

  const doUpkeep = async (): Promise<void> => {
    upkeepDue = false;
    const targets = [...catalogue.keys()];
    delivered = await deleteOutdated({ connection, targets, delivered, retentionDays, clock, log });
    newest.forget();
  };

  /** Runs until nothing waits; a failure ends the run and sets the timer for the next. */
  const run = async (): Promise<void> => {
    while (queue.length > 0 || upkeepDue) {
      const group = nextGroup();
      try {
        if (group.length > 0) await write(group);
        else await doUpkeep();
        isFailing = false;
        health.up('');
      } catch (error) {
        queue.unshift(...group);
        await recover(error);
        schedule(retryMs);
        return;
      }
    }
  };

  const schedule = (ms: number): void => {
    timer ??= clock.after(ms, () => {
      timer = undefined;
      running ??= run().finally(() => {
        running = undefined;
        if (queue.length > 0) schedule(lingerMs);
      });
    });
  };

  const unschedule = (): void => {
    timer?.cancel();
    timer = undefined;
  };

  const refusedAsFull = (): WriteOutcome | undefined => {
    if (closing) return { ok: true, done: Promise.resolve({ ok: false, reason: 'closed' }) };
    if (heldBytes < maxHeldBytes) return undefined;
    count.full += 1;
    return { ok: false, reason: 'full', afterMs: 500 };
  };

  const begin = (origin: Origin, items: number): OpenWrite => {
    const begun = openWrite(origin, items, (ended) => open.delete(ended));
    open.add(begun);
    return begun;
  };

  const enqueue = (waiting: Waiting): WriteOutcome => {
    heldBytes += waiting.bytes;
    queue.push(waiting);
    if (!running) schedule(lingerMs);
    return { ok: true, done: waiting.write.done };
  };

  const nothing: WriteOutcome = { ok: true, done: Promise.resolve({ ok: true, refused: [] }) };

  await prepare();
  health.up('');

  return {
    write: (request) => {
      const no = refusedAsFull();
      if (no) return no;
      const items = countItems(request);
      if (items === 0) return nothing;
      const context = { catalogue, nowMs: clock.wallMs(), retentionDays };
      const begun = begin(request.origin, items);
      const samples: number[] = [];
      const letters: DeadLetter[] = [];
      const unkept: DeadLetter['reason'][] = [];
      for (let i = 0; i < request.batch.shape.series.length; i += 1) {
        const fate = judgeSample(request, i, context);
        if (fate === 'store') samples.push(i);
        else if (fate === 'skip') continue;
        else if (allowance.take(request.origin)) letters.push(letterOf(request, i, fate));
        else unkept.push(fate);
      }
      const bytes = request.batch.values.byteLength + (samples.length + letters.length) * sampleBytes;
      if (samples.length + letters.length > 0) enqueue({ write: begun, request, samples, letters, events: [], bytes });
      for (const reason of unkept) begun.end(1, reason.isTold ? reason : undefined);
      return { ok: true, done: begun.done };
    },
    writeEvents: ({ origin, events }) => {
      const no = refusedAsFull();
      if (no) return no;
      if (events.length === 0) return nothing;
      const bytes = events.reduce((sum, event) => sum + JSON.stringify(event).length + sampleBytes, 0);
      return enqueue({ write: begin(origin, events.length), samples: [], letters: [], events, bytes });
    },
    room: () => ({ heldBytes, maxHeldBytes, isFailing }),
    upkeep: () => {
      upkeepDue = true;
      if (!running) schedule(0);
    },
    counters: () => ({
      store_documents_stored: count.stored,
      store_documents_duplicate: count.duplicate,
      store_documents_refused: count.refused,
      store_documents_compared: count.compared,
      store_dead_letters_stored: more.letters,
      store_dead_letters_left_out: allowance.counters.leftOut,
      store_events_stored: more.events,
      store_events_duplicate: more.eventsAgain,
      store_groups_written: count.groups,
      store_groups_failed: count.failed,
      store_writes_refused_full: count.full,
      store_values_left_out: rows.counters.leftOutValues,
      store_held_bytes: heldBytes,
      store_writes_open: open.size,
    }),
    close: async (withinMs) => {
      closing = true;
      unschedule();
      if (queue.length > 0) schedule(0);
      const late = new Promise<void>((resolve) => void (lateTimer = clock.after(withinMs, resolve)));
      await Promise.race([late, Promise.all([...open].map((one) => one.done))]);
      lateTimer?.cancel();
      unschedule();
      queue.length = 0;
      upkeepDue = false;
      for (const one of open) one.closed();
      open.clear();
      await running;
      unschedule();
      connection.closeSync();
    },
  };
};
