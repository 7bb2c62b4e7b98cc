/** What a chart shows under its crosshair, or at its right edge when there is none: one value per line, unknown where there is none. */
export type Reading = {
  /** Time of the crosshair; `undefined` when there is none. */
  readonly atMs: number | undefined;
  readonly values: readonly (number | undefined)[];
};
