/**
 * What a host's connection is called, from what happened to it and how long ago. Pure, in monotonic time; the table in the test is
 * the definition.
 */
import type { Connection } from '@thrum/actors/wire/roster';

export const silentAfterMs = 5_000;
export const silentDownAfterMs = 30_000;
export const lostDownAfterMs = 10_000;

export type ConnectionFacts = {
  /** When anything came from the agent last: a message or an answer to a ping. */
  readonly heardMs: number;
  /** When the connection was lost; `undefined` while it stands, and when it was given up because nothing was heard any more. */
  readonly lostMs: number | undefined;
  /** The agent said goodbye. */
  readonly left: boolean;
};

export const connectionState = (facts: ConnectionFacts, nowMs: number): Connection => {
  if (facts.left) return 'left';
  if (facts.lostMs !== undefined) return nowMs - facts.lostMs >= lostDownAfterMs ? 'down' : 'reconnecting';
  const unheardMs = nowMs - facts.heardMs;
  if (unheardMs >= silentDownAfterMs) return 'down';
  return unheardMs >= silentAfterMs ? 'silent' : 'connected';
};
