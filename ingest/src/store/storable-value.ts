/**
 * Which numbers fit the type a metric is kept in. Both stores leave out the same values, so that a question has one answer:
 * NaN and infinities, a `float` beyond the range of four bytes, a `long` beyond the whole numbers a double can tell apart.
 */
import type { WireMetric } from '@thrum/actors/wire/dictionary';

const maxFloat = 3.4028234663852886e38;

/** The value as it is kept, or NaN when it must be left out. A `long` is rounded: 5.7 is 6, never silently 5. */
export const storable = (type: WireMetric['type'], value: number): number => {
  if (type === 'float') return value >= -maxFloat && value <= maxFloat ? value : Number.NaN;
  const whole = Math.round(value);
  return Number.isSafeInteger(whole) ? whole : Number.NaN;
};

/** A number read back, without the noise that four bytes add: 52.72 was kept, not 52.720001220703125. */
export const readable = (type: WireMetric['type'], value: number): number =>
  type === 'float' ? Number(value.toPrecision(7)) : value;
