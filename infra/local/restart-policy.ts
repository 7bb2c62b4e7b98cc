/**
 * Whether and when a program that ended by itself is started again. Pure.
 * A program that ran for a while starts at once (500 ms); one that keeps ending waits twice as long each time, up to 30 s.
 * Exit code 2 means wrong settings: trying again would change nothing.
 */
export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };
export type Verdict =
  { readonly restart: true; readonly afterMs: number; readonly failures: number } | { readonly restart: false };

const firstDelayMs = 500;
const longestDelayMs = 30_000;
/** A run of at least this length counts as healthy: the failures before it are forgotten. */
const healthyRunMs = 60_000;

export const afterEnding = (ending: Ending, ranMs: number, failuresBefore: number): Verdict => {
  if (ending.code === 2) return { restart: false };
  const failures = ranMs >= healthyRunMs ? 1 : failuresBefore + 1;
  return { restart: true, failures, afterMs: Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1)) };
};

export const describeEnding = (ending: Ending): string =>
  ending.signal === null ? `exit code ${ending.code ?? 'unknown'}` : `signal ${ending.signal}`;
