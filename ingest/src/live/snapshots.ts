/**
 * The last ten minutes of a host for whoever starts to watch: asked of its agent once however many ask at the same time, kept for a few
 * seconds, and brought up to date with the ticks that came meanwhile.
 *
 * Invariant: a snapshot is put together in one go after its request came in; its `seq` is the host's at that moment, every tick up to
 * it is part of the snapshot, and every frame published later has a larger one. So a snapshot is only handed out a second time while
 * no tick came in between.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import PQueue from 'p-queue';
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import type { Shape } from '@thrum/actors/wire/batch';
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import { encodeSnapshot } from '@thrum/actors/wire/frame';
import { limits } from '@thrum/actors/wire/limits';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { HostLive, Recording } from './host-live.ts';
import { maxAgeMs } from './overview.ts';
import { readRecent } from './recent.ts';
import { SnapshotRows } from './snapshot-rows.ts';
import { Ticks } from './ticks.ts';

/** Asks the agent of a host; resolves with what it answered, or refuses with `host-away` or `deadline`. */
export type AskRecent = (
  hostId: string,
  sinceMs: number,
  deadlineMs: number,
) => Promise<{ readonly ok: true; readonly answer: unknown } | Refusal>;

export type SnapshotReply = { readonly ok: true; readonly gzip: boolean; readonly bytes: Uint8Array } | Refusal;

export type SnapshotsOptions = {
  readonly clock: Clock;
  readonly log: Log;
  readonly askRecent: AskRecent;
  readonly findDictionary: (hash: string) => Dictionary | undefined;
  readonly isKnownTarget: (name: string) => boolean;
};

const agentDeadlineMs = 3_000;
/** Long enough for everybody who opens the same host after an alarm, short enough to cost little memory. */
const keepMs = 10_000;
/** Each may hold 24 MB, a usual one 2. */
const maxKept = 16;
/** Fetches at the same time; each decodes for some 50 ms. */
const maxAtOnce = 4;
const maxWaiting = 64;
const compress = promisify(gzip);

type Kept = {
  readonly untilMs: number;
  readonly tableId: number;
  readonly rows: SnapshotRows;
  readonly recording: Recording;
  readonly stop: () => void;
  recorded: number;
  encoded: { readonly seq: number; readonly reply: Promise<SnapshotReply> } | undefined;
};

