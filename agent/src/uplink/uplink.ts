/** What the uplink is to the agent: what it is given, what can be asked of it, what it counts. */
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import type { Hello } from '@thrum/actors/wire/agent-to-ingest';
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import type { Queue, QueuedBatch } from '../queue/queue.ts';
import type { openConnection } from './connection.ts';
import type { Recent } from './recent.ts';
import type { UplinkRules } from './rules.ts';

export type UplinkCounters = {
  sent: number;
  resent: number;
  acknowledged: number;
  samplesRefused: number;
  busy: number;
  unanswered: number;
  /** Messages from ingest that made no sense. */
  nonsense: number;
  connections: number;
};

export type Uplink = {
  /** A new record, once it is safe in the queue; in the order of the queue. */
  offer(batch: QueuedBatch): void;
  /** Connects again, so that ingest learns a new clock or new facts. Without effect while there is no connection. */
  renew(reason: string): void;
  isOpen(): boolean;
  readonly counters: Readonly<UplinkCounters>;
  /** Says goodbye and ends; at most about two seconds. */
  stop(): Promise<void>;
};

export type UplinkOptions = {
  readonly urls: readonly string[];
  /** The first connection waits for this; batches are taken before it. */
  readonly ready: Promise<void>;
  /** What hello says beside protocol, attempt, clock and dictionary; asked at each connection. */
  readonly facts: () => Omit<Hello, 'protocol' | 'clockMs' | 'dictionary' | 'attempt'>;
  readonly dictionary: Dictionary;
  readonly queue: Queue;
  readonly recent: Recent;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Ingest's clock less ours, as far as a hello can tell. */
  readonly onServerClock?: (offsetMs: number) => void;
  /** The way to ingest, and single rules: a test or a model puts its own in their place. */
  readonly connect?: typeof openConnection;
  readonly rules?: Partial<UplinkRules>;
};
