/** The strokes of a spark line: points in pixels, one stroke for each stretch without a hole. */
export type SparkSource = {
  readonly length: number;
  readonly timeMs: (i: number) => number;
  readonly value: (i: number) => number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly periodMs: number;
  readonly top: number;
};

export type Point = { readonly x: number; readonly y: number };

const gapPeriods = 2.5;
/** Half a line's width stays free above and below. */
const marginPx = 1;

export const strokesOf = (source: SparkSource, width: number, height: number): Point[][] => {
  const strokes: Point[][] = [];
  const { fromMs, toMs, top } = source;
  let stroke: Point[] | undefined;
  let beforeMs = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < source.length; i += 1) {
    const timeMs = source.timeMs(i);
    const value = source.value(i);
    if (timeMs < fromMs || timeMs > toMs + source.periodMs) continue;
    if (Number.isNaN(value)) {
      stroke = undefined;
      continue;
    }
    if (stroke === undefined || timeMs - beforeMs > gapPeriods * source.periodMs) strokes.push((stroke = []));
    beforeMs = timeMs;
    const part = Math.min(1, Math.max(0, value / top));
    stroke.push({
      x: ((timeMs - fromMs) / (toMs - fromMs)) * width,
      y: height - marginPx - part * (height - 2 * marginPx),
    });
  }
  return strokes;
};
