/**
 * Every decision of this room that guarantees something about delivery, each a small pure function, gathered so that a wrong variant of one can
 * be put in its place and must be noticed. Together they say: what an agent is told is stored or refused for good is so, and nothing
 * is kept here that could be lost with this node.
 */
import type { Ack } from '@thrum/actors/wire/ingest-to-agent';
import type { WriteOutcome, WriteResult } from '../store/store.ts';

/** How far a batch (or a message of events) has come. */
export type Stage =
  /** It could be read, and the store is asked next. */
  | { readonly kind: 'received' }
  /** The store took it and will say how it ends; `again`: it came before, and waits for the end of that write. */
  | { readonly kind: 'under way'; readonly again: boolean }
  | { readonly kind: 'ended'; readonly result: WriteResult };

/** What tells connections of one host apart. */
export type Greeting = { readonly boot: string; readonly epoch: number; readonly attempt: number };

export type IntakeRules = {
  /**
   * Only the end of a write is acknowledged, and only of one that left every sample stored, or refused and its refusal kept. To have seen a
   * batch, even to have it under way, says nothing: this node and its memory may be gone in a moment.
   */
  mayAck(stage: Stage): boolean;
  /** These sequence numbers (sorted) and no others: a later one says nothing about an earlier one. */
  acksExactly(sorted: readonly number[]): Ack['ranges'];
  /**
   * A sample is refused for its time only by a clock that is known to be right: another node would have taken it, and then it would stand
   * among the refused ones as well as in the store.
   */
  mayRefuseForTime(isTimeSure: boolean): boolean;
  /** Refused samples are kept by the store too, so a batch of nothing else is its matter like any other. */
  asksStore(samplesAccepted: number): boolean;
  /** What the store had no room for is not under way: nobody would ever say how it ended. It is taken when it comes again. */
  isUnderWay(outcome: WriteOutcome): boolean;
  /** What comes again while it is under way waits for that write, instead of being written a second time beside it. */
  waitsForUnderWay(): boolean;
  /** Which of two connections of one host is served: the newest hello, for the older may be dead without anybody having noticed. */
  newestHelloWins(older: Greeting, newer: Greeting): boolean;
};

export const rules: IntakeRules = {
  mayAck: (stage) => stage.kind === 'ended' && stage.result.ok,
  acksExactly: (sorted) => {
    const ranges: [number, number][] = [];
    for (const seq of sorted) {
      const last = ranges.at(-1);
      if (last && seq <= last[1] + 1) last[1] = Math.max(last[1], seq);
      else ranges.push([seq, seq]);
    }
    return ranges;
  },
  mayRefuseForTime: (isTimeSure) => isTimeSure,
  asksStore: () => true,
  isUnderWay: (outcome) => outcome.ok,
  waitsForUnderWay: () => true,
  newestHelloWins: () => true,
};
