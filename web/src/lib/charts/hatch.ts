/**
 * Hatching where samples are missing: between two that are there, from the newest to the right edge once two periods have passed without
 * one, and where they are known to be missing. A wide gap says what it is. Nothing is hatched before the first sample: there never was
 * anything to miss.
 */
import type uPlot from 'uplot';
import { clockText, spanText } from './clock-text.ts';
import { unseen, whyOf, type KnownHole } from './known-holes.ts';
import { faded, resolveColor } from './palette.ts';
import type { ChartData } from './series-data.ts';

const missedPeriods = 2;
const stripePx = 6;

const stripes = (context: CanvasRenderingContext2D, color: string, ratio: number): CanvasPattern | null => {
  const tile = document.createElement('canvas');
  const size = Math.round(stripePx * ratio);
  tile.width = size;
  tile.height = size;
  const pen = tile.getContext('2d');
  if (!pen) return null;
  pen.strokeStyle = color;
  pen.lineWidth = ratio;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return context.createPattern(tile, 'repeat');
};

/** Time of the newest tick with a value. */
const newestMs = ({ timesMs, raw }: ChartData): number | undefined => {
  for (let tick = timesMs.length - 1; tick >= 0; tick -= 1)
    if (raw.some((list) => list[tick] !== null)) return timesMs[tick];
  return undefined;
};

/** `texts`: what is to be said of it, the longest first. */
type Hole = { readonly left: number; readonly width: number; readonly texts: readonly string[] };

/** However short it was, it is seen. */
const leastWidthPx = 2;

/** Holes of the data in canvas pixels. */
const holesOf = (chart: uPlot, data: ChartData, known: readonly KnownHole[]): Hole[] => {
  const { min, max } = chart.scales['x'] ?? {};
  if (typeof min !== 'number' || typeof max !== 'number') return [];
  const lastMs = newestMs(data);
  const holes = data.gaps.map(({ fromMs, toMs }) => ({
    fromMs,
    toMs,
    when: `${clockText(fromMs)}–${clockText(toMs)} (${spanText(toMs - fromMs)})`,
  }));
  if (lastMs !== undefined && max - lastMs > missedPeriods * data.periodMs)
    holes.push({ fromMs: lastMs, toMs: max, when: `since ${clockText(lastMs)}` });
  const place = (fromMs: number, toMs: number, texts: readonly string[]): Hole => {
    const left = chart.valToPos(Math.max(fromMs, min), 'x', true);
    const width = chart.valToPos(Math.min(toMs, max), 'x', true) - left;
    return { left, width: Math.max(width, leastWidthPx * devicePixelRatio), texts };
  };
  const narrow = unseen(known, holes).filter(({ fromMs, toMs }) => toMs > min && fromMs < max);
  return [
    ...holes.map((hole) => {
      const why = whyOf(known, hole);
      const texts = why === undefined ? [] : [`${why}, ${hole.when}`, why];
      return place(hole.fromMs, hole.toMs, [...texts, `no data ${hole.when}`]);
    }),
    ...narrow.map(({ fromMs, toMs, why }) => place(fromMs, toMs, [why])),
  ];
};

/** Draws the hatching; to be called before everything else is drawn. */
export const hatch = (chart: uPlot, data: ChartData, known: readonly KnownHole[], isDark: boolean): void => {
  const holes = holesOf(chart, data, known);
  if (holes.length === 0) return;
  const { ctx, bbox } = chart;
  const pattern = stripes(ctx, faded(resolveColor('--line-strong', isDark), 0.4), devicePixelRatio);
  if (pattern === null) return;
  ctx.save();
  ctx.fillStyle = pattern;
  for (const { left, width } of holes) ctx.fillRect(left, bbox.top, width, bbox.height);
  ctx.restore();
};

/** Says what a wide hole is; to be called after everything else is drawn. */
export const labelHoles = (chart: uPlot, data: ChartData, known: readonly KnownHole[], isDark: boolean): void => {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  for (const { left, width, texts } of holesOf(chart, data, known)) {
    const text = texts.find((one) => ctx.measureText(one).width + 24 * ratio <= width);
    if (text === undefined) continue;
    const textWidth = ctx.measureText(text).width;
    const middle = left + width / 2;
    const y = bbox.top + bbox.height / 2;
    ctx.fillStyle = resolveColor('--surface', isDark);
    ctx.fillRect(middle - textWidth / 2 - 6 * ratio, y - 10 * ratio, textWidth + 12 * ratio, 20 * ratio);
    ctx.fillStyle = resolveColor('--quiet', isDark);
    ctx.fillText(text, middle, y);
  }
  ctx.restore();
};
