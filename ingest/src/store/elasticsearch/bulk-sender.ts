/**
 * Sends one bulk: makes its indices, asks, compares what collided, and says what became of each document. What is terminal is told at once;
 * what is not is given back. When to send again, and what, is decided by who asks (`bulk-writer.ts`).
 */
import type { StoreRules } from '../rules.ts';
import { indicesOf, linesOf, type Bulk, type Item } from './bulk.ts';
import { reasonOf, type ElasticsearchClient, type Reply } from './client.ts';
import type { CollisionCheck } from './collisions.ts';
import type { Indices } from './indices.ts';
import { settle, type Settled } from './settle.ts';
import { collision, judgeBulk, type ItemResult } from './verdict.ts';

export type Sent = {
  /** Documents that reached their end. */
  readonly terminal: number;
  /** The server said of each of these that it does not take it now. */
  readonly again: readonly Bulk[];
  /** Parts of it that may be sent at once: its halves when it was too large or one of it is to blame, or what has its indices. */
  readonly split: readonly Bulk[];
  /** Nobody knows what became of the bulk, or the server takes none at all: the same again. */
  readonly unanswered: boolean;
  /** Why something goes again, for people. */
  readonly detail: string;
};

type Options = {
  readonly client: Pick<ElasticsearchClient, 'request'>;
  readonly indices: Indices;
  readonly collisions: CollisionCheck;
  readonly rules: StoreRules;
  readonly stored: (item: Item, isDuplicate: boolean) => void;
  readonly refused: (bulk: Bulk, item: Item, detail: string) => void;
  /** A bulk of only these. */
  readonly copy: (bulk: Bulk, items: readonly Item[]) => Bulk;
  /** Nothing of it is needed any more. */
  readonly drop: (bulk: Bulk) => void;
};

export type BulkSender = { send(bulk: Bulk): Promise<Sent>; readonly counters: { bulks: number; collided: number } };

/** Longer than a server may stand still (30 s) and answer after all; raising it finds out later that a connection is dead. */
const requestTimeoutMs = 45_000;
/** The `_id` is for documents that collided: 1.3 µs a batch, where reading it out of the reason would trust words for people. */
const query = { filter_path: 'errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason' };

type BulkAnswer = { readonly items?: readonly Readonly<Record<string, ItemResult>>[] } | null;

const nothing: Sent = { terminal: 0, again: [], split: [], unanswered: false, detail: '' };

/** The server as a whole is in no state to make an index; otherwise it objects to this one. */
const isAboutServer = (reply: Reply): boolean =>
  !reply.ok || reply.status >= 500 || reply.status === 429 || reply.status === 401;

export const createBulkSender = (options: Options): BulkSender => {
  const { client, indices, collisions, rules, stored, refused, copy, drop } = options;
  const counters = { bulks: 0, collided: 0 };

  /** Names of indices that cannot be made, and why. */
  const makeIndices = async (bulk: Bulk): Promise<Map<string, Reply>> => {
    const names = indicesOf(bulk);
    const made = await Promise.all(names.map((name) => indices.ensure(name)));
    const missing = new Map<string, Reply>();
    for (const [k, name] of names.entries()) {
      const outcome = made[k];
      if (outcome && !outcome.ok) missing.set(name, outcome.reply);
    }
    return missing;
  };

  const compare = async (bulk: Bulk, collided: Settled['collided'], again: Item[]): Promise<void> => {
    counters.collided += collided.length;
    const asked = collided.map(({ item, id }) => ({ index: item.index, id, lines: linesOf(bulk, item) }));
    const found = await collisions.check(asked);
    for (const [k, { item }] of collided.entries()) {
      const meaning = rules.meaningOfComparison(found[k] ?? 'unknown');
      if (meaning === 'stored') stored(item, true);
      else if (meaning === 'refused') refused(bulk, item, collision);
      else again.push(item);
    }
  };

  const settleAnswered = async (
    bulk: Bulk,
    results: readonly Readonly<Record<string, ItemResult>>[],
  ): Promise<Sent> => {
    const outcome = settle(bulk.items, results, rules);
    for (const name of outcome.gone) indices.forget(name);
    for (const item of outcome.stored) stored(item, false);
    for (const item of outcome.duplicate) stored(item, true);
    for (const { item, detail } of outcome.refused) refused(bulk, item, detail);
    const failed = [...outcome.again];
    let { detail } = outcome;
    if (outcome.collided.length > 0) {
      await compare(bulk, outcome.collided, failed);
      if (detail === '') detail = 'a stored document could not be read';
    }
    const terminal = bulk.items.length - failed.length;
    const again = failed.length === 0 ? failed : rules.retriesOnlyFailed(failed, bulk.items);
    const rest = again.length === 0 ? [] : [copy(bulk, again)];
    drop(bulk);
    return { ...nothing, terminal, again: rest, detail };
  };

  const settleWithoutResults = (bulk: Bulk, reply: Reply): Sent => {
    const detail = reasonOf(reply);
    if (!reply.ok || judgeBulk(reply.status) === 'again') return { ...nothing, unanswered: true, detail };
    if (bulk.items.length > 1) {
      const middle = bulk.items.length >> 1;
      const split = [copy(bulk, bulk.items.slice(0, middle)), copy(bulk, bulk.items.slice(middle))];
      drop(bulk);
      return { ...nothing, split };
    }
    for (const item of bulk.items) refused(bulk, item, detail);
    drop(bulk);
    return { ...nothing, terminal: 1 };
  };

  const ask = async (bulk: Bulk): Promise<Sent> => {
    counters.bulks += 1;
    const body = bulk.used === bulk.bytes.length ? bulk.bytes : bulk.bytes.subarray(0, bulk.used);
    const asked = client.request({ method: 'POST', path: '/_bulk', query, lines: body, timeoutMs: requestTimeoutMs });
    if (rules.isTerminalBeforeAnswer()) {
      for (const item of bulk.items) stored(item, false);
      return { ...nothing, terminal: bulk.items.length };
    }
    const reply = await asked;
    const items = reply.ok && reply.status === 200 ? (reply.body as BulkAnswer)?.items : undefined;
    if (Array.isArray(items) && rules.isAnswerFor(items.length, bulk.items.length)) return settleAnswered(bulk, items);
    return settleWithoutResults(bulk, reply);
  };

  const send = async (bulk: Bulk): Promise<Sent> => {
    const missing = await makeIndices(bulk);
    const [first] = missing;
    if (!first) return ask(bulk);
    const [name, reply] = first;
    const detail = `the index ${name} cannot be made: ${reasonOf(reply)}`;
    if ([...missing.values()].some(isAboutServer)) return { ...nothing, unanswered: true, detail };
    const blocked = bulk.items.filter((item) => missing.has(item.index));
    const others = bulk.items.filter((item) => !missing.has(item.index));
    const again = [copy(bulk, blocked)];
    const split = others.length === 0 ? [] : [copy(bulk, others)];
    drop(bulk);
    return { ...nothing, again, split, detail };
  };

  return { send, counters };
};
