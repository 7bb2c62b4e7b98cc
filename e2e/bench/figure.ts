/** One measured figure: a JSON line on stdout, with what it is compared with (a peer or a limit) measured in the same run. */
export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The peer's or the limit's own figure, and what that is. */
  readonly peer?: number;
  readonly peerIs?: string;
  /** `value / peer`, or the other way round where `ratioIs` says so. */
  readonly ratio?: number;
  /** What the project wants to hold. */
  readonly wanted?: string;
  readonly holds?: boolean;
};

const rounded = (value: number): number => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

export const printFigure = (figure: Figure): void => {
  const line = Object.fromEntries(
    Object.entries(figure).map(([key, value]) => [key, typeof value === 'number' ? rounded(value) : value]),
  );
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

/** The value below which the given part (0..1) of the values lies; NaN of nothing. Sorts a copy. */
export const quantile = (values: readonly number[], part: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);
