/**
 * How a chart looks, as options of the chart library: straight lines of 1.5 px, one fill, horizontal gridlines only, seconds on the
 * axis of short windows, fixed room for the axis so that charts above one another line up.
 */
import type uPlot from 'uplot';
import type { ChartPlan } from './chart-plan.ts';
import { clockText, minuteText } from './clock-text.ts';
import { faded, resolveColor, shadeName } from './palette.ts';
import { splitsOf, type Axis } from './scale.ts';
import { timeStep, timeTicks } from './time-axis.ts';
import { writeLine } from './units.ts';

type Wiring = {
  readonly width: number;
  readonly height: number;
  readonly group: string;
  readonly isDark: boolean;
  readonly axis: () => Axis;
  readonly beforeDrawing: (chart: uPlot) => void;
  readonly afterDrawing: (chart: uPlot) => void;
  readonly onCursor: () => void;
  readonly onSelect: (chart: uPlot) => void;
};

const axisFont = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif';
const axisWidth = 64;
const secondsUnderMs = 10 * 60_000;
const dayMs = 86_400_000;

const tickRoomPx = 84;
const rightPaddingPx = 10;

const stepOf = (chart: uPlot, minMs: number, maxMs: number): number =>
  timeStep(maxMs - minMs, chart.bbox.width / devicePixelRatio, tickRoomPx);

const timeTexts = (chart: uPlot, ticks: number[]): string[] => {
  const { min, max } = chart.scales['x'] ?? {};
  const [fromMs, toMs] = [min ?? 0, max ?? 0];
  if (stepOf(chart, fromMs, toMs) >= dayMs) return ticks.map((ms) => new Date(ms).toLocaleDateString());
  const isShort = toMs - fromMs <= secondsUnderMs;
  // A label that would be cut off at the right edge is left out.
  const pxPerMs = chart.bbox.width / devicePixelRatio / (toMs - fromMs);
  const roomPx = (isShort ? 28 : 18) - rightPaddingPx;
  return ticks.map((ms) => ((toMs - ms) * pxPerMs < roomPx ? '' : isShort ? clockText(ms) : minuteText(ms)));
};

export const optionsOf = (plan: ChartPlan, wiring: Wiring): uPlot.Options => {
  const color = (name: string): string => resolveColor(name, wiring.isDark);
  const lone = plan.lines.length === 1 || plan.lines.every((line, i) => line.below === i > 0);
  return {
    width: wiring.width,
    height: wiring.height,
    ms: 1,
    padding: [10, rightPaddingPx, 0, 0],
    legend: { show: false },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      sync: { key: wiring.group, setSeries: false },
    },
    scales: {
      x: { time: true, auto: false, range: (_chart, min, max) => [min, max] },
      y: { auto: false, range: () => [wiring.axis().bottom, wiring.axis().top] },
    },
    axes: [
      {
        font: axisFont,
        stroke: color('--quiet'),
        size: 24,
        gap: 4,
        grid: { show: false },
        ticks: { show: true, stroke: color('--line'), width: 1, size: 4 },
        splits: (chart, _axis, min, max) =>
          timeTicks(min, max, stepOf(chart, min, max), -new Date(max).getTimezoneOffset() * 60_000),
        values: timeTexts,
      },
      {
        font: axisFont,
        stroke: color('--quiet'),
        size: axisWidth,
        gap: 6,
        grid: { show: true, stroke: color('--line'), width: 1 },
        ticks: { show: false },
        splits: () => splitsOf(wiring.axis()),
        values: (_chart, splits) => splits.map((value) => writeLine(Math.abs(value), plan.quantity)),
      },
    ],
    series: [
      {},
      ...plan.lines.map((line, i): uPlot.Series => {
        const stroke = color(shadeName(plan.hue, i));
        const fill = plan.stacked ? faded(stroke, 0.55) : faded(stroke, 0.13);
        return {
          label: line.label,
          stroke,
          width: plan.stacked ? 1 : 1.5,
          points: { show: false },
          ...(plan.stacked || lone ? { fill } : {}),
        };
      }),
    ],
    bands: plan.stacked ? plan.lines.slice(1).map((_line, i): uPlot.Band => ({ series: [i + 2, i + 1] })) : [],
    hooks: {
      drawClear: [wiring.beforeDrawing],
      draw: [wiring.afterDrawing],
      setCursor: [wiring.onCursor],
      setSelect: [wiring.onSelect],
    },
  };
};
