/**
 * Numbers as people read them: few digits by magnitude (7.4, 38, 100), the unit apart so that it can be quieter.
 * Sizes count by 1,024 (memory comes out round), rates of bytes by 1,000 (as networks and disks are sold).
 */
import type { Unit } from '@thrum/actors/wire/schema';

export type Quantity = { readonly unit: Unit; readonly rate: boolean };
export type Written = { readonly text: string; readonly unit: string };

/** What stands where a value is unknown. Never a zero. */
export const unknownText = '–';

const digits = (value: number): string => {
  const size = Math.abs(value);
  if (size >= 9.95 || size === 0) return Math.round(value).toString();
  return size >= 0.0995 ? value.toFixed(1) : value.toFixed(2);
};

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const decimal = ['', 'k', 'M', 'G', 'T', 'P'];

/** Steps of `base` that keep the number under it, counting what rounding would lift over it. */
const stepOf = (value: number, base: number, steps: number): number => {
  let step = 0;
  let rest = Math.abs(value);
  while (rest >= base - 0.5 && step < steps - 1) {
    rest /= base;
    step += 1;
  }
  return step;
};

const scaled = (value: number, base: number, names: readonly string[]): { text: string; step: string } => {
  const step = stepOf(value, base, names.length);
  const part = value / base ** step;
  // Whole bytes and whole things have no tenths.
  return { text: step === 0 && base === 1024 ? Math.round(part).toString() : digits(part), step: names[step] ?? '' };
};

const plainDuration = (seconds: number): Written => {
  if (seconds < 90) return { text: digits(seconds), unit: 's' };
  if (seconds < 5400) return { text: Math.round(seconds / 60).toString(), unit: 'min' };
  if (seconds < 129_600) return { text: digits(seconds / 3600), unit: 'h' };
  return { text: digits(seconds / 86_400), unit: 'd' };
};

/** Text and unit of a value; unknown values are a dash without a unit. */
export const write = (value: number | undefined, { unit, rate }: Quantity): Written => {
  if (value === undefined || !Number.isFinite(value)) return { text: unknownText, unit: '' };
  switch (unit) {
    case '%':
      return { text: digits(value), unit: '%' };
    case 'bytes': {
      if (!rate) {
        const { text, step } = scaled(value, 1024, binary);
        return { text, unit: step };
      }
      const { text, step } = scaled(Math.abs(value) < 0.5 ? 0 : value, 1000, decimal);
      return { text, unit: `${step}B/s` };
    }
    case 'count': {
      const { text, step } = scaled(value, 1000, decimal);
      return { text: text + step, unit: rate ? '/s' : '' };
    }
    case 'load':
      return {
        text: Math.abs(value) < 99.95 ? value.toFixed(Math.abs(value) < 9.995 ? 2 : 1) : digits(value),
        unit: '',
      };
    case 'ms':
      return { text: digits(value), unit: rate ? 'ms/s' : 'ms' };
    case 'seconds':
      return rate ? { text: digits(value), unit: 's/s' } : plainDuration(value);
  }
};

/** Text and unit in one string, for axes and labels. */
export const writeLine = (value: number | undefined, quantity: Quantity): string => {
  const { text, unit } = write(value, quantity);
  return unit === '' || unit === '%' || unit === '/s' ? text + unit : `${text}\u202f${unit}`;
};
