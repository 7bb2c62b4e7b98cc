/**
 * Writes one group of batches and events in one transaction: samples, dead letters, events, and the record of what is delivered. Either all
 * of it is there afterwards or nothing, and nothing here has changed.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import type { AgentEvent } from '@thrum/actors/wire/events';
import type { Reason } from '../admissible.ts';
import { letterOf, type DeadLetter } from '../dead-letter.ts';
import type { LetterAllowance } from '../letter-allowance.ts';
import type { OpenWrite } from '../open-write.ts';
import type { Origin, Refused, WriteRequest } from '../store.ts';
import { createDelivered, type Delivered } from './delivered.ts';
import { insertEvents } from './events-table.ts';
import type { NewestTimes } from './newest-times.ts';
import { appendLetter, refusedOf, refusedTable } from './refused-table.ts';
import { deliveredTable, tableName, type RowAppender } from './tables.ts';
import { createTwins } from './twins.ts';

/** Something that came in and is to be written. */
export type Waiting = {
  readonly write: OpenWrite;
  readonly bytes: number;
  /** Absent for a message of events. */
  readonly request?: WriteRequest;
  /** Places of the samples to be stored. */
  readonly samples: readonly number[];
  readonly letters: readonly DeadLetter[];
  readonly events: readonly AgentEvent[];
};

/** What became of one of the group. */
export type Written = {
  readonly waiting: Waiting;
  /** The store had it before. */
  readonly isKnown: boolean;
  readonly stored: number;
  readonly duplicate: number;
  readonly refused: readonly Refused[];
  readonly newEvents: number;
};

type Options = {
  readonly connection: DuckDBConnection;
  readonly rows: RowAppender;
  readonly delivered: Delivered;
  readonly newest: NewestTimes;
  readonly allowance: LetterAllowance;
  /** The store itself has refused samples of some batch. */
  readonly hasRefused: boolean;
  readonly nowMs: number;
};

/** Samples appended in one go before others get their turn of the event loop. */
const maxTurnSamples = 50;
const collisionReason: Reason = {
  code: 'not-stored',
  detail: 'collision: the series already has another sample at this time',
  isTold: true,
};

const abandon = (appender: DuckDBAppender): void => {
  try {
    appender.clear();
    appender.closeSync();
  } catch {
    // it was closed, or its connection is gone: then it holds nothing
  }
};

const appendGroup = async (
  options: Options,
  group: readonly Waiting[],
  appenders: Map<string, DuckDBAppender>,
): Promise<{ written: Written[]; record: Delivered; committed: () => void; compared: number }> => {
  const { connection, rows, delivered, newest, allowance, nowMs } = options;
  const record = createDelivered();
  const into = async (table: string): Promise<DuckDBAppender> => {
    const found = appenders.get(table);
    if (found) return found;
    const appender = await connection.createAppender(table);
    appenders.set(table, appender);
    return appender;
  };
  const fresh: Waiting[] = [];
  const written: Written[] = [];
  const twice: Waiting[] = [];
  const again: Waiting[] = [];
  for (const waiting of group) {
    const { hostId, epoch, seq } = waiting.write.origin;
    if (delivered.has(hostId, epoch, seq)) {
      again.push(waiting);
      continue;
    }
    if (record.has(hostId, epoch, seq)) {
      twice.push(waiting);
      continue;
    }
    record.add(hostId, epoch, { from: seq, to: seq });
    fresh.push(waiting);
  }
  const twins = createTwins({ connection, newest, planOf: (target) => rows.planOf(target) });
  const batches = [...fresh, ...again].flatMap(({ request, samples }) => (request ? [{ request, samples }] : []));
  await twins.lookUp(batches);
  for (const waiting of again) {
    const { request, samples, events, write } = waiting;
    const refused = request && options.hasRefused ? await refusedOf(connection, write.origin) : [];
    // A machine that was set back to an earlier moment gives its numbers a second time: only what is there as it came is a resend.
    const isThere = refused.length > 0 || samples.every((i) => !request || twins.isThere(request, i));
    if (events.length > 0 || !isThere) {
      fresh.push(waiting);
      continue;
    }
    written.push({ waiting, isKnown: true, stored: 0, duplicate: samples.length, refused, newEvents: 0 });
  }
  let inTurn = 0;
  for (const waiting of fresh) {
    const { request, samples, events, write } = waiting;
    inTurn += samples.length;
    if (inTurn > maxTurnSamples) {
      inTurn = 0;
      await turn();
    }
    for (const letter of waiting.letters) appendLetter(await into(refusedTable), letter, nowMs);
    let stored = 0;
    let collided = 0;
    for (const i of request ? samples : []) {
      if (!request) break;
      const meeting = twins.take(request, i);
      if (meeting === 'other') {
        collided += 1;
        if (allowance.take(write.origin))
          appendLetter(await into(refusedTable), letterOf(request, i, collisionReason), nowMs);
      }
      if (meeting !== 'none') continue;
      stored += 1;
      const table = tableName(request.batch.shape.series[i]?.target.name ?? '');
      rows.append(appenders.get(table) ?? (await into(table)), write.origin, request.batch, i);
    }
    const newEvents = events.length > 0 ? await insertEvents(connection, write.origin, events, nowMs) : 0;
    const refused =
      collided > 0 ? [{ code: collisionReason.code, samples: collided, detail: collisionReason.detail }] : [];
    const duplicate = samples.length - stored - collided;
    written.push({ waiting, isKnown: false, stored, duplicate, refused, newEvents });
  }
  for (const waiting of twice) {
    const { hostId, epoch, seq } = waiting.write.origin;
    const isFirst = ({ hostId: host, ...one }: Origin): boolean =>
      host === hostId && one.epoch === epoch && one.seq === seq;
    const refused = written.find((one) => isFirst(one.waiting.write.origin))?.refused ?? [];
    written.push({ waiting, isKnown: true, stored: 0, duplicate: waiting.samples.length, refused, newEvents: 0 });
  }
  for (const { hostId, epoch, from, to } of record.rows()) {
    const appender = await into(deliveredTable);
    appender.appendVarchar(hostId);
    for (const n of [epoch, from, to, Math.floor(nowMs)]) appender.appendBigInt(BigInt(n));
    appender.endRow();
  }
  for (const appender of appenders.values()) {
    appender.flushSync();
    appender.closeSync();
  }
  return { written, record, committed: twins.committed, compared: twins.counters.compared };
};

/** Throws when nothing was written; the transaction may be open then. */
export const writeGroup = async (
  options: Options,
  group: readonly Waiting[],
): Promise<{ readonly written: readonly Written[]; readonly compared: number }> => {
  const { connection, delivered } = options;
  const appenders = new Map<string, DuckDBAppender>();
  await connection.run('BEGIN');
  try {
    const { written, record, committed, compared } = await appendGroup(options, group, appenders);
    await connection.run('COMMIT');
    for (const { hostId, epoch, from, to } of record.rows()) delivered.add(hostId, epoch, { from, to });
    committed();
    return { written, compared };
  } catch (error) {
    // One left alone would write what it holds when it is collected, after the rollback: the same samples twice.
    for (const appender of appenders.values()) abandon(appender);
    throw error;
  }
};
