/**
 * One watched host on this web node, however many tabs look at it: topic `host/<id>` is subscribed once, its snapshot is asked once from
 * the ingest node that owns the host and shared. A tab that comes later gets the shared snapshot, grown by the frames since.
 *
 * Invariants: a viewer gets frames only after a snapshot (or the word that there is none), and never a frame of a node other than the
 * snapshot's; table ids of two nodes may be the same number and mean different things.
 */
import { gunzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { Clock, Timer } from '@thrum/actors/system/clock';
import type { StaleReason } from '@thrum/actors/topics/topics';
import {
  decodeHostFrame,
  decodeSnapshot,
  encodeHostFrame,
  encodeSnapshot,
  type HostFrame,
  type Snapshot,
} from '@thrum/actors/wire/frame';
import { limits } from '@thrum/actors/wire/limits';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { Counters } from './counters.ts';
import { fits, grow } from './snapshot-growth.ts';

export const watchLimits = {
  /** Frames kept behind the snapshot before they are made part of it: 2 minutes at one a second. */
  maxSince: 120,
  retryMs: 2_000,
  maxRetryMs: 30_000,
  /** A link that loses frames again and again must not be given a snapshot for each. */
  renewEveryMs: 2_000,
  /** Below this a snapshot is sent as it is; above, the fastest compression pays for itself on any network. */
  gzipBytes: 32 * 1024,
} as const;

/** What a tab is to a watch: plain calls, no message per frame. */
export type Viewer = {
  snapshot(bytes: Uint8Array, gzip: boolean): void;
  refused(refusal: Refusal): void;
  frame(bytes: Uint8Array): void;
};

export type SnapshotOutcome = { ok: true; gzip: boolean; bytes: Uint8Array } | Refusal;

export type WatchParts = {
  clock: Clock;
  counters: Counters;
  /** Node that owns the host by the roster; `undefined` for a host nobody knows. */
  owner(): string | undefined;
  /** Never throws. */
  ask(node: string): Promise<SnapshotOutcome>;
  /** `down` is called once when what gives snapshots on this node is gone. Returns how to stop watching. */
  watchServer(node: string, down: () => void): () => void;
};

type Base = { node: string; snapshot: Snapshot; encoded: { bytes: Uint8Array; gzip: boolean } | undefined };
type Arrived = { frame: HostFrame; atMs: number };

export type HostWatch = ReturnType<typeof createHostWatch>;

const unzip = promisify(gunzip);
const zip = promisify(gzip);

export const createHostWatch = (parts: WatchParts) => {
  const { clock, counters } = parts;
  /** False while a viewer waits for its snapshot. */
  const viewers = new Map<Viewer, boolean>();
  let base: Base | undefined;
  let source: string | undefined;
  let since: Arrived[] = [];
  let last: Arrived | undefined;
  let asking: string | undefined;
  let growing: Promise<void> | undefined;
  let retry: Timer | undefined;
  let renewal: Timer | undefined;
  let retryMs: number = watchLimits.retryMs;
  let told: Refusal | undefined;
  let askedMs = -Infinity;
  let stopWatching: (() => void) | undefined;
  let closed = false;
  let missedWhileAsking = false;

  /** Frames that lay here meanwhile, with the age they have now. */
  const aged = ({ frame, atMs }: Arrived): Uint8Array =>
    encodeHostFrame({ ...frame, ageMs: frame.ageMs + (clock.monotonicMs() - atMs) });

  const serve = (viewer: Viewer): void => {
    if (!base?.encoded) return;
    viewers.set(viewer, true);
    viewer.snapshot(base.encoded.bytes, base.encoded.gzip);
    // At least one frame follows, so that the page knows how old the newest values are.
    for (const one of since.length > 0 ? since : last ? [last] : []) viewer.frame(aged(one));
  };

  const refuseAll = (refusal: Refusal): void => {
    told = refusal;
    for (const [viewer, ready] of viewers) {
      if (ready) continue;
      viewers.set(viewer, true);
      viewer.refused(refusal);
    }
  };

  /** Frames behind the snapshot become part of it. False when they do not fit. */
  const absorb = (): boolean => {
    if (!base) return false;
    const grown = grow(
      base.snapshot,
      since.map((one) => one.frame),
      limits.recentMs,
    );
    since = [];
    if (!grown) return false;
    if (grown !== base.snapshot) base = { node: base.node, snapshot: grown, encoded: undefined };
    return true;
  };

  /** Makes the shared snapshot current and hands it to everybody who waits. */
  const bringUpToDate = async (): Promise<void> => {
    if (!absorb()) return askOwner();
    const mine = base;
    if (!mine) return;
    if (!mine.encoded) {
      const plain = encodeSnapshot(mine.snapshot);
      const small = plain.length < watchLimits.gzipBytes;
      mine.encoded = small ? { bytes: plain, gzip: false } : { bytes: await zip(plain, { level: 1 }), gzip: true };
    }
    // Another snapshot may have come while this one was compressed: then it has served them.
    if (base !== mine || closed) return;
    for (const [viewer, ready] of viewers) if (!ready) serve(viewer);
  };

  const catchUp = (): void => {
    growing ??= bringUpToDate().finally(() => {
      growing = undefined;
      // Somebody may have come at the very end.
      if (base?.encoded && since.length === 0) for (const [viewer, ready] of viewers) if (!ready) serve(viewer);
    });
  };

  const retryLater = (): void => {
    retry?.cancel();
    retry = clock.after(retryMs, askOwner);
    retryMs = Math.min(retryMs * 2, watchLimits.maxRetryMs);
  };

  const took = async (node: string, outcome: SnapshotOutcome): Promise<void> => {
    const snapshot = outcome.ok ? await readSnapshot(outcome) : undefined;
    asking = undefined;
    if (closed) return;
    if (source !== node) return askOwner();
    if (!outcome.ok || !snapshot) {
      counters.add('web_snapshots_failed');
      refuseAll(outcome.ok ? refuse('host-away', 'its snapshot cannot be read here') : outcome);
      // A host that is away is asked again when the roster says that it is back.
      if (outcome.ok || outcome.code !== 'host-away') retryLater();
      return;
    }
    retryMs = watchLimits.retryMs;
    told = undefined;
    base = { node, snapshot, encoded: { bytes: outcome.bytes, gzip: outcome.gzip } };
    since = since.filter((one) => one.frame.seq > snapshot.seq);
    // Also to those who had one before: its table is another.
    for (const viewer of viewers.keys()) serve(viewer);
    if (missedWhileAsking) renew();
  };

  /** The snapshot is not enough any more, though better than none: at once if the last one was asked for a while ago. */
  const renew = (): void => {
    const waitMs = askedMs + watchLimits.renewEveryMs - clock.monotonicMs();
    if (waitMs <= 0) return askOwner();
    renewal ??= clock.after(waitMs, () => {
      renewal = undefined;
      askOwner();
    });
  };

  /** Nothing comes from there any more, whatever the roster says yet: whoever owns the host by now is asked. */
  const serverGone = (node: string): void => {
    if (closed || source !== node) return;
    counters.add('web_hosts_orphaned');
    const owner = parts.owner();
    if (owner !== undefined && owner !== node && viewers.size > 0) moved(owner);
  };

  /** From now on the frames of `node` count; what came from another before means nothing beside them. */
  const follow = (node: string): void => {
    if (source === node) return;
    source = node;
    stopWatching?.();
    stopWatching = parts.watchServer(node, () => serverGone(node));
    since = [];
    last = undefined;
  };

  function askOwner(): void {
    const node = parts.owner();
    if (closed || asking !== undefined) return;
    if (node === undefined) return refuseAll(refuse('unknown-host'));
    follow(node);
    retry?.cancel();
    asking = node;
    askedMs = clock.monotonicMs();
    missedWhileAsking = false;
    renewal?.cancel();
    renewal = undefined;
    counters.add('web_snapshots_asked');
    void parts.ask(node).then((outcome) => took(node, outcome));
  }

  /** Another node owns the host now: nobody gets its frames before they have its table. */
  const moved = (node: string): void => {
    follow(node);
    for (const viewer of viewers.keys()) viewers.set(viewer, false);
    askOwner();
  };

  return {
    viewers: (): number => viewers.size,

    join: (viewer: Viewer): void => {
      viewers.set(viewer, false);
      const owner = parts.owner();
      if (base && (base.node === owner || owner === undefined)) {
        counters.add('web_snapshots_shared');
        if (since.length === 0 && base.encoded && !growing) serve(viewer);
        else catchUp();
      } else if (told && retry) {
        viewers.set(viewer, true);
        viewer.refused(told);
      } else askOwner();
    },

    leave: (viewer: Viewer): void => void viewers.delete(viewer),

    /** A delivery of the host's topic. */
    deliver: (node: string, bytes: Uint8Array): void => {
      const frame = decodeHostFrame(bytes);
      if (!frame) return counters.add('web_frames_malformed');
      if (source === undefined) follow(node);
      if (source !== node) {
        if (parts.owner() !== node) return counters.add('web_frames_foreign');
        moved(node);
      }
      // A copy: the bytes that came may be a small part of a large buffer.
      const arrived = { frame: { ...frame, values: frame.values.slice() }, atMs: clock.monotonicMs() };
      // A sequence that went back was begun anew; one that jumped lost frames on the way.
      const jumped = last !== undefined && frame.seq !== last.frame.seq + 1 && frame.sampleMs > last.frame.sampleMs;
      if (jumped) counters.add('web_frames_missed');
      last = arrived;
      since.push(arrived);
      for (const [viewer, ready] of viewers) if (ready) viewer.frame(bytes);
      if (base && (jumped || !fits(base.snapshot, frame))) return renew();
      if (since.length < watchLimits.maxSince) return;
      if (!base) since = since.slice(watchLimits.maxSince / 2);
      else if (!growing && !absorb()) askOwner();
    },

    /** Frames of `node` may have been missed. What is asked for after its stream has begun misses none; what was asked before a gap may. */
    stale: (node: string, why: StaleReason): void => {
      if (source !== node || closed) return;
      if (asking !== undefined) missedWhileAsking ||= why === 'gap';
      else if (base && viewers.size > 0) renew();
      else base = undefined;
    },

    /** The roster said something of this host: it may have moved, or be back. */
    rosterChanged: (connected: boolean): void => {
      const owner = parts.owner();
      if (owner === undefined || viewers.size === 0) return;
      if (source !== owner) moved(owner);
      else if (!base && connected && asking === undefined) {
        retryMs = watchLimits.retryMs;
        for (const viewer of viewers.keys()) viewers.set(viewer, false);
        askOwner();
      }
    },

    close: (): void => {
      closed = true;
      stopWatching?.();
      retry?.cancel();
      renewal?.cancel();
      viewers.clear();
    },
  };
};

const readSnapshot = async (answer: { gzip: boolean; bytes: Uint8Array }): Promise<Snapshot | undefined> => {
  try {
    return decodeSnapshot(answer.gzip ? await unzip(answer.bytes) : answer.bytes);
  } catch {
    return undefined; // no gzip data, or a table that is no JSON
  }
};
