/** Counts over all suites. Pure. */
import type { Verdict } from './reporter.ts';

export type FileResult = {
  readonly file: string;
  readonly verdicts: readonly Verdict[];
  /** What went wrong with the file as a whole, such as a crash while loading, a hang, or processes it left behind. */
  readonly faults: readonly string[];
};
export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: number };

export const emptyTally: Tally = { passed: 0, failed: 0, skipped: 0 };

/** A file without a single test counts as failed: it was meant to test something. */
export const faultsOf = (result: FileResult): readonly string[] =>
  result.verdicts.length === 0 && result.faults.length === 0 ? ['has no tests'] : result.faults;

export const addResult = (tally: Tally, result: FileResult): Tally => {
  const count = (kind: Verdict['result']): number => result.verdicts.filter((one) => one.result === kind).length;
  return {
    passed: tally.passed + count('passed'),
    failed: tally.failed + count('failed') + faultsOf(result).length,
    skipped: tally.skipped + count('skipped'),
  };
};

/** Where everything is meant to be there (`CI=true`), a test that was not run is a failure. */
export const strict = (tally: Tally): Tally => ({
  passed: tally.passed,
  failed: tally.failed + tally.skipped,
  skipped: 0,
});

export const lastLine = (tally: Tally): string => `${tally.passed} passed, ${tally.failed} failed`;

/** Nothing passed is no success either. */
export const exitCodeOf = (tally: Tally): 0 | 1 => (tally.failed > 0 || tally.passed === 0 ? 1 : 0);
