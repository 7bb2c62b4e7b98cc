/** Wrong variants of rules, by room: what a mutant puts in the place of the right ones. */
import type { QueueRules } from '../../agent/src/queue/rules.ts';
import type { UplinkRules } from '../../agent/src/uplink/rules.ts';
import type { IntakeRules } from '../../ingest/src/intake/rules.ts';
import type { StoreRules } from '../../ingest/src/store/rules.ts';

export type WrongRules = {
  /** What a start makes of what the last one left. */
  readonly identity?: {
    readonly nextEpoch?: (stored: string | undefined, wallMs: number) => number;
    readonly lastSampleMs?: (found: number | undefined) => number | undefined;
  };
  readonly queue?: Partial<QueueRules>;
  readonly uplink?: Partial<UplinkRules>;
  readonly intake?: Partial<IntakeRules>;
  readonly store?: Partial<StoreRules>;
};

export type Mutant = {
  readonly name: string;
  /** What it breaks, in one sentence. */
  readonly breaks: string;
  readonly rules: WrongRules;
  /** Seeds that noticed it when it was written or the plans changed: tried first, to save time. Empty is right as well. */
  readonly noticedBy: readonly number[];
};
