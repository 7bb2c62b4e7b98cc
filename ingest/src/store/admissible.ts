/** What of a batch a store takes: accepted by who received it, of a known target, at a time that is kept. The rest becomes dead letters. */
import type { RefusalCode } from '@thrum/actors/wire/refusal';
import type { Target } from '@thrum/actors/wire/schema';
import { judgeSampleTime, sampleTimeDetail } from './sample-time.ts';
import type { WriteRequest } from './store.ts';

/** What may wait in memory for a store that is slow or away; 5,000 agents sending 13 KB a second fill it in one. */
export const defaultMaxHeldBytes = 64 * 1024 * 1024;

/** `isTold`: part of the result of the write. Who received the batch knows what it refused itself. */
export type Reason = { readonly code: RefusalCode; readonly detail: string; readonly isTold: boolean };

/** Samples that have to end before the batch counts as written: those to be stored, and those to be kept with the reason against them. */
export const countItems = (request: WriteRequest): number => {
  let items = 0;
  for (let i = 0; i < request.batch.shape.series.length; i += 1)
    items += request.accepted[i] === 1 || request.refused?.[i] ? 1 : 0;
  return items;
};

type Context = {
  readonly catalogue: ReadonlyMap<string, Target>;
  readonly nowMs: number;
  readonly retentionDays: number;
};

/** `skip`: not accepted and no reason given, so nobody asks for it. */
export const judgeSample = (request: WriteRequest, i: number, context: Context): 'store' | 'skip' | Reason => {
  if (request.accepted[i] !== 1) {
    const given = request.refused?.[i];
    return given ? { ...given, isTold: false } : 'skip';
  }
  const name = request.batch.shape.series[i]?.target.name ?? '';
  if (!context.catalogue.has(name)) return { code: 'unknown-target', detail: name, isTold: true };
  const timeMs = request.batch.timesMs[i] ?? Number.NaN;
  const verdict = Number.isFinite(timeMs) ? judgeSampleTime(timeMs, context.nowMs, context.retentionDays) : 'time-past';
  if (verdict === 'ok') return 'store';
  return { code: verdict, detail: `${name}: ${sampleTimeDetail(timeMs, context.nowMs)}`, isTold: true };
};
