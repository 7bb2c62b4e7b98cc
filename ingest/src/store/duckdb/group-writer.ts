/**
 * Writes batches in groups: whatever came in within 50 ms, or while the last group was being made durable, is one transaction. A batch
 * whose (host, epoch, sequence) was written before is skipped there; the record of it is written in the same transaction.
 *
 * Invariants: one transaction at a time; a group that fails stays whole at the front and is tried again; what waits is bounded, beyond
 * it `write` answers `full`.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import type { Clock, Timer } from '@thrum/actors/system/clock';
import type { Target } from '@thrum/actors/wire/schema';
import { countAccepted, isAdmissible } from '../admissible.ts';
import type { Health } from '../health.ts';
import { openWrite, type OpenWrite } from '../open-write.ts';
import { dayMs } from '../sample-time.ts';
import type { WriteOutcome, WriteRequest } from '../store.ts';
import type { Database } from './database.ts';
import { createDelivered, type Delivered, type Range } from './delivered.ts';
import { createRowAppender, deliveredTable, ensureTables, tableName, type RowAppender } from './tables.ts';

export type GroupWriter = {
  write(request: WriteRequest): WriteOutcome;
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
  readonly clock: Clock;
  readonly maxHeldBytes: number;
};

type Waiting = {
  readonly request: WriteRequest;
  readonly write: OpenWrite;
  readonly samples: number[];
  readonly bytes: number;
};

const lingerMs = 50;
/** Samples in one transaction: a table costs about 9 ms for each group it is in, however few of its rows are. Raising it delays the first. */
const maxGroupSamples = 4_000;
/** Samples appended in one go before others get their turn of the event loop. */
const maxTurnSamples = 50;
const retryMs = 1_000;
/** What a sample costs beside its values. */
const sampleBytes = 200;

const abandon = (appender: DuckDBAppender): void => {
  try {
    appender.clear();
    appender.closeSync();
  } catch {
    // it was closed, or its connection is gone: then it holds nothing
  }
};

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);

