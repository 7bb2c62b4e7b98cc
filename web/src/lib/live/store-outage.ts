/**
 * Whether the store answers, from what the ingest nodes say of theirs: a matter of the platform that is said once, not of each host. Pure.
 *
 * A node that starts has not reached its store yet, and one answer may be late: only what lasts is said.
 */
import type { IngestNode } from '@thrum/actors/wire/web-to-browser';

export type StoreOutage = {
  /** Since when the first of them had no answer. */
  readonly sinceMs: number;
  /** Names of the ingest nodes without an answer; undefined when it is all of them. */
  readonly nodes: readonly string[] | undefined;
};

const graceMs = 3_000;

export const storeOutage = (ingest: readonly IngestNode[], wallMs: number): StoreOutage | undefined => {
  const away = ingest.flatMap(({ name, storeAwaySinceMs: sinceMs }) =>
    sinceMs !== null && wallMs - sinceMs >= graceMs ? [{ name, sinceMs }] : [],
  );
  if (away.length === 0) return undefined;
  const sinceMs = Math.min(...away.map((one) => one.sinceMs));
  return { sinceMs, nodes: away.length === ingest.length ? undefined : away.map((one) => one.name) };
};
