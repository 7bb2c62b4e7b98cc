/** What a session stands in: its agent's connection, and what all sessions of this node share. */
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import type { Live } from '../live/live.ts';
import type { Store } from '../store/store.ts';
import type { Dictionaries } from './dictionaries.ts';
import type { EventAllowance } from './event-allowance.ts';
import type { IntakeCounts } from './intake-counts.ts';
import type { Pace } from './pacing.ts';
import type { IntakeRules } from './rules.ts';
import type { SeriesCounts } from './series-counts.ts';
import type { Holder, Sessions } from './sessions.ts';
import type { StrangerLog } from './stranger-log.ts';
import type { UnderWay } from './under-way.ts';

/** The agent's socket and actor, as far as a session uses them. Sending to a closed socket is of no effect. */
export type Peer = Holder & {
  readonly address: string;
  send(event: string, message: unknown): void;
  /** Sends what was sent before, then closes. */
  close(): void;
  /** Its hello was good. */
  greeted(): void;
  /** Another node took the host over; the actor is told. */
  superseded(): void;
};

export type Surroundings = {
  readonly clock: Clock;
  /** Whether the clock is known to be right. */
  readonly isTimeSure: () => boolean;
  readonly log: Log;
  readonly nodeName: string;
  readonly isOurToken: (token: string) => boolean;
  readonly dictionaries: Dictionaries;
  readonly sessions: Sessions;
  readonly seriesCounts: SeriesCounts;
  readonly live: Live;
  readonly store: Store;
  readonly strangerLog: StrangerLog;
  readonly underWay: UnderWay;
  readonly pacing: Pace;
  readonly eventAllowance: EventAllowance;
  readonly rules: IntakeRules;
  readonly retentionMs: number;
  readonly counts: IntakeCounts;
};