/** Opens the tables and returns the writer. Throws when the file cannot be prepared. */
export const startGroupWriter = async (options: Options): Promise<GroupWriter> => {
  const { database, clock, health, maxHeldBytes } = options;
  const queue: Waiting[] = [];
  const open = new Set<OpenWrite>();
  const count = { stored: 0, duplicate: 0, groups: 0, failed: 0, full: 0 };
  let heldBytes = 0;
  let timer: Timer | undefined;
  let lateTimer: Timer | undefined;
  let running: Promise<void> | undefined;
  let upkeepDue = false;
  let closing = false;
  let connection: DuckDBConnection;
  let delivered: Delivered;
  let rows: RowAppender;

  const prepare = async (): Promise<void> => {
    connection = await database.connect();
    rows = createRowAppender(await ensureTables(connection, [...options.catalogue.values()]));
    delivered = createDelivered();
    const found = await connection.runAndReadAll(`SELECT host_id, epoch, from_seq, to_seq FROM ${deliveredTable}`);
    for (const [hostId, epoch, from, to] of found.getRows())
      delivered.add(String(hostId), Number(epoch), { from: Number(from), to: Number(to) });
  };

  const nextGroup = (): Waiting[] => {
    const group: Waiting[] = [];
    let samples = 0;
    while (queue.length > 0 && samples < maxGroupSamples) {
      const next = queue.shift() as Waiting;
      samples += next.samples.length;
      group.push(next);
    }
    return group;
  };

  const appendGroup = async (group: readonly Waiting[]): Promise<Waiting[]> => {
    const appenders = new Map<string, DuckDBAppender>();
    try {
      return await appendWith(appenders, group);
    } catch (error) {
      // One left alone would write what it holds when it is collected, after the rollback: the same samples twice.
      for (const appender of appenders.values()) abandon(appender);
      throw error;
    }
  };

  const appendWith = async (appenders: Map<string, DuckDBAppender>, group: readonly Waiting[]): Promise<Waiting[]> => {
    const fresh: Waiting[] = [];
    const written = createDelivered();
    let inTurn = 0;
    for (const waiting of group) {
      const { batch, origin } = waiting.request;
      const { hostId, epoch, seq } = origin;
      if (delivered.has(hostId, epoch, seq) || written.has(hostId, epoch, seq)) continue;
      written.add(hostId, epoch, { from: seq, to: seq });
      fresh.push(waiting);
      inTurn += waiting.samples.length;
      if (inTurn > maxTurnSamples) {
        inTurn = 0;
        await turn();
      }
      for (const i of waiting.samples) {
        const name = batch.shape.series[i]?.target.name ?? '';
        let appender = appenders.get(name);
        if (!appender) appenders.set(name, (appender = await connection.createAppender(tableName(name))));
        rows.append(appender, origin, batch, i);
      }
    }
    if (fresh.length === 0) return fresh;
    const record = await connection.createAppender(deliveredTable);
    appenders.set('', record);
    for (const { hostId, epoch, from, to } of written.rows()) {
      record.appendVarchar(hostId);
      for (const n of [epoch, from, to, Math.floor(clock.wallMs())]) record.appendBigInt(BigInt(n));
      record.endRow();
    }
    for (const appender of appenders.values()) {
      appender.flushSync();
      appender.closeSync();
    }
    return fresh;
  };

  const writeGroup = async (group: readonly Waiting[]): Promise<void> => {
    await connection.run('BEGIN');
    const fresh = await appendGroup(group);
    await connection.run('COMMIT');
    count.groups += 1;
    for (const { request, samples } of fresh) {
      const range: Range = { from: request.origin.seq, to: request.origin.seq };
      delivered.add(request.origin.hostId, request.origin.epoch, range);
      count.stored += samples.length;
    }
    const isFresh = new Set(fresh);
    for (const waiting of group) {
      heldBytes -= waiting.bytes;
      if (!isFresh.has(waiting)) count.duplicate += waiting.samples.length;
      waiting.write.end(waiting.samples.length);
    }
  };

  /** One range per host and epoch again, and nothing of epochs that wrote nothing for as long as samples are kept. */
  const deleteOutdated = async (): Promise<void> => {
    const beforeMs = Math.floor(clock.wallMs() - options.retentionDays * dayMs);
    await connection.run('BEGIN');
    for (const name of options.catalogue.keys())
      await connection.run(`DELETE FROM "${tableName(name)}" WHERE time_ms < ${beforeMs}`);
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE kept AS SELECT host_id, epoch, max(written_ms) AS newest_ms FROM ${deliveredTable} GROUP BY ALL`,
    );
    await connection.run(`DELETE FROM ${deliveredTable}`);
    const record = await connection.createAppender(deliveredTable);
    const kept = await connection.runAndReadAll(
      `SELECT host_id, epoch, newest_ms FROM kept WHERE newest_ms >= ${beforeMs}`,
    );
    const newest = new Map(kept.getRows().map(([host, epoch, ms]) => [`${String(host)}:${String(epoch)}`, Number(ms)]));
    const remaining = createDelivered();
    for (const { hostId, epoch, from, to } of delivered.rows()) {
      const ms = newest.get(`${hostId}:${epoch}`);
      if (ms === undefined) continue;
      remaining.add(hostId, epoch, { from, to });
      record.appendVarchar(hostId);
      for (const n of [epoch, from, to, ms]) record.appendBigInt(BigInt(n));
      record.endRow();
    }
    record.flushSync();
    record.closeSync();
    await connection.run('COMMIT');
    await connection.run('CHECKPOINT');
    delivered = remaining;
  };

  const recover = async (error: unknown): Promise<void> => {
    count.failed += 1;
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

  /** Runs until nothing waits; a failure ends the run and sets the timer for the next. */
  const run = async (): Promise<void> => {
    while (queue.length > 0 || upkeepDue) {
      const group = nextGroup();
      try {
        if (group.length > 0) await writeGroup(group);
        else {
          upkeepDue = false;
          await deleteOutdated();
        }
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

  await prepare();
  health.up('');

  return {
    write: (request) => {
      if (closing) return { ok: true, done: Promise.resolve({ ok: false, reason: 'closed' }) };
      if (heldBytes >= maxHeldBytes) {
        count.full += 1;
        return { ok: false, reason: 'full', afterMs: 500 };
      }
      const accepted = countAccepted(request);
      if (accepted === 0) return { ok: true, done: Promise.resolve({ ok: true, refused: [] }) };
      const context = { catalogue: options.catalogue, nowMs: clock.wallMs(), retentionDays: options.retentionDays };
      const write = openWrite(accepted, (ended) => open.delete(ended));
      open.add(write);
      const samples: number[] = [];
      for (let i = 0; i < request.batch.shape.series.length; i += 1)
        if (isAdmissible(request, i, write, context)) samples.push(i);
      if (samples.length > 0) {
        const bytes = request.batch.values.byteLength + request.batch.timesMs.length * sampleBytes;
        heldBytes += bytes;
        queue.push({ request, write, samples, bytes });
        if (!running) schedule(lingerMs);
      }
      return { ok: true, done: write.done };
    },
    upkeep: () => {
      upkeepDue = true;
      if (!running) schedule(0);
    },
    counters: () => ({
      store_documents_stored: count.stored,
      store_documents_duplicate: count.duplicate,
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
      await Promise.race([late, Promise.all([...open].map((write) => write.done))]);
      lateTimer?.cancel();
      unschedule();
      queue.length = 0;
      upkeepDue = false;
      for (const write of open) write.closed();
      open.clear();
      await running;
      unschedule();
      connection.closeSync();
    },
  };
};
