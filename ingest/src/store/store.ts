/**
 * What a store is: it takes the samples of batches and answers questions about the past. Two exist, the embedded DuckDB file
 * and Elasticsearch; `store.contract.ts` is the suite that both pass.
 *
 * Invariants
 * - `write` either takes a batch whole or keeps nothing of it (`full`). What is taken is bounded in bytes.
 * - `done` resolves only when every accepted sample is terminal: stored, found to be stored before, or refused for good and kept as a dead
 *   letter. While the store is away it waits and retries; only closing the store ends the wait without an outcome.
 * - That a sample of this series and time is there already is believed only after a look at it: the same values are stored, others are
 *   another sample, and this one is refused as a collision.
 * - Writing the same batch again changes nothing. Nothing kept here would survive a crash: durability is the agent's.
 */
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import type { Batch } from '@thrum/actors/wire/batch';
import type { WireTarget } from '@thrum/actors/wire/dictionary';
import type { EventAnswer, EventQuestion } from '@thrum/actors/wire/event-question';
import type { AgentEvent } from '@thrum/actors/wire/events';
import type { Aggregate } from '@thrum/actors/wire/question';
import type { Refusal, RefusalCode } from '@thrum/actors/wire/refusal';
import type { Target } from '@thrum/actors/wire/schema';
import type { DocumentStore } from './documents.ts';

/** Who a batch comes from, as said in the hello. (epoch, seq) names the batch among all of this host. */
export type Origin = {
  readonly hostId: string;
  readonly hostName: string;
  readonly cluster: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly epoch: number;
  readonly seq: number;
};

export type WriteRequest = {
  readonly origin: Origin;
  readonly batch: Batch;
  /** One per sample: 1 = store it. */
  readonly accepted: Uint8Array;
  /** Why the others are not to be stored, one per sample where anything is: they are kept as dead letters before the batch counts as written. */
  readonly refused?: readonly ({ readonly code: RefusalCode; readonly detail: string } | undefined)[];
};

/** What happened on a host, under the (epoch, seq) of its origin; an event whose id its host has told before is not kept again. */
export type EventsRequest = { readonly origin: Origin; readonly events: readonly AgentEvent[] };

/** What a store may still take. `isFailing`: what was last sent to it is still to be written, so it should be sent no backlog. */
export type StoreRoom = { readonly heldBytes: number; readonly maxHeldBytes: number; readonly isFailing: boolean };

/** Samples that will never be stored, with the reason; one entry per reason, `detail` is the first one's. */
export type Refused = { readonly code: RefusalCode; readonly samples: number; readonly detail: string };

export type WriteResult =
  { readonly ok: true; readonly refused: readonly Refused[] } | { readonly ok: false; readonly reason: 'closed' };

export type WriteOutcome =
  | { readonly ok: true; readonly done: Promise<WriteResult> }
  | { readonly ok: false; readonly reason: 'full'; readonly afterMs: number };

/** A question about stored samples, checked against the catalogue before (`history/`). Buckets are [start, start + bucketMs). */
export type StoreQuestion = {
  readonly target: WireTarget;
  readonly metrics: readonly string[];
  readonly hostId: string;
  /** Start of the first bucket. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  readonly bucketMs: number;
  readonly aggregate: Aggregate;
  /** Only the series with these field values. */
  readonly fields?: readonly string[];
  /** The series with the most samples are answered, the rest counted. */
  readonly maxSeries: number;
};

/** `values` holds one list per metric asked for, one entry per bucket; `lastMs` the time of the newest sample of each bucket. */
export type StoreSeries = {
  readonly fields: readonly string[];
  readonly values: readonly (number | null)[][];
  readonly lastMs: readonly (number | null)[];
};

export type StoreAnswer =
  | {
      readonly ok: true;
      readonly series: readonly StoreSeries[];
      /** Start of the first bucket. */
      readonly startMs: number;
      /** Series that exist and are not in the answer. */
      readonly leftOut: number;
    }
  | Refusal;

/** starting: never reached yet. away: was ready, is not now; `sinceMs` by the clock of this node. */
export type StoreHealth = {
  readonly state: 'starting' | 'ready' | 'away';
  readonly sinceMs: number;
  readonly detail: string;
};

export type Store = {
  readonly kind: 'elasticsearch' | 'duckdb';
  /** `full`: nothing was kept, try again after `afterMs`. */
  write(request: WriteRequest): WriteOutcome;
  /** Like `write`, in the same bound. Nothing of it is ever refused. */
  writeEvents(request: EventsRequest): WriteOutcome;
  /** Newest first. Refuses like `ask`. */
  askEvents(question: EventQuestion, options: { readonly deadlineMs: number }): Promise<EventAnswer | Refusal>;
  room(): StoreRoom;
  /** Never throws: refuses with `deadline` or `store-away`. */
  ask(question: StoreQuestion, options: { readonly deadlineMs: number }): Promise<StoreAnswer>;
  /** Small documents beside the samples. */
  readonly documents: DocumentStore;
  health(): StoreHealth;
  /** The listener is called at each change of state; returns how to stop that. */
  onHealth(listener: (health: StoreHealth) => void): () => void;
  counters(): Record<string, number>;
  /** Writes what it can within two seconds; what is still open after that ends with `closed`. */
  close(): Promise<void>;
};

export type StoreOptions = {
  /** `duckdb:PATH` or `elasticsearch:URL[,URL...]`. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  readonly apiKey?: string;
  readonly caFile?: string;
  readonly replicas: number;
  readonly prefix: string;
  readonly retentionDays: number;
  readonly catalogue: readonly Target[];
  /** What may wait in memory (64 MiB). Raising it rides out longer outages before agents are asked to wait, and costs that much. */
  readonly maxHeldBytes?: number;
  readonly clock: Clock;
  /** Told what the store's own clock says, where it has one: between `askedAtMs` of the monotonic clock and now. `undefined`: it does not tell. */
  readonly hearTime?: (serverMs: number | undefined, askedAtMs: number) => void;
  readonly log: Log;
};
