/**
 * When to send a heartbeat and when to give a link up. Pure, by the monotonic clock. A node that itself stood still (its tick is late) has no
 * right to a verdict: what the peer sent may wait unread, so it looks again at the next tick.
 */
export const liveness = {
  tickMs: 250,
  beatMs: 1000,
  /**
   * At 20 % packet loss TCP falls silent for 3 s every ten minutes on each way of a link, and for 6 s every hour. Raising it spares such a link
   * (and all that is repaired after it) and leaves what is told over a cut one longer in the dark. Whether the node is dead is not decided here,
   * and whoever needs to know sooner that one is silent asks `membership`, which suspects it after 3 s.
   */
  silentMs: 5000,
  stuckMs: 10_000,
} as const;

export type Pulse = {
  readonly heardMs: number;
  readonly beatMs: number;
  readonly tickMs: number;
  /** Since when nothing we queued has left, or undefined while nothing waits. */
  readonly stuckSinceMs: number | undefined;
};

export type PulseVerdict = { readonly beat: boolean; readonly lost: string | undefined };

export const judgePulse = (pulse: Pulse, nowMs: number): PulseVerdict => {
  const stoodStill = nowMs - pulse.tickMs > 3 * liveness.tickMs;
  const silentForMs = nowMs - pulse.heardMs;
  const stuckForMs = pulse.stuckSinceMs === undefined ? 0 : nowMs - pulse.stuckSinceMs;
  let lost: string | undefined;
  if (!stoodStill && silentForMs >= liveness.silentMs) lost = `nothing heard for ${Math.round(silentForMs)} ms`;
  else if (!stoodStill && stuckForMs >= liveness.stuckMs) lost = `takes nothing for ${Math.round(stuckForMs)} ms`;
  return { beat: nowMs - pulse.beatMs >= liveness.beatMs, lost };
};
