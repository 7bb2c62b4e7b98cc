/** The indices of samples: one per target and UTC day, a time series each. */
import type { Target } from '@thrum/actors/wire/schema';
import {
  dayIndexName,
  dayIndexPattern,
  endOfDayIndex,
  isDayOutdated,
  readDayIndexName,
  type Day,
} from './day-index.ts';
import type { IndexKind } from './indices.ts';
import { mappingOf, settingsOf } from './mapping.ts';

type Options = {
  readonly prefix: string;
  readonly replicas: number;
  readonly retentionDays: number;
  readonly catalogue: ReadonlyMap<string, Target>;
};

export const sampleDays = ({ prefix, replicas, retentionDays, catalogue }: Options): IndexKind => ({
  template: `${prefix}-1s`,
  pattern: dayIndexPattern(prefix),
  define: (name) => {
    const read = readDayIndexName(prefix, name);
    const target = read && catalogue.get(read.target);
    return target && { settings: settingsOf(target, read.day, replicas), mappings: mappingOf(target) };
  },
  newestMs: (name) => endOfDayIndex(prefix, name),
  isOutdated: (name, nowMs) => isDayOutdated(prefix, name, nowMs, retentionDays),
});

/** The indices of this day for every target that was written today or yesterday, as the names known to be there tell. */
export const namesForDay = (prefix: string, known: readonly string[], day: Day): string[] => {
  const targets = new Set<string>();
  for (const name of known) {
    const read = readDayIndexName(prefix, name);
    if (read && read.day >= day - 2) targets.add(read.target);
  }
  return [...targets].map((target) => dayIndexName(prefix, target, day));
};
