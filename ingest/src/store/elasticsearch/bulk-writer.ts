/**
 * Writes batches through bulks. Batches of all sessions are put together; a bulk goes out when it is full (3 MiB or 2,000 documents) or
 * its first document is 100 ms old and the server takes another one. What fails goes back to the front and is sent again, for ever.
 *
 * Invariants: every document is in exactly one place (the open bulk, the ready list, one request on its way) until it is terminal; what
 * is held is bounded, beyond it `write` answers `full`; after a request without an answer its documents are `maybeWritten`. A document
 * told 409 on its first attempt is terminal only after the stored one was read.
 */
import type { Clock, Timer } from '@thrum/actors/system/clock';
import type { Target } from '@thrum/actors/wire/schema';
import { countAccepted, isAdmissible } from '../admissible.ts';
import type { Health } from '../health.ts';
import { openWrite, type OpenWrite } from '../open-write.ts';
import type { WriteOutcome, WriteRequest } from '../store.ts';
import { bulkBytes, bulkDocuments, bulkOf, emptyBulk, halves, indicesOf, type Bulk, type Item } from './bulk.ts';
import { reasonOf, type ElasticsearchClient, type Reply } from './client.ts';
import type { Collided, CollisionCheck } from './collisions.ts';
import type { DayIndices } from './day-indices.ts';
import type { DocumentLines } from './document-lines.ts';
import { afterClean, afterFailure, inFlightAllowed, startPace } from './pace.ts';
import { collision, judgeBulk, judgeItem, type ItemResult } from './verdict.ts';

export type BulkWriter = {
  write(request: WriteRequest): WriteOutcome;
  /** The last request failed, and what it carried is still to be written. */
  isFailing(): boolean;
  counters(): Record<string, number>;
  /** Sends what is held, for at most `withinMs`; the rest ends as closed. */
  close(withinMs: number): Promise<void>;
};

export type BulkWriterOptions = {
  readonly client: ElasticsearchClient;
  readonly indices: DayIndices;
  readonly lines: DocumentLines;
  readonly checkCollisions: CollisionCheck;
  readonly catalogue: ReadonlyMap<string, Target>;
  readonly retentionDays: number;
  readonly health: Health;
  readonly clock: Clock;
  readonly random: () => number;
  readonly maxHeldBytes: number;
};

const lingerMs = 100;
const requestTimeoutMs = 30_000;
/** Buffers kept for the next bulks: those in flight and the one being filled. */
const maxFreeBuffers = 6;
const roomBytes = 64 * 1024;
/** The `_id` is for documents that collided: 1.3 µs a batch, where reading it out of the reason would trust words for people. */
const query = { filter_path: 'errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason' };

type BulkAnswer = { readonly items?: readonly Readonly<Record<string, ItemResult>>[] };

