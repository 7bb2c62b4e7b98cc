/**
 * Why a host is not healthy though it is up, from what its node sees of it. Pure: time is passed in.
 *
 * Only what is the host's own counts: a store that is away or full is everybody's, and would hide the few hosts somebody should look at.
 *
 * Reasons are words for people and part of the roster, which is written on transitions only: each comes at its first sign and stays until
 * there was no further sign for a while, and no number in it moves while it stands.
 */
import type { RefusalCode } from '@thrum/actors/wire/refusal';

export const healthLimits = {
  /** A clock this far off is said; one said to be off is right again below the second. */
  clockOffMs: 500,
  clockRightMs: 400,
  /** A hello may be held up on its way and make the clock look wrong; the samples that follow show by how much. */
  clockSettlesMs: 5_000,
  /** An offset that changed by less than this part of itself is no news. */
  clockNewsPart: 0.25,
  /** Lost samples are worth a look for this long after the last one. */
  lossStandsMs: 60_000,
  /** An agent says every second whether its disk takes what is measured; one that is disturbed for a moment may miss some. */
  diskStandsMs: 5_000,
} as const;

/** What refused samples are told to be; the rest have the code's own words. */
const refusedBecause: Partial<Record<RefusalCode, string>> = {
  'unknown-target': 'no target of that name is in the catalogue',
  'time-ahead': 'they are more than five minutes in the future',
  'time-past': 'they are older than what is kept',
  'time-order': 'a series stands twice at the same time',
  'too-many-series': 'it has more series than allowed',
  'not-stored': 'the store will never take them',
};

const spanOf = (ms: number): string => {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 48 * 3_600_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
};

/** Positive: the agent's clock is behind, as ingest's clock less the agent's. */
export const clockReason = (offsetMs: number): string =>
  `its clock is ${spanOf(Math.abs(offsetMs))} ${offsetMs > 0 ? 'behind' : 'ahead'}`;

export class HostHealth {
  #greetedMs = -Infinity;
  #clock: { readonly offsetMs: number; readonly reason: string } | undefined;
  #droppedMs = -Infinity;
  #lostMs = -Infinity;
  #diskFailedMs = -Infinity;
  /** Bounded: the codes are a closed list. */
  #refusedMs = new Map<RefusalCode, number>();

  greeted(nowMs: number): void {
    this.#greetedMs = nowMs;
  }

  /** The agent gave up batches because its queue was full. */
  dropped(nowMs: number): void {
    this.#droppedMs = nowMs;
  }

  /** Samples of the agent are missing for good. */
  lost(nowMs: number): void {
    this.#lostMs = nowMs;
  }

  /** The agent's disk does not take what is measured. */
  diskFailed(nowMs: number): void {
    this.#diskFailedMs = nowMs;
  }

  /** Samples were refused for good. */
  refused(code: RefusalCode, nowMs: number): void {
    this.#refusedMs.set(code, nowMs);
  }

  /** All reasons of now; `offsetMs` as it is known by now, ingest's clock less the agent's. */
  reasons(nowMs: number, offsetMs: number): readonly string[] {
    const reasons: string[] = [];
    this.#judgeClock(nowMs, offsetMs);
    if (this.#clock) reasons.push(this.#clock.reason);
    const isDiskFailing = nowMs - this.#diskFailedMs < healthLimits.diskStandsMs;
    if (isDiskFailing) reasons.push('its disk does not take samples: they are kept in memory only');
    if (nowMs - this.#droppedMs < healthLimits.lossStandsMs) reasons.push('samples are dropped: its queue is full');
    else if (nowMs - this.#lostMs < healthLimits.lossStandsMs)
      // An agent keeps what it has to tell of them until that is safe.
      reasons.push(
        `samples are missing for good: ${isDiskFailing ? 'told when its disk works again' : 'see its events'}`,
      );
    for (const [code, atMs] of this.#refusedMs)
      if (nowMs - atMs < healthLimits.lossStandsMs)
        reasons.push(`samples are refused: ${refusedBecause[code] ?? code}`);
      else this.#refusedMs.delete(code);
    return reasons;
  }

  #judgeClock(nowMs: number, offsetMs: number): void {
    if (nowMs - this.#greetedMs < healthLimits.clockSettlesMs) return;
    const offMs = Math.abs(offsetMs);
    const { clockOffMs, clockRightMs, clockNewsPart } = healthLimits;
    if (offMs <= (this.#clock ? clockRightMs : clockOffMs)) {
      this.#clock = undefined;
      return;
    }
    const newsMs = this.#clock ? Math.abs(this.#clock.offsetMs - offsetMs) : Infinity;
    if (newsMs > Math.max(clockOffMs, offMs * clockNewsPart)) this.#clock = { offsetMs, reason: clockReason(offsetMs) };
  }
}
