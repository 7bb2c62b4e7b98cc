/** The table of what happened on hosts: one row per host and event, however often it is told. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { EventAnswer, EventQuestion } from '@thrum/actors/wire/event-question';
import type { AgentEvent } from '@thrum/actors/wire/events';
import type { Origin } from '../store.ts';

export const eventsTable = 'events';
/** Longer than anything else here: events say what is missing in the past. */
export const eventsKeptDays = 400;

export const ensureEventsTable = async (connection: DuckDBConnection): Promise<void> => {
  await connection.run(
    `CREATE TABLE IF NOT EXISTS ${eventsTable} (time_ms BIGINT NOT NULL, told_ms BIGINT NOT NULL, host_id VARCHAR NOT NULL, host VARCHAR, cluster VARCHAR, labels VARCHAR, kind VARCHAR NOT NULL, id VARCHAR NOT NULL, epoch BIGINT, seq BIGINT, facts VARCHAR, PRIMARY KEY (host_id, id))`,
  );
};

/** Returns how many were new. */
export const insertEvents = async (
  connection: DuckDBConnection,
  origin: Origin,
  events: readonly AgentEvent[],
  nowMs: number,
): Promise<number> => {
  let fresh = 0;
  for (const { timeMs, kind, id, facts } of events) {
    const inserted = await connection.run(
      `INSERT INTO ${eventsTable} VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
      [
        BigInt(timeMs),
        BigInt(Math.floor(nowMs)),
        origin.hostId,
        origin.hostName,
        origin.cluster,
        JSON.stringify(origin.labels),
        kind,
        id,
        BigInt(origin.epoch),
        BigInt(origin.seq),
        JSON.stringify(facts),
      ],
    );
    fresh += inserted.rowsChanged;
  }
  return fresh;
};

export const answerEvents = async (connection: DuckDBConnection, question: EventQuestion): Promise<EventAnswer> => {
  const { host, kinds = [], fromMs, toMs, max } = question;
  const ofKinds = kinds.length > 0 ? `AND kind IN (${kinds.map((_, k) => `$${k + 2}`).join(', ')})` : '';
  const found = await connection.runAndReadAll(
    `SELECT time_ms::DOUBLE, kind, id, facts FROM ${eventsTable} WHERE host_id = $1 AND time_ms >= ${fromMs} AND time_ms < ${toMs} ${ofKinds} ORDER BY time_ms DESC, id DESC LIMIT ${max + 1}`,
    [host, ...kinds],
  );
  const events = found.getRows().map(([timeMs, kind, id, facts]): AgentEvent => ({
    kind: String(kind),
    id: String(id),
    timeMs: Number(timeMs),
    facts: JSON.parse(String(facts)) as AgentEvent['facts'],
  }));
  return { ok: true, events: events.slice(0, max), more: events.length > max };
};
