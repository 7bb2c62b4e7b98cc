/**
 * From what was measured to what is sent: samples and events become records under one row of sequence numbers, go into the queue, and are
 * offered to the uplink in their order when the queue has called them safe. Measuring does not wait for the disk. What is on its way to the
 * disk is bounded; samples beyond that are left out before they have a number, and counted.
 */
import type { Log } from '@thrum/actors/system/log';
import { encodeBatch, type Sample } from '@thrum/actors/wire/batch';
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import type { AgentEvent, Events } from '@thrum/actors/wire/events';
import type { Position, Queue, QueuedBatch } from './queue/queue.ts';

/** A disk that hangs: minutes of an ordinary host, seconds of the largest. Raising them costs memory in that case. */
const maxUnderWay = 256;
const maxUnderWayBytes = 4 * 1024 * 1024;

export type Recording = {
  /** Takes the samples of a tick, or leaves them out when the disk is too far behind. */
  samples(samples: readonly Sample[], timeMs: number): void;
  /** `at`: the record they are in; `safe` is fulfilled when it is. */
  events(events: readonly AgentEvent[], timeMs: number): { readonly at: Position; readonly safe: Promise<void> };
  /** Fulfilled when everything so far is safe. */
  settled(): Promise<void>;
  readonly counters: {
    readonly valuesLeftOut: number;
    /** Ticks whose samples were left out because the disk was too far behind, or that the queue refused (BUG). */
    readonly ticksLost: number;
  };
};

export const startRecording = (options: {
  readonly queue: Pick<Queue, 'append'>;
  readonly dictionary: Dictionary;
  readonly epoch: number;
  readonly log: Log;
  /** A record is safe in the queue. `isBatch`: it holds samples. */
  readonly onSafe: (record: QueuedBatch) => void;
}): Recording => {
  const { queue, dictionary, epoch, log } = options;
  const counters = { valuesLeftOut: 0, ticksLost: 0 };
  let seq = 0;
  let underWay = 0;
  let underWayBytes = 0;
  let isBehind = false;
  /** Everything so far is safe, or its fault was told. */
  let settled: Promise<void> = Promise.resolve();

  const append = (record: QueuedBatch, words: Dictionary | undefined): Promise<void> => {
    seq += 1;
    underWay += 1;
    underWayBytes += record.bytes.length;
    const appended = queue.append(record, words);
    const before = settled;
    const safe = appended
      .finally(() => {
        underWay -= 1;
        underWayBytes -= record.bytes.length;
      })
      .then(() => before)
      .then(() => options.onSafe(record));
    settled = safe.catch((error: unknown) => {
      if (record.kind === 'batch') counters.ticksLost += 1;
      log.error({ error, seq: record.seq }, 'the queue did not take a record; what was in it is lost');
    });
    return safe;
  };

  return {
    counters,
    samples: (samples, timeMs) => {
      if (underWay >= maxUnderWay || underWayBytes >= maxUnderWayBytes) {
        counters.ticksLost += 1;
        if (!isBehind) log.warn({ underWay, underWayBytes }, 'the disk is too far behind: ticks are left out');
        isBehind = true;
        return;
      }
      isBehind = false;
      const { bytes, leftOut } = encodeBatch(dictionary, epoch, seq, samples);
      counters.valuesLeftOut += leftOut;
      void append(
        { kind: 'batch', epoch, seq, timeMs, dictionary: dictionary.hash, samples: samples.length, bytes },
        dictionary,
      ).catch(() => undefined);
    },
    events: (events, timeMs) => {
      const message: Events = { epoch, seq, events: [...events] };
      const bytes = new TextEncoder().encode(JSON.stringify(message));
      const at = { epoch, seq };
      return { at, safe: append({ kind: 'events', ...at, timeMs, dictionary: '', samples: 0, bytes }, undefined) };
    },
    settled: () => settled,
  };
};