export class Snapshots {
  #options: SnapshotsOptions;
  #kept = new Map<string, Kept>();
  #fetching = new Map<string, Promise<Kept | Refusal>>();
  #queue = new PQueue({ concurrency: maxAtOnce });
  #counts = { snapshots: 0, fetches: 0, fetchesFailed: 0, refusedBusy: 0 };

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  counters(): Record<string, number> {
    return { ...this.#counts, kept: this.#kept.size, fetching: this.#fetching.size };
  }

  async of(host: HostLive): Promise<SnapshotReply> {
    this.sweep();
    this.#counts.snapshots += 1;
    let kept: Kept | Refusal | undefined = this.#kept.get(host.hostId);
    if (!kept || !kept.recording.complete || kept.tableId !== host.table.id) {
      if (kept) this.#drop(host.hostId, kept);
      kept = await this.#fetch(host);
    }
    if ('code' in kept) return this.#seenHere(host, kept);
    const { recording, rows } = kept;
    // The table was renewed at the very moment: what was fetched belongs to the old one.
    if (!recording.complete || kept.tableId !== host.table.id) return this.#seenHere(host, refuse('host-away'));
    for (; kept.recorded < recording.rows.length; kept.recorded += 1)
      rows.add(recording.timesMs[kept.recorded] as number, recording.rows[kept.recorded] as Float32Array);
    if (kept.encoded?.seq !== host.seq) kept.encoded = { seq: host.seq, reply: this.#encode(host, rows) };
    return kept.encoded.reply;
  }

  /** Lets go of what is too old to be brought up to date. */
  sweep(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [hostId, kept] of this.#kept) if (kept.untilMs <= nowMs) this.#drop(hostId, kept);
  }

  close(): void {
    for (const [hostId, kept] of this.#kept) this.#drop(hostId, kept);
  }

  #drop(hostId: string, kept: Kept): void {
    kept.stop();
    if (this.#kept.get(hostId) === kept) this.#kept.delete(hostId);
  }

  #fetch(host: HostLive): Promise<Kept | Refusal> {
    const under = this.#fetching.get(host.hostId);
    if (under) return under;
    if (this.#queue.size >= maxWaiting) {
      this.#counts.refusedBusy += 1;
      return Promise.resolve(refuse('busy', 'too many hosts are being opened at once'));
    }
    const fetch = this.#queue.add(() => this.#fetchNow(host)).finally(() => this.#fetching.delete(host.hostId));
    this.#fetching.set(host.hostId, fetch);
    return fetch;
  }

  async #fetchNow(host: HostLive): Promise<Kept | Refusal> {
    const { clock, askRecent, findDictionary, isKnownTarget } = this.#options;
    this.#counts.fetches += 1;
    const { recording, stop } = host.record();
    const tableId = host.table.id;
    const fromMs = clock.wallMs() - host.offsetMs - limits.recentMs;
    const asked = await askRecent(host.hostId, fromMs, agentDeadlineMs);
    if (!asked.ok) {
      stop();
      this.#counts.fetchesFailed += 1;
      return asked;
    }
    const rows = new SnapshotRows();
    let written = 0;
    const ticks = new Ticks(host.table, (timeMs, values) => {
      written += values.length;
      rows.add(timeMs, values.slice());
    });
    const masks = new WeakMap<Shape, Uint8Array>();
    const latestMs = clock.wallMs() - host.offsetMs + limits.maxAheadMs;
    const read = await readRecent(asked.answer, findDictionary, (batch) => {
      let mask = masks.get(batch.shape);
      if (!mask) {
        mask = Uint8Array.from(batch.shape.series, (one) => (isKnownTarget(one.target.name) ? 1 : 0));
        masks.set(batch.shape, mask);
      }
      const timeMs = batch.timesMs[0] ?? 0;
      const before = written;
      if (timeMs >= fromMs - limits.recentMs && timeMs <= latestMs) ticks.accept(batch, mask);
      return written - before;
    });
    if (!read.ok) {
      stop();
      this.#counts.fetchesFailed += 1;
      this.#options.log.warn(
        { host: host.hostId, refusal: read },
        'An agent gave its last minutes in a way nobody reads',
      );
      return read;
    }
    const untilMs = clock.monotonicMs() + keepMs;
    const kept: Kept = { untilMs, tableId, rows, recording, stop, recorded: 0, encoded: undefined };
    this.#keep(host.hostId, kept);
    return kept;
  }

  #keep(hostId: string, kept: Kept): void {
    const oldest = this.#kept.size >= maxKept ? this.#kept.entries().next().value : undefined;
    if (oldest) this.#drop(oldest[0], oldest[1]);
    this.#kept.set(hostId, kept);
  }

  /** The agent did not help: the newest tick is better than an empty page, and nothing at all is a refusal. */
  #seenHere(host: HostLive, reason: Refusal): Promise<SnapshotReply> {
    const { timeMs } = host.ticks;
    if (timeMs === -Infinity) return Promise.resolve(reason);
    const rows = new SnapshotRows();
    rows.add(timeMs, host.ticks.newest(maxAgeMs));
    return this.#encode(host, rows);
  }

  async #encode(host: HostLive, rows: SnapshotRows): Promise<SnapshotReply> {
    // Put together before the first wait: nothing may come between the rows and the sequence number.
    const newestMs = rows.timesMs.at(-1) ?? 0;
    const bytes = encodeSnapshot(rows.snapshot(host, newestMs - limits.recentMs));
    return { ok: true, gzip: true, bytes: await compress(bytes, { level: 1 }) };
  }
}