export const createBulkWriter = (options: BulkWriterOptions): BulkWriter => {
  const { client, indices, lines, clock, health, maxHeldBytes } = options;
  const free: Buffer[] = [];
  const ready: Bulk[] = [];
  const openWrites = new Set<OpenWrite>();
  const count = { bulks: 0, failed: 0, stored: 0, duplicate: 0, refused: 0, collided: 0, again: 0, full: 0 };
  let open: Bulk | undefined;
  let due: Timer | undefined;
  let isDue = false;
  let pause: Timer | undefined;
  let inFlight = 0;
  let heldBytes = 0;
  let pace = startPace;
  let closing = false;
  let closed = false;
  let onEmpty: (() => void) | undefined;

  const ended = (write: OpenWrite): void => {
    openWrites.delete(write);
    if (openWrites.size === 0) onEmpty?.();
  };

  const seal = (): void => {
    if (open && open.items.length > 0) ready.push(open);
    open = undefined;
    due?.cancel();
    due = undefined;
    isDue = false;
  };

  const bulkWithRoom = (bytes: number): Bulk => {
    if (open && (open.used + bytes > open.bytes.length || open.items.length >= bulkDocuments)) seal();
    if (open) return open;
    const size = bulkBytes + roomBytes;
    open = emptyBulk(bytes <= size ? (free.pop() ?? Buffer.allocUnsafeSlow(size)) : Buffer.allocUnsafeSlow(bytes));
    due = clock.after(lingerMs, () => {
      isDue = true;
      pump();
    });
    return open;
  };

  const pump = (): void => {
    while (!closed && !pause && inFlight < inFlightAllowed(pace)) {
      if (ready.length === 0 && (isDue || closing)) seal();
      const bulk = ready.shift();
      if (!bulk) return;
      inFlight += 1;
      void send(bulk).then((again) => {
        inFlight -= 1;
        ready.unshift(...again);
        pump();
      });
    }
  };

  const failed = (detail?: string): void => {
    count.failed += 1;
    if (detail !== undefined) health.down(detail);
    const next = afterFailure(pace, options.random());
    pace = next.pace;
    pause ??= clock.after(next.waitMs, () => {
      pause = undefined;
      pump();
    });
  };

  const end = (item: Item, refused?: { code: 'not-stored'; detail: string }): void => {
    heldBytes -= item.to - item.from;
    item.write.end(1, refused);
  };

  /** Returns what must be sent again. */
  const send = async (bulk: Bulk): Promise<Bulk[]> => {
    const names = [...indicesOf(bulk)];
    const made = await Promise.all(names.map((name) => indices.ensure(name)));
    const missing = made.findIndex((outcome) => !outcome.ok);
    const outcome = made[missing];
    if (outcome && !outcome.ok) {
      failed(`the index ${names[missing] ?? ''} cannot be made: ${reasonOf(outcome.reply)}`);
      return [bulk];
    }
    count.bulks += 1;
    const body = bulk.used === bulk.bytes.length ? bulk.bytes : bulk.bytes.subarray(0, bulk.used);
    const reply = await client.request({
      method: 'POST',
      path: '/_bulk',
      query,
      lines: body,
      timeoutMs: requestTimeoutMs,
    });
    return settle(bulk, reply);
  };

  const stored = (item: Item, duplicate: boolean): void => {
    count.stored += duplicate ? 0 : 1;
    count.duplicate += duplicate ? 1 : 0;
    end(item);
  };

  const refused = (item: Item, detail: string): void => {
    count.refused += 1;
    end(item, { code: 'not-stored', detail });
  };

  const settle = async (bulk: Bulk, reply: Reply): Promise<Bulk[]> => {
    const results = reply.ok && reply.status === 200 ? (reply.body as BulkAnswer).items : undefined;
    if (results?.length !== bulk.items.length) return settleWithoutResults(bulk, reply);
    const again: Item[] = [];
    const collided: (Collided & { readonly item: Item })[] = [];
    let terminal = 0;
    let detail = '';
    for (let i = 0; i < bulk.items.length; i += 1) {
      const item = bulk.items[i] as Item;
      const result = results[i]?.['create'] ?? { status: 500 };
      const verdict = judgeItem(result, item.maybeWritten);
      if (verdict.kind === 'again') {
        if (verdict.why === 'no-index') indices.forget(item.index);
        item.maybeWritten ||= verdict.uncertain;
        detail = `${result.status} ${result.error?.type ?? ''}: ${result.error?.reason ?? ''}`.slice(0, 300);
        again.push(item);
        continue;
      }
      terminal += 1;
      if (verdict.kind === 'stored') stored(item, verdict.duplicate);
      else if (verdict.kind === 'refused') refused(item, verdict.detail);
      else collided.push({ item, index: item.index, id: verdict.id, lines: bulk.bytes.subarray(item.from, item.to) });
    }
    const found = collided.length > 0 ? await options.checkCollisions(collided) : [];
    count.collided += collided.length;
    for (const [i, { item }] of collided.entries()) {
      if (found[i] === 'same') stored(item, true);
      else if (found[i] === 'other') refused(item, collision);
      else {
        again.push(item);
        detail = 'a stored document could not be read';
      }
    }
    if (terminal > 0) health.up('');
    if (again.length === 0) {
      pace = afterClean(pace);
      if (bulk.bytes.length === bulkBytes + roomBytes && free.length < maxFreeBuffers) free.push(bulk.bytes);
      return [];
    }
    count.again += again.length;
    failed(terminal === 0 ? detail : undefined);
    return [bulkOf(bulk, again)];
  };

  const settleWithoutResults = (bulk: Bulk, reply: Reply): Bulk[] => {
    const verdict = reply.ok && reply.status !== 200 ? judgeBulk(reply.status) : 'again-uncertain';
    if (verdict === 'split') {
      if (bulk.items.length > 1) return halves(bulk);
      for (const item of bulk.items) refused(item, reasonOf(reply));
      return [];
    }
    if (verdict === 'again-uncertain') for (const item of bulk.items) item.maybeWritten = true;
    count.again += bulk.items.length;
    failed(reasonOf(reply));
    return [bulk];
  };

  return {
    write: (request) => {
      if (closing) return { ok: true, done: Promise.resolve({ ok: false, reason: 'closed' }) };
      if (heldBytes >= maxHeldBytes) {
        count.full += 1;
        return { ok: false, reason: 'full', afterMs: pace.failures > 0 ? 2_000 : 250 };
      }
      const { origin, batch } = request;
      const context = { catalogue: options.catalogue, nowMs: clock.wallMs(), retentionDays: options.retentionDays };
      const accepted = countAccepted(request);
      if (accepted === 0) return { ok: true, done: Promise.resolve({ ok: true, refused: [] }) };
      const write = openWrite(accepted, ended);
      openWrites.add(write);
      for (let i = 0; i < batch.shape.series.length; i += 1) {
        if (!isAdmissible(request, i, write, context)) continue;
        const bulk = bulkWithRoom(lines.maxBytes(origin, batch, i));
        const from = bulk.used;
        const { end: to, index } = lines.write(bulk.bytes, from, origin, batch, i);
        bulk.used = to;
        bulk.items.push({ write, from, to, index, maybeWritten: request.resend });
        heldBytes += to - from;
        if (to >= bulkBytes) seal();
      }
      pump();
      return { ok: true, done: write.done };
    },
    isFailing: () => pace.failures > 0,
    counters: () => ({
      store_bulks_sent: count.bulks,
      store_bulks_failed: count.failed,
      store_documents_stored: count.stored,
      store_documents_duplicate: count.duplicate,
      store_documents_refused: count.refused,
      store_documents_collided: count.collided,
      store_documents_retried: count.again,
      store_writes_refused_full: count.full,
      store_values_left_out: lines.counters.leftOutValues,
      store_held_bytes: heldBytes,
      store_bulks_in_flight: inFlight,
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
      due?.cancel();
      pause?.cancel();
      for (const write of openWrites) write.closed();
      openWrites.clear();
    },
  };
};
