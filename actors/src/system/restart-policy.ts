/**
 * Whether an actor that failed starts again, and when. Pure. At most `times` restarts within `withinMs`; one failure more ends it, because
 * an actor that cannot live for a moment is a fault to be seen, not retried for ever. The pause doubles, so that a crash loop costs little.
 */
export type RestartPolicy = { readonly times: number; readonly withinMs: number };
export type Verdict =
  | { readonly kind: 'restart'; readonly pauseMs: number; readonly restartsMs: readonly number[] }
  | { readonly kind: 'stop' };

const firstPauseMs = 10;
const longestPauseMs = 1000;

/** `restartsMs`: when it restarted before, by the monotonic clock. The answer carries the list to pass in next time. */
export const afterFailure = (policy: RestartPolicy, restartsMs: readonly number[], nowMs: number): Verdict => {
  const recent = restartsMs.filter((atMs) => nowMs - atMs < policy.withinMs);
  if (recent.length >= policy.times) return { kind: 'stop' };
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** recent.length);
  return { kind: 'restart', pauseMs, restartsMs: [...recent, nowMs] };
};
