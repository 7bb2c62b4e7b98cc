/**
 * Colors for canvases: the same custom properties the style sheet uses, resolved to what they are in the present theme.
 * One hidden element does the resolving; `theme` only names the cache.
 */
import type { Hue } from './chart-plan.ts';

let probe: HTMLElement | undefined;
const cache = new Map<string, string>();
/** More than all colors of both themes; a bound against a caller that invents names. */
const maxCached = 200;

export const resolveColor = (name: string, isDark: boolean): string => {
  const key = `${name} ${isDark ? 'dark' : 'light'}`;
  const found = cache.get(key);
  if (found !== undefined) return found;
  if (probe === undefined) {
    probe = document.createElement('span');
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  const color = getComputedStyle(probe).color;
  if (cache.size < maxCached) cache.set(key, color);
  return color;
};

const shades: Readonly<Record<Hue, number>> = { blue: 7, teal: 4, violet: 4, orange: 4, slate: 4 };

/** Custom property of the shade of line `index` of a chart. */
export const shadeName = (hue: Hue, index: number): string => {
  const shade = (index % shades[hue]) + 1;
  return shade === 1 ? `--${hue}` : `--${hue}-${shade}`;
};

/** A resolved color ("rgb(1, 2, 3)") with an opacity. */
export const faded = (color: string, opacity: number): string =>
  color.startsWith('rgb(') ? color.replace('rgb(', 'rgba(').replace(')', `, ${opacity})`) : color;
