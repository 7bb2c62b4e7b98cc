/**
 * Writes samples, dead letters and events through bulks. Those of all sessions are put together; a bulk goes out when it is full (3 MiB or
 * 2,000 documents) or its first document is 100 ms old and the server takes another one. What fails is sent again, for ever.
 *
 * Invariants: every document is in exactly one place (the queue, or one request on its way) until it is terminal; what is held is bounded,
 * beyond it `write` answers `full`. A sample told 409 is terminal only after the stored one was read; one that is refused, when its
 * dead letter is stored. While nothing succeeds, one bulk in two seconds at most.
 */
import type { Clock, Timer } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import type { Target } from '@thrum/actors/wire/schema';
import { countItems, judgeSample, type Reason } from '../admissible.ts';
import { letterOf, type DeadLetter } from '../dead-letter.ts';
import type { Health } from '../health.ts';
import type { LetterAllowance } from '../letter-allowance.ts';
import { openWrite, type OpenWrite } from '../open-write.ts';
import type { DocumentKind, StoreRules } from '../rules.ts';
import type { EventsRequest, StoreRoom, WriteOutcome, WriteRequest } from '../store.ts';
import { linesOf, type Bulk, type Item } from './bulk.ts';
import { createBulkQueue } from './bulk-queue.ts';
import { createBulkSender, type Sent } from './bulk-sender.ts';
import type { ElasticsearchClient } from './client.ts';
import type { CollisionCheck } from './collisions.ts';
import type { DocumentLines } from './document-lines.ts';
import type { Indices } from './indices.ts';
import type { Lines, OtherLines } from './other-lines.ts';
import { afterClean, afterFailure, afterPartial, inFlightAllowed, startPace, waitAfter } from './pace.ts';

export type BulkWriter = {
  write(request: WriteRequest): WriteOutcome;
  writeEvents(request: EventsRequest): WriteOutcome;
  room(): StoreRoom;
  /** The last request failed, and what it carried is still to be written. */
  isFailing(): boolean;
  counters(): Record<string, number>;
  /** Sends what is held, for at most `withinMs`; the rest ends as closed. */
  close(withinMs: number): Promise<void>;
};

export type BulkWriterOptions = {
  readonly client: Pick<ElasticsearchClient, 'request'>;
  readonly indices: Indices;
  readonly lines: DocumentLines;
  readonly otherLines: OtherLines;
  readonly collisions: CollisionCheck;
  readonly allowance: LetterAllowance;
  readonly catalogue: ReadonlyMap<string, Target>;
  readonly retentionDays: number;
  readonly health: Health;
  readonly clock: Clock;
  readonly random: () => number;
  readonly maxHeldBytes: number;
  readonly rules: StoreRules;
  readonly log: Log;
};

const lingerMs = 100;
/** A bulk that so often got no answer lets the others go first: perhaps it is what the server, or something before it, cannot take. */
const attemptsInFront = 5;
const sayEveryMs = 60_000;

