/**
 * The last minute of the overview as frames, for a web node that just started and has spark lines to draw. The k-th frame holds the k-th
 * row of every host, so times within a frame differ by what the hosts differ; each row carries its own. Bounded in bytes: with many
 * hosts the rows are thinned out evenly.
 */
import { encodeOverviewFrame, type OverviewRow } from '@thrum/actors/wire/frame';
import type { HostLive } from './host-live.ts';

const windowMs = 60_000;
/** A row takes 64 bytes; 60 rows of 1,000 hosts fit. */
const maxRows = 60_000;

/** Oldest first; empty without hosts. */
export const sparkFrames = (hosts: readonly HostLive[], nowMs: number): Uint8Array[] => {
  const perHost = hosts
    .map((host) => host.overview.kept(host.hostId, nowMs - windowMs))
    .filter((rows) => rows.length > 0);
  const total = perHost.reduce((sum, rows) => sum + rows.length, 0);
  const stride = Math.max(1, Math.ceil(total / maxRows));
  const frames: OverviewRow[][] = [];
  for (const rows of perHost) {
    // Counted from the newest, which is always there.
    for (let back = 0; back * stride < rows.length; back += 1)
      (frames[back] ??= []).push(rows[rows.length - 1 - back * stride] as OverviewRow);
  }
  return frames.reverse().map(encodeOverviewFrame);
};
