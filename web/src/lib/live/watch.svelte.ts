/**
 * The one host this page looks at in full detail: its last ten minutes, then every frame. Whenever frames cannot be understood or
 * some were missed, a new snapshot is asked for (at most once in a while) and what was missed fills in at its own time.
 */
import { decodeHostFrame, decodeSnapshot, type HostFrame } from '@thrum/actors/wire/frame';
import { limits } from '@thrum/actors/wire/limits';
import type { Refusal } from '@thrum/actors/wire/refusal';
import { Recording } from './recording.ts';
import { TimeAnchor } from './time-anchor.ts';

const resyncMs = { unknownTable: 2000, gap: 10_000 };
/** Frames that came before their table: more than this is not worth keeping, the snapshot has them. */
const maxPending = 64;

export type Newest = { readonly sampleMs: number; readonly ageMs: number; readonly arrivedMs: number };

export class Watch {
  readonly hostId: string;
  recording = $state.raw<Recording | undefined>(undefined);
  /** Rises with everything that changes the recording. */
  version = $state(0);
  newest = $state.raw<Newest | undefined>(undefined);
  /** Why there is no snapshot; cleared when one comes. */
  refusal = $state.raw<Refusal | undefined>(undefined);
  readonly anchor = new TimeAnchor();
  readonly #resync: () => void;
  #askedMs = Number.NEGATIVE_INFINITY;
  #seq: number | undefined;
  #pending: HostFrame[] = [];
  #unseen = false;
  #unseenNewest: Newest | undefined;

  /** `resync` asks the web node for a snapshot. */
  constructor(hostId: string, resync: () => void) {
    this.hostId = hostId;
    this.#resync = resync;
  }

  /** (Re-)starts: after the page turned to this host and after every new connection. */
  begin(nowMs: number): void {
    this.#seq = undefined;
    this.#pending = [];
    this.#ask(nowMs, 0);
  }

  frame(bytes: Uint8Array, nowMs: number, visible: boolean): void {
    const frame = decodeHostFrame(bytes);
    if (frame?.hostId !== this.hostId) return;
    this.anchor.note(frame.sampleMs + frame.ageMs, nowMs);
    const missed = this.#seq !== undefined && frame.seq > this.#seq + 1;
    this.#seq = Math.max(this.#seq ?? 0, frame.seq);
    const outcome = this.recording?.append(frame) ?? 'unknown-table';
    if (outcome === 'unknown-table') {
      this.#pending = [...this.#pending.slice(1 - maxPending), frame];
      this.#ask(nowMs, resyncMs.unknownTable);
      return;
    }
    if (missed) this.#ask(nowMs, resyncMs.gap);
    // After a snapshot its newest tick comes once more, to tell how old it is.
    if (outcome === 'ignored' && frame.sampleMs !== this.recording?.lastMs) return;
    this.#show({ sampleMs: frame.sampleMs, ageMs: frame.ageMs, arrivedMs: nowMs }, visible);
  }

  /** `serverMs`: now by the web node's clock, to tell the age of a snapshot's newest tick. */
  snapshot(bytes: Uint8Array, nowMs: number, serverMs: number | undefined, visible: boolean): void {
    const snapshot = decodeSnapshot(bytes);
    if (snapshot?.hostId !== this.hostId) return;
    const recording = Recording.of(snapshot, limits.recentMs, this.recording);
    this.refusal = undefined;
    this.#seq = snapshot.seq;
    const pending = this.#pending.filter((frame) => frame.table === snapshot.table.id);
    this.#pending = [];
    for (const frame of pending) {
      recording.append(frame);
      this.#seq = Math.max(this.#seq, frame.seq);
    }
    this.recording = recording;
    const lastMs = recording.lastMs;
    if (lastMs === undefined) return;
    const ageMs = Math.max(0, (this.anchor.at(nowMs) ?? serverMs ?? lastMs) - lastMs);
    this.#show({ sampleMs: lastMs, ageMs, arrivedMs: nowMs }, visible);
  }

  refused(refusal: Refusal & { readonly host: string }): void {
    if (refusal.host === this.hostId) this.refusal = refusal;
  }

  see(): void {
    if (!this.#unseen) return;
    this.#unseen = false;
    if (this.#unseenNewest) this.newest = this.#unseenNewest;
    this.version += 1;
  }

  /** Age of the newest sample, or `undefined` when there is none. */
  ageMs(nowMs: number): number | undefined {
    return this.newest && this.newest.ageMs + Math.max(0, nowMs - this.newest.arrivedMs);
  }

  #show(newest: Newest, visible: boolean): void {
    if (visible) {
      if (newest.sampleMs >= (this.newest?.sampleMs ?? 0)) this.newest = newest;
      this.version += 1;
      return;
    }
    this.#unseen = true;
    if (newest.sampleMs >= (this.#unseenNewest?.sampleMs ?? 0)) this.#unseenNewest = newest;
  }

  #ask(nowMs: number, notWithinMs: number): void {
    if (nowMs - this.#askedMs < notWithinMs) return;
    this.#askedMs = nowMs;
    this.#resync();
  }
}
