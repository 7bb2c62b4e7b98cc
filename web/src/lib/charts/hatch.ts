/**
 * Hatching where samples are missing: between two that are there, and from the newest to the right edge once two periods have
 * passed without one. A wide gap says what it is. Nothing is hatched before the first sample: there never was anything to miss.
 */
import type uPlot from 'uplot';
import { clockText, spanText } from './clock-text.ts';
import { faded, resolveColor } from './palette.ts';
import type { ChartData } from './series-data.ts';

const missedPeriods = 2;
const stripePx = 6;
const labelFromPx = 150;

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

export const hatch = (chart: uPlot, data: ChartData, isDark: boolean): void => {
  const { min, max } = chart.scales['x'] ?? {};
  const lastMs = newestMs(data);
  if (typeof min !== 'number' || typeof max !== 'number') return;
  const gaps = data.gaps.map(({ fromMs, toMs }) => ({ fromMs, toMs, open: false }));
  if (lastMs !== undefined && max - lastMs > missedPeriods * data.periodMs)
    gaps.push({ fromMs: lastMs, toMs: max, open: true });
  if (gaps.length === 0) return;
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  const color = resolveColor('--line-strong', isDark);
  const pattern = stripes(ctx, faded(color, 0.4), ratio);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { fromMs, toMs, open } of gaps) {
    const left = chart.valToPos(Math.max(fromMs, min), 'x', true);
    const width = chart.valToPos(Math.min(toMs, max), 'x', true) - left;
    if (pattern) ctx.fillStyle = pattern;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    const text = open
      ? `no data since ${clockText(fromMs)}`
      : `no data ${clockText(fromMs)}–${clockText(toMs)} (${spanText(toMs - fromMs)})`;
    ctx.font = `${12 * ratio}px system-ui, sans-serif`;
    const textWidth = ctx.measureText(text).width;
    if (width < Math.max(labelFromPx * ratio, textWidth + 16 * ratio)) continue;
    const middle = left + width / 2;
    const y = bbox.top + bbox.height / 2;
    ctx.fillStyle = resolveColor('--surface', isDark);
    ctx.fillRect(middle - textWidth / 2 - 6 * ratio, y - 10 * ratio, textWidth + 12 * ratio, 20 * ratio);
    ctx.fillStyle = resolveColor('--quiet', isDark);
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.fillText(text, middle, y);
  }
  ctx.restore();
};
