/** The table of dead letters: one row per sample that will never be stored, with the reason, written with the rest of its batch. */
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import type { RefusalCode } from '@thrum/actors/wire/refusal';
import { cutDetail, type DeadLetter } from '../dead-letter.ts';
import type { Origin, Refused } from '../store.ts';

export const refusedTable = 'refused_samples';
/** Long enough to be found; raising it keeps more of what nobody can use. */
export const refusedKeptDays = 60;

export const ensureRefusedTable = async (connection: DuckDBConnection): Promise<void> => {
  await connection.run(
    `CREATE TABLE IF NOT EXISTS ${refusedTable} (arrived_ms BIGINT NOT NULL, host_id VARCHAR NOT NULL, host VARCHAR, cluster VARCHAR, code VARCHAR NOT NULL, detail VARCHAR, target VARCHAR, fields VARCHAR, time_ms BIGINT, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, index INTEGER NOT NULL, sample VARCHAR)`,
  );
};

export const appendLetter = (into: DuckDBAppender, letter: DeadLetter, nowMs: number): void => {
  const { origin, reason } = letter;
  into.appendBigInt(BigInt(Math.floor(nowMs)));
  into.appendVarchar(origin.hostId);
  into.appendVarchar(origin.hostName);
  into.appendVarchar(origin.cluster);
  into.appendVarchar(reason.code);
  into.appendVarchar(cutDetail(reason.detail));
  into.appendVarchar(letter.target);
  into.appendVarchar(JSON.stringify(letter.fields));
  if (Number.isSafeInteger(letter.timeMs)) into.appendBigInt(BigInt(letter.timeMs));
  else into.appendNull();
  into.appendBigInt(BigInt(origin.epoch));
  into.appendBigInt(BigInt(origin.seq));
  into.appendInteger(letter.i);
  into.appendVarchar(JSON.stringify(letter.values));
  into.endRow();
};

/** Whether the store itself has ever refused a sample: almost never, and then no batch needs to be looked up. */
export const hasRefused = async (connection: DuckDBConnection): Promise<boolean> => {
  const found = await connection.runAndReadAll(`SELECT 1 FROM ${refusedTable} WHERE code = 'not-stored' LIMIT 1`);
  return found.getRows().length > 0;
};

/** What the store itself refused of a batch that it has, so that one that comes again is told the same. */
export const refusedOf = async (connection: DuckDBConnection, { hostId, epoch, seq }: Origin): Promise<Refused[]> => {
  const code: RefusalCode = 'not-stored';
  const found = await connection.runAndReadAll(
    `SELECT count(*)::INTEGER, any_value(detail) FROM ${refusedTable} WHERE host_id = $1 AND epoch = ${epoch} AND seq = ${seq} AND code = '${code}'`,
    [hostId],
  );
  const [samples, detail] = found.getRows()[0] ?? [];
  return Number(samples) > 0 ? [{ code, samples: Number(samples), detail: String(detail) }] : [];
};
