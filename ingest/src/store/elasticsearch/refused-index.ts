/**
 * The index of dead letters: one document per sample that will never be stored, with the reason, in the month of the sample
 * (`../../../decisions/0006-month-of-a-dead-letter.md`). What was measured is kept and indexed in no part, so that no value can be a reason to
 * refuse it again.
 */
import { cutDetail, type DeadLetter } from '../dead-letter.ts';
import { isMonthOutdated, maxLetterAwayDays, monthIndexPattern, readMonthIndexName } from './month-index.ts';
import { maxKeywordChars } from './mapping.ts';
import type { IndexKind } from './indices.ts';

/** Long enough to be found; raising it keeps more of what nobody can use. */
export const refusedKeptDays = 60;

const keyword = { type: 'keyword', ignore_above: maxKeywordChars };

export const refusedIndex = (prefix: string, replicas: number): IndexKind => ({
  template: `${prefix}-refused`,
  pattern: monthIndexPattern(prefix, 'refused'),
  define: (name) =>
    readMonthIndexName(prefix, 'refused', name) === undefined
      ? undefined
      : {
          settings: {
            index: { number_of_shards: 1, number_of_replicas: replicas, refresh_interval: '5s' },
          },
          mappings: {
            dynamic: false,
            _meta: { thrum: { mapping: 1 } },
            properties: {
              '@timestamp': { type: 'date' },
              host_id: keyword,
              host: keyword,
              cluster: keyword,
              code: keyword,
              detail: keyword,
              target: keyword,
              fields: keyword,
              time_ms: { type: 'date', format: 'epoch_millis', ignore_malformed: true },
              epoch: { type: 'long' },
              seq: { type: 'long' },
              index: { type: 'long' },
              values: { type: 'object', enabled: false },
            },
          },
        },
  isOutdated: (name, nowMs) => {
    const month = readMonthIndexName(prefix, 'refused', name);
    return month !== undefined && isMonthOutdated(month, nowMs, refusedKeptDays + maxLetterAwayDays);
  },
});

export const letterDocument = ({ origin, i, reason, ...sample }: DeadLetter, nowMs: number): object => ({
  '@timestamp': nowMs,
  host_id: origin.hostId,
  host: origin.hostName,
  cluster: origin.cluster,
  code: reason.code,
  detail: cutDetail(reason.detail),
  target: sample.target,
  fields: sample.fields,
  time_ms: sample.timeMs,
  epoch: origin.epoch,
  seq: origin.seq,
  index: i,
  values: sample.values,
});

/** How a dead letter is kept that was refused itself. */
export const bareLetter = ({ values: _, ...document }: Record<string, unknown>): object => ({
  ...document,
  values_left_out: true,
});