export const createBulkWriter = (options: BulkWriterOptions): BulkWriter => {
  const { lines, otherLines, clock, health, maxHeldBytes, allowance, collisions, rules, log } = options;
  const openWrites = new Set<OpenWrite>();
  const count = { failed: 0, stored: 0, duplicate: 0, refused: 0, letters: 0, lettersLost: 0 };
  const more = { events: 0, eventsAgain: 0, eventsLost: 0, again: 0, full: 0 };
  let due: Timer | undefined;
  let isDue = false;
  let pause: Timer | undefined;
  let parkTimer: Timer | undefined;
  let isParkDue = false;
  let parkFailures = 0;
  let inFlight = 0;
  let trials = 0;
  let pace = startPace;
  let closing = false;
  let closed = false;
  let saidMs = Number.NEGATIVE_INFINITY;
  let onEmpty: (() => void) | undefined;

  const ended = (write: OpenWrite): void => {
    openWrites.delete(write);
    if (openWrites.size === 0) onEmpty?.();
  };

  const queue = createBulkQueue({
    maxHeldBytes,
    onOpened: () => {
      due = clock.after(lingerMs, () => {
        isDue = true;
        pump();
      });
    },
    onSealed: () => {
      due?.cancel();
      due = undefined;
      isDue = false;
    },
  });

  const add = (write: OpenWrite, kind: DocumentKind, i: number, made: Lines, reason?: Reason, isBare = false): void => {
    const bulk = queue.open(Buffer.byteLength(made.text));
    const from = bulk.used;
    const to = from + bulk.bytes.write(made.text, from);
    queue.add(bulk, { write, kind, from, to, index: made.index, i, reason, isBare });
  };

  const keepLetter = (write: OpenWrite, letter: () => DeadLetter, i: number, reason: Reason): void => {
    const isKept = rules.keepsRefused() && allowance.take(write.origin);
    if (isKept) add(write, 'letter', i, otherLines.letter(letter(), clock.wallMs()), reason);
    else write.end(1, reason.isTold ? reason : undefined);
  };

  const keepLetterOf = (request: WriteRequest, write: OpenWrite, i: number, reason: Reason): void =>
    keepLetter(write, () => letterOf(request, i, reason), i, reason);

  const end = ({ write, reason }: Item): void => write.end(1, reason?.isTold === true ? reason : undefined);

  const stored = (item: Item, isDuplicate: boolean): void => {
    health.up(''); // before anybody is told that it is stored
    if (item.kind === 'sample') count[isDuplicate ? 'duplicate' : 'stored'] += 1;
    else if (item.kind === 'letter') count.letters += isDuplicate ? 0 : 1;
    else more[isDuplicate ? 'eventsAgain' : 'events'] += 1;
    end(item);
  };

  /** What the server will never take as it is: a sample becomes a dead letter; another document is tried once more with less in it. */
  const refused = (bulk: Bulk, item: Item, detail: string): void => {
    const sent = linesOf(bulk, item);
    if (item.kind === 'sample') {
      count.refused += 1;
      const reason: Reason = { code: 'not-stored', detail, isTold: true };
      keepLetter(item.write, () => otherLines.letterOfRefused(item, sent, reason), item.i, reason);
    } else if (!item.isBare) add(item.write, item.kind, item.i, otherLines.bare(item, sent), item.reason, true);
    else {
      if (item.kind === 'letter') count.lettersLost += 1;
      else more.eventsLost += 1;
      log.error(
        { index: item.index, host: item.write.origin.hostId, detail },
        `the store refuses a ${item.kind} for good`,
      );
      end(item);
    }
  };

  const failed = (detail: string): void => {
    count.failed += 1;
    health.down(detail);
    const next = afterFailure(pace, options.random());
    pace = next.pace;
    pause ??= clock.after(next.waitMs, () => {
      pause = undefined;
      pump();
    });
  };

  const park = (bulk: Bulk, detail: string): void => {
    queue.parked.push(bulk);
    more.again += bulk.items.length;
    if (clock.monotonicMs() - saidMs < sayEveryMs) return;
    saidMs = clock.monotonicMs();
    log.warn({ detail, documents: bulk.items.length }, 'the store does not take some documents for now, trying on');
  };

  const schedulePark = (): void => {
    if (queue.parked.length === 0 || isParkDue || trials > 0) return;
    parkTimer ??= clock.after(waitAfter(parkFailures, options.random()), () => {
      parkTimer = undefined;
      isParkDue = true;
      pump();
    });
  };

  const sender = createBulkSender({ ...options, refused, stored, copy: queue.copy, drop: queue.drop });

  /** Puts what is not terminal back where it belongs and adjusts the pace. */
  const settled = (bulk: Bulk, outcome: Sent, isTrial: boolean): void => {
    if (outcome.terminal > 0) health.up('');
    for (const one of outcome.split) queue.ready.unshift(one);
    if (outcome.unanswered) {
      bulk.attempts += 1;
      more.again += bulk.items.length;
      const list = isTrial ? queue.parked : queue.ready;
      if (bulk.attempts < attemptsInFront) list.unshift(bulk);
      else list.push(bulk);
      if (isTrial) parkFailures += 1;
      return failed(outcome.detail);
    }
    for (const one of outcome.again) park(one, outcome.detail);
    const isTaken = outcome.terminal > 0 || outcome.split.length > 0;
    if (outcome.again.length > 0) {
      parkFailures = isTaken ? 0 : parkFailures + 1;
      if (isTaken) pace = afterPartial(pace);
      // While others are taken, an index that takes nothing slows only its own documents down.
      else if (!isTrial || pace.failures > 0) failed(outcome.detail);
    } else if (outcome.split.length === 0) {
      pace = afterClean(pace);
      if (isTrial) queue.ready.unshift(...queue.parked.splice(0)); // what kept them has ended, perhaps for all of them
    }
  };

  const launch = (bulk: Bulk, isTrial: boolean): void => {
    inFlight += 1;
    trials += isTrial ? 1 : 0;
    void sender.send(bulk).then((outcome) => {
      inFlight -= 1;
      trials -= isTrial ? 1 : 0;
      settled(bulk, outcome, isTrial);
      pump();
    });
  };

  const nextTrial = (): Bulk | undefined => {
    if (!isParkDue) return undefined;
    isParkDue = false;
    return queue.parked.shift();
  };

  const pump = (): void => {
    while (!closed && !pause && inFlight < inFlightAllowed(pace)) {
      const trial = nextTrial();
      if (trial) {
        launch(trial, true);
        continue;
      }
      if (queue.ready.length === 0 && (isDue || closing)) queue.seal();
      const bulk = queue.ready.shift();
      if (!bulk) break;
      launch(bulk, false);
    }
    if (!closed) schedulePark();
  };

  const refusedAsFull = (): WriteOutcome | undefined => {
    if (closing) return { ok: true, done: Promise.resolve({ ok: false, reason: 'closed' }) };
    if (queue.heldBytes() < maxHeldBytes) return undefined;
    more.full += 1;
    return { ok: false, reason: 'full', afterMs: pace.failures > 0 ? 2_000 : 250 };
  };

  const begin = (origin: WriteRequest['origin'], items: number): OpenWrite => {
    const write = openWrite(origin, items, ended);
    openWrites.add(write);
    return write;
  };

  const nothing: WriteOutcome = { ok: true, done: Promise.resolve({ ok: true, refused: [] }) };

  return {
    write: (request) => {
      const no = refusedAsFull();
      if (no) return no;
      const { origin, batch } = request;
      const context = { catalogue: options.catalogue, nowMs: clock.wallMs(), retentionDays: options.retentionDays };
      const items = countItems(request);
      if (items === 0) return nothing;
      const write = begin(origin, items);
      const prepared = lines.prepare(origin, batch.shape);
      for (let i = 0; i < batch.shape.series.length; i += 1) {
        const fate = judgeSample(request, i, context);
        if (fate === 'skip') continue;
        if (fate !== 'store') {
          keepLetterOf(request, write, i, fate);
          continue;
        }
        const bulk = queue.open(lines.maxBytes(prepared, i));
        const from = bulk.used;
        const to = lines.write(bulk.bytes, from, origin, prepared, batch, i);
        const index = lines.indexOf(prepared, i);
        queue.add(bulk, { write, kind: 'sample', from, to, index, i, reason: undefined, isBare: false });
      }
      pump();
      return { ok: true, done: write.done };
    },
    writeEvents: ({ origin, events }) => {
      const no = refusedAsFull();
      if (no) return no;
      if (events.length === 0) return nothing;
      const write = begin(origin, events.length);
      for (const event of events) add(write, 'event', 0, otherLines.event(origin, event, clock.wallMs()));
      pump();
      return { ok: true, done: write.done };
    },
    room: () => ({ heldBytes: queue.heldBytes(), maxHeldBytes, isFailing: pace.failures > 0 }),
    isFailing: () => pace.failures > 0,
    counters: () => ({
      store_bulks_sent: sender.counters.bulks,
      store_bulks_failed: count.failed,
      store_documents_stored: count.stored,
      store_documents_duplicate: count.duplicate,
      store_documents_refused: count.refused,
      store_documents_collided: sender.counters.collided,
      store_documents_compared: collisions.counters.compared,
      store_compare_requests: collisions.counters.requests,
      store_documents_retried: more.again,
      store_dead_letters_stored: count.letters,
      store_dead_letters_lost: count.lettersLost,
      store_dead_letters_left_out: allowance.counters.leftOut,
      store_events_stored: more.events,
      store_events_duplicate: more.eventsAgain,
      store_events_lost: more.eventsLost,
      store_writes_refused_full: more.full,
      store_values_left_out: lines.counters.leftOutValues,
      store_held_bytes: queue.heldBytes(),
      store_bulks_in_flight: inFlight,
      store_bulks_parked: queue.parked.length,
      store_writes_open: openWrites.size,
    }),
    close: async (withinMs) => {
      closing = true;
      pump();
      if (openWrites.size > 0)
        await new Promise<void>((resolve) => {
          const timer = clock.after(withinMs, resolve);
          onEmpty = () => {
            timer.cancel();
            resolve();
          };
        });
      closed = true;
      for (const timer of [due, pause, parkTimer]) timer?.cancel();
      for (const write of openWrites) write.closed();
      openWrites.clear();
    },
  };
};
