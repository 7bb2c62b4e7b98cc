/**
 * The stretch of time a page looks at: what the URL says, and what of it is drawn now.
 *
 * The right edge of a live window is now by the clock, never the newest sample. A young recording is shown over less time than was
 * asked for, so that a first minute does not stand in ten empty ones.
 */
export type LiveRange = '1m' | '5m' | '10m';
export type PastRange = '15m' | '1h' | '6h' | '24h';
export type Range = LiveRange | PastRange;

export const liveRanges: readonly LiveRange[] = ['1m', '5m', '10m'];
export const pastRanges: readonly PastRange[] = ['15m', '1h', '6h', '24h'];

export const rangeMs: Readonly<Record<Range, number>> = {
  '1m': 60_000,
  '5m': 300_000,
  '10m': 600_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
  '24h': 86_400_000,
};

export const rangeNames: Readonly<Record<Range, string>> = {
  '1m': '1 min',
  '5m': '5 min',
  '10m': '10 min',
  '15m': '15 min',
  '1h': '1 h',
  '6h': '6 h',
  '24h': '24 h',
};

/** What the reader chose: a range that ends now, or a fixed stretch. */
export type Choice =
  | { readonly kind: 'live'; readonly range: LiveRange }
  | { readonly kind: 'past'; readonly range: PastRange }
  | { readonly kind: 'fixed'; readonly fromMs: number; readonly toMs: number };

export const defaultRange: LiveRange = '5m';

const isLive = (text: string): text is LiveRange => (liveRanges as readonly string[]).includes(text);
const isPast = (text: string): text is PastRange => (pastRanges as readonly string[]).includes(text);

export const choose = (range: Range): Choice => (isLive(range) ? { kind: 'live', range } : { kind: 'past', range });

const longestMs = 400 * 86_400_000;

/** Reads `range`, or `from` and `to`, of a URL; what makes no sense is the default. */
export const readChoice = (parameters: Pick<URLSearchParams, 'get'>): Choice => {
  const fromMs = Number(parameters.get('from') ?? Number.NaN);
  const toMs = Number(parameters.get('to') ?? Number.NaN);
  const sane = Number.isInteger(fromMs) && Number.isInteger(toMs) && fromMs > 0 && fromMs < toMs;
  if (sane && toMs - fromMs <= longestMs) return { kind: 'fixed', fromMs, toMs };
  const range = parameters.get('range') ?? '';
  return isPast(range) ? { kind: 'past', range } : { kind: 'live', range: isLive(range) ? range : defaultRange };
};

/** The query of the URL that `readChoice` reads back; empty for the default. */
export const writeChoice = (choice: Choice): '' | `?${string}` => {
  if (choice.kind === 'fixed') return `?from=${choice.fromMs}&to=${choice.toMs}`;
  return choice.range === defaultRange ? '' : `?range=${choice.range}`;
};

const youngMs = [30_000, 60_000, 300_000, 600_000];

/** Length of the live window: the shortest step that holds all of a young recording, at most what was asked for. */
export const liveWindowMs = (range: LiveRange, recordedMs: number): number => {
  const askedMs = rangeMs[range];
  return Math.min(askedMs, youngMs.find((ms) => ms >= recordedMs) ?? askedMs);
};
