/** What of a batch a store takes: accepted by who received it, of a known target, at a time that is kept. */
import type { Target } from '@thrum/actors/wire/schema';
import type { OpenWrite } from './open-write.ts';
import { judgeSampleTime, sampleTimeDetail } from './sample-time.ts';
import type { WriteRequest } from './store.ts';

/** What may wait in memory for a store that is slow or away; 5,000 agents sending 13 KB a second fill it in one. */
export const defaultMaxHeldBytes = 64 * 1024 * 1024;

export const countAccepted = (request: WriteRequest): number => {
  let samples = 0;
  for (let i = 0; i < request.batch.shape.series.length; i += 1) samples += request.accepted[i] === 1 ? 1 : 0;
  return samples;
};

/** True when sample `i` is to be stored; otherwise its end is noted in `write` unless it was not accepted in the first place. */
export const isAdmissible = (
  request: WriteRequest,
  i: number,
  write: OpenWrite,
  context: { readonly catalogue: ReadonlyMap<string, Target>; readonly nowMs: number; readonly retentionDays: number },
): boolean => {
  if (request.accepted[i] !== 1) return false;
  const name = request.batch.shape.series[i]?.target.name ?? '';
  if (!context.catalogue.has(name)) {
    write.end(1, { code: 'unknown-target', detail: name });
    return false;
  }
  const timeMs = request.batch.timesMs[i] ?? Number.NaN;
  const verdict = Number.isFinite(timeMs) ? judgeSampleTime(timeMs, context.nowMs, context.retentionDays) : 'time-past';
  if (verdict === 'ok') return true;
  write.end(1, { code: verdict, detail: `${name}: ${sampleTimeDetail(timeMs, context.nowMs)}` });
  return false;
};
