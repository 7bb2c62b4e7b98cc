/** Deletes what is older than what is kept, and writes the record of what is delivered anew: one range per host and epoch again. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import { outdatedByMs } from '../outdated.ts';
import { dayMs } from '../sample-time.ts';
import { createDelivered, type Delivered } from './delivered.ts';
import { eventsKeptDays, eventsTable } from './events-table.ts';
import { refusedKeptDays, refusedTable } from './refused-table.ts';
import { deliveredTable, tableName } from './tables.ts';

type Options = {
  readonly connection: DuckDBConnection;
  readonly targets: readonly string[];
  readonly delivered: Delivered;
  readonly retentionDays: number;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Pick<Log, 'warn'>;
};

/** Returns what is still known to be delivered: nothing of epochs that wrote nothing for as long as samples are kept. */
export const deleteOutdated = async (options: Options): Promise<Delivered> => {
  const { connection, targets, delivered, retentionDays, clock, log } = options;
  let newestMs = 0;
  for (const name of targets) {
    const found = await connection.runAndReadAll(`SELECT max(time_ms) FROM "${tableName(name)}"`);
    newestMs = Math.max(newestMs, Number(found.getRows()[0]?.[0] ?? 0));
  }
  const judgedMs = outdatedByMs(clock.wallMs(), newestMs, log);
  const beforeMs = (days: number): number => Math.floor(judgedMs - days * dayMs);
  await connection.run('BEGIN');
  for (const name of targets)
    await connection.run(`DELETE FROM "${tableName(name)}" WHERE time_ms < ${beforeMs(retentionDays)}`);
  await connection.run(`DELETE FROM ${eventsTable} WHERE told_ms < ${beforeMs(eventsKeptDays)}`);
  await connection.run(`DELETE FROM ${refusedTable} WHERE arrived_ms < ${beforeMs(refusedKeptDays)}`);
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE kept AS SELECT host_id, epoch, max(written_ms) AS newest_ms FROM ${deliveredTable} GROUP BY ALL`,
  );
  await connection.run(`DELETE FROM ${deliveredTable}`);
  const record = await connection.createAppender(deliveredTable);
  const kept = await connection.runAndReadAll(
    `SELECT host_id, epoch, newest_ms FROM kept WHERE newest_ms >= ${beforeMs(retentionDays)}`,
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
  return remaining;
};
