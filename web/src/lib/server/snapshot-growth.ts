/**
 * Brings a snapshot up to date with the frames that came after it, so that a tab opened later gets one message instead of a snapshot and
 * a hundred frames. Pure.
 */
import { tableWidth, type HostFrame, type Snapshot } from '@thrum/actors/wire/frame';

/** True when the values of `frame` have a place in the table of `snapshot`. */
export const fits = (snapshot: Snapshot, frame: HostFrame): boolean =>
  frame.table === snapshot.table.id && frame.values.length <= tableWidth(snapshot.table);

/**
 * The snapshot with `frames` behind it and without what is older than `keepMs` before its newest tick. Frames that it already holds
 * (by `seq`) are passed over. `undefined` when one does not fit its table: then a new snapshot is needed.
 */
export const grow = (snapshot: Snapshot, frames: readonly HostFrame[], keepMs: number): Snapshot | undefined => {
  const added = frames.filter((frame) => frame.seq > snapshot.seq);
  if (!added.every((frame) => fits(snapshot, frame))) return undefined;
  const newest = added.at(-1);
  if (!newest) return snapshot;
  const from = snapshot.timesMs.findIndex((timeMs) => timeMs >= newest.sampleMs - keepMs);
  const old = from < 0 ? new Float64Array(0) : snapshot.timesMs.subarray(from);
  const timesMs = new Float64Array(old.length + added.length);
  timesMs.set(old);
  added.forEach((frame, i) => (timesMs[old.length + i] = frame.sampleMs));
  const columns = snapshot.columns.map((column, slot) => {
    const grown = new Float32Array(timesMs.length);
    grown.set(column.subarray(column.length - old.length));
    added.forEach((frame, i) => (grown[old.length + i] = frame.values[slot] ?? Number.NaN));
    return grown;
  });
  return { ...snapshot, seq: newest.seq, timesMs, columns };
};
