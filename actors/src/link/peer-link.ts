/**
 * One link that is up: its outbox, its heartbeat, its end. Messages queued within one turn of the event loop leave in one frame. No more than
 * `inFlightBytes` are handed to the transport at a time, so that what waits stays in the outbox, where it is bounded and may be dropped.
 */
import type { Clock } from '../system/clock.ts';
import type { LinkCounts } from './link-counts.ts';
import { judgePulse } from './liveness.ts';
import { decodeFrame, encode, kept } from './messages.ts';
import type { LinkMessage } from './messages.ts';
import type { NodeInfo } from './node-info.ts';
import { Outbox } from './outbox.ts';
import type { Urgency } from './outbox.ts';
import type { PackExtension, UnpackExtension } from './packing.ts';
import type { LinkRules } from './rules.ts';
import type { Connection } from './transport.ts';

const inFlightBytes = 256 * 1024;
const batchBytes = 128 * 1024;

export type PeerLink = {
  readonly peer: NodeInfo;
  readonly connection: Connection;
  /** Of what is spoken over it. */
  readonly version: number;
  /** Writes what a message to this peer has that msgpack has no form for. */
  readonly pack: PackExtension;
  /** False: the outbox is full and the message was not taken. */
  offer(bytes: Uint8Array, urgency: Urgency): boolean;
  frame: (bytes: Uint8Array) => void;
  tick(nowMs: number): void;
  /** Says goodbye, then closes. `onEnd` is not called for it. */
  close(reason: string): void;
  waitingBytes(): number;
  /** When the peer's last bytes were read. Monotonic. */
  heardMs(): number;
};

const beat = kept(encode.beat());

export const openPeerLink = (options: {
  peer: NodeInfo;
  connection: Connection;
  version: number;
  clock: Clock;
  maxOutboxBytes: number;
  rules: LinkRules;
  pack: PackExtension;
  /** Reads what a message of this peer has that msgpack has no form for. */
  unpack: UnpackExtension;
  counts: LinkCounts;
  onMessage(message: LinkMessage): void;
  /** The link is of no use any more: silent, stuck, or its peer talks nonsense. The owner takes it down. */
  onEnd(reason: string): void;
}): PeerLink => {
  const { peer, connection, clock, counts } = options;
  const outbox = new Outbox(options.maxOutboxBytes, options.rules);
  const startMs = clock.monotonicMs();
  let heardMs = startMs;
  let beatMs = startMs;
  let tickMs = startMs;
  let progressMs = startMs;
  let inFlight = 0;
  let scheduled = false;
  let ended = false;

  const hasEnded = (): boolean => ended;
  const transmit = (frame: Uint8Array): void => {
    inFlight += frame.byteLength;
    counts.framesOut += 1;
    counts.bytesOut += frame.byteLength;
    connection.send(frame, () => {
      inFlight -= frame.byteLength;
      progressMs = clock.monotonicMs();
      flush();
    });
  };
  const flush = (): void => {
    while (!ended && inFlight < inFlightBytes) {
      const frame = outbox.takeFrame(batchBytes);
      if (!frame) return;
      transmit(frame);
    }
  };
  /** What an idle link is told leaves when the caller is done; what is told later in the same turn of the event loop, at its end. */
  const flushSoon = (): void => {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(flush);
    setImmediate(() => {
      scheduled = false;
      flush();
    });
  };
  const end = (reason: string): void => {
    if (ended) return;
    ended = true;
    options.onEnd(reason);
  };

  return {
    peer,
    connection,
    version: options.version,
    pack: options.pack,
    offer: (bytes, urgency) => {
      if (ended) return false;
      if (outbox.bytes === 0 && inFlight === 0) progressMs = clock.monotonicMs();
      const droppedBefore = outbox.dropped;
      const taken = outbox.offer(bytes, urgency);
      counts.dropped += outbox.dropped - droppedBefore;
      if (taken) counts.messagesOut += 1;
      else if (urgency === 'control') {
        // What others rely on would be missing: with the link down they are told so.
        counts.overflows += 1;
        end('not even control messages found room in its outbox');
      } else if (urgency !== 'droppable') counts.full += 1;
      flushSoon();
      return taken;
    },
    frame: (bytes) => {
      if (ended) return;
      heardMs = clock.monotonicMs();
      counts.framesIn += 1;
      counts.bytesIn += bytes.byteLength;
      const decoded = decodeFrame(bytes, options.unpack);
      if (!decoded.ok) {
        counts.garbage += 1;
        end(`sent what no node sends: ${decoded.detail}`);
        return;
      }
      counts.messagesIn += decoded.messages.length;
      for (const message of decoded.messages) {
        if (hasEnded()) return;
        if (message.kind === 'bye') end(message.reason);
        else options.onMessage(message);
      }
    },
    tick: (nowMs) => {
      if (ended) return;
      const waits = inFlight > 0 || outbox.bytes > 0;
      const verdict = judgePulse({ heardMs, beatMs, tickMs, stuckSinceMs: waits ? progressMs : undefined }, nowMs);
      tickMs = nowMs;
      if (verdict.lost !== undefined) {
        end(verdict.lost);
      } else if (verdict.beat) {
        beatMs = nowMs;
        connection.send(beat);
      }
    },
    close: (reason) => {
      if (!ended) connection.send(kept(encode.bye(reason)));
      ended = true;
      connection.close(reason);
    },
    waitingBytes: () => outbox.bytes + inFlight,
    heardMs: () => heardMs,
  };
};
