/**
 * What the overview shows, kept so that a page is full at once: the last row of every host, and the frames of the last minute for the
 * spark lines. Fed from topic `overview`, which every web node always subscribes; a node that has just linked to an ingest node asks it
 * for the minute before.
 *
 * A row says how old its sample was when ingest received it; while a row lies here it grows older, so what is handed out carries its age
 * of now. No old number may look current.
 */
import { decodeOverviewFrame, encodeOverviewFrame, type OverviewRow } from '@thrum/actors/wire/frame';

export const overviewLimits = {
  windowMs: 60_000,
  /** Bytes of frames kept: 5,000 hosts take 20 MB for the minute. When full the oldest go. */
  maxBytes: 32 * 1024 * 1024,
  /** Hosts with a last row; as many as the roster may have. */
  maxHosts: 20_000,
  /** What one greeting carries for the spark lines; with more hosts than fit, it carries every second, third, … second. */
  greetingBytes: 1024 * 1024,
  /** Ages handed out may be wrong by so much. */
  reuseMs: 200,
} as const;

type Kept = { readonly bytes: Uint8Array; readonly arrivedMs: number };
type Last = { readonly row: OverviewRow; readonly arrivedMs: number };

const aged = (row: OverviewRow, byMs: number): OverviewRow => ({ ...row, ageMs: row.ageMs + Math.max(0, byMs) });

export const createOverviewCache = (monotonicMs: () => number) => {
  let frames: Kept[] = [];
  let bytesKept = 0;
  const last = new Map<string, Last>();
  /** Encoding a large fleet takes tens of milliseconds, and after the loss of a web node its tabs all come at once. */
  let minuteFrame: Uint8Array | undefined;
  let lastFrame: Kept | undefined;

  const expire = (nowMs: number): void => {
    let gone = 0;
    for (const frame of frames) {
      if (nowMs - frame.arrivedMs <= overviewLimits.windowMs && bytesKept <= overviewLimits.maxBytes) break;
      bytesKept -= frame.bytes.length;
      gone += 1;
    }
    if (gone === 0) return;
    frames = frames.slice(gone);
    minuteFrame = undefined;
  };

  const keep = (bytes: Uint8Array, rows: readonly OverviewRow[], arrivedMs: number): void => {
    if (rows.length === 0) return; // says only that its node is there
    for (const row of rows) {
      const known = last.get(row.hostId);
      if (known ? known.row.sampleMs >= row.sampleMs : last.size >= overviewLimits.maxHosts) continue;
      last.set(row.hostId, { row: { ...row, values: row.values.slice() }, arrivedMs });
    }
    // A copy: the bytes that came may be a small part of a large buffer.
    frames.push({ bytes: new Uint8Array(bytes), arrivedMs });
    bytesKept += bytes.length;
    minuteFrame = undefined;
    lastFrame = undefined;
  };

  /** The last row of every host, aged to now: one frame. */
  const lastValues = (): Uint8Array => {
    const nowMs = monotonicMs();
    if (lastFrame && nowMs - lastFrame.arrivedMs < overviewLimits.reuseMs) return lastFrame.bytes;
    const rows = [...last.values()].map(({ row, arrivedMs }) => aged(row, nowMs - arrivedMs));
    lastFrame = { bytes: encodeOverviewFrame(rows), arrivedMs: nowMs };
    return lastFrame.bytes;
  };

  /** The rows of the minute before in one frame, oldest first, thinned to what may be sent. */
  const minute = (): Uint8Array => {
    const nowMs = monotonicMs();
    expire(nowMs);
    if (minuteFrame) return minuteFrame;
    const step = Math.max(1, Math.ceil(bytesKept / overviewLimits.greetingBytes));
    const rows: OverviewRow[] = [];
    for (const { bytes, arrivedMs } of frames) {
      // By the second and not by the frame, or one of two ingest nodes would lose all of its frames.
      if (Math.floor(arrivedMs / 1000) % step !== 0) continue;
      for (const row of decodeOverviewFrame(bytes) ?? []) rows.push(aged(row, nowMs - arrivedMs));
    }
    return (minuteFrame = encodeOverviewFrame(rows));
  };

  return {
    /** A frame of the topic. False when it is none. */
    add: (bytes: Uint8Array): boolean => {
      const rows = decodeOverviewFrame(bytes);
      if (!rows) return false;
      const nowMs = monotonicMs();
      keep(bytes, rows, nowMs);
      expire(nowMs);
      return true;
    },

    /**
     * The frames an ingest node kept, oldest first. When they arrived there is known only by their samples' times: `wallMs` is this
     * node's clock, and clocks of nodes differ a little, but the first frame of the topic corrects it within a second. `onlyNewer` leaves
     * out what is known already. True when a last row is newer for it.
     */
    fill: (past: readonly Uint8Array[], how: { wallMs: number; onlyNewer?: boolean }): boolean => {
      const nowMs = monotonicMs();
      let isNewer = false;
      for (const bytes of past) {
        const rows = decodeOverviewFrame(bytes);
        const newest = rows?.reduce((ms, row) => Math.max(ms, row.sampleMs + row.ageMs), 0);
        if (!rows || newest === undefined || newest === 0) continue;
        const hasNewer = rows.some(({ hostId, sampleMs }) => (last.get(hostId)?.row.sampleMs ?? -Infinity) < sampleMs);
        isNewer ||= hasNewer;
        if (hasNewer || how.onlyNewer !== true) keep(bytes, rows, nowMs - Math.max(0, how.wallMs - newest));
      }
      frames.sort((a, b) => a.arrivedMs - b.arrivedMs);
      expire(nowMs);
      return isNewer;
    },

    forget: (hostId: string): void => {
      last.delete(hostId);
      lastFrame = undefined;
    },

    lastValues,

    /** For a greeting. Two frames and not sixty-one: socket.io's parser takes at most ten binary parts in a message. */
    greeting: (): Uint8Array[] => [minute(), lastValues()],

    size: (): { hosts: number; frames: number; bytes: number } => ({
      hosts: last.size,
      frames: frames.length,
      bytes: bytesKept,
    }),
  };
};
