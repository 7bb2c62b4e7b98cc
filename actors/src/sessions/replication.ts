/**
 * How records reach the other web nodes. Each change is told at once to all that are linked, who confirm it; what a lost link or a full outbox
 * swallowed is made up for by comparing summaries: when a link comes up, again with a node that did not confirm, and every few seconds
 * with one of them in turn. Only what differs travels, in parts.
 */
import type { AskOutcome, Links, NodeInfo } from '../link/links.ts';
import type { Clock, Timer } from '../system/clock.ts';
import type { Place, Replica } from './replica.ts';
import type { Entries, SessionRecord } from './session-record.ts';
import * as messages from './session-messages.ts';

/** How often nodes that did not confirm are compared with; every `ticksPerTurn` times also one of the others. */
const tickMs = 1_000;
const ticksPerTurn = 3;
const answerWithinMs = 2_000;
/** Uses of many sessions are told together. */
const useDelayMs = 1_000;
/** Beyond it a use is not told; the next one will be. */
const maxPendingUses = 10_000;
/** When nothing came of a comparison though the summaries differ (a node that is full, or whose clock is days off), the next waits, longer each time. */
const restMs = { min: 3_000, max: 300_000 };

export type Taken = { readonly news: number; readonly refused: number };

export type Replication = {
  /** Resolves when `isEnough` of those linked have confirmed, at the latest after `withinMs`. */
  spread(entries: Entries, options: SpreadOptions): Promise<void>;
  /** Ends a session this node does not know, wherever it is known. */
  spreadRevoke(id: string, options: SpreadOptions): Promise<void>;
  used(record: SessionRecord): void;
  counters(): Record<string, number>;
  close(): void;
};

export type SpreadOptions = { withinMs: number; isEnough: (confirmed: number, asked: number) => boolean };

type Options = {
  links: Links;
  clock: Clock;
  replica: Replica;
  /** Merges what came and keeps it; resolves when it is kept. */
  take: (entries: Entries) => Promise<Taken>;
  /** Somebody was asked to end a session that only others may know. */
  revoke: (id: string) => Promise<boolean>;
  /** Merges into the disk what was used here. */
  keep: (records: readonly SessionRecord[]) => void;
};

type Rest = { ms: number; untilMs: number };

export const startReplication = (options: Options): Replication => {
  const { links, clock, replica } = options;
  const counts = {
    told: 0,
    confirmed: 0,
    unconfirmed: 0,
    malformed: 0,
    compared: 0,
    differed: 0,
    pulled: 0,
    usesLeftOut: 0,
  };
  /** Peers that may lack something: web nodes only, so bounded by the links. */
  const behind = new Set<string>();
  const syncing = new Set<string>();
  const rests = new Map<string, Rest>();
  const uses = new Map<string, SessionRecord>();
  let useTimer: Timer | undefined;
  let ticks = 0;
  let turn = 0;
  let closed = false;

  const webPeers = (): NodeInfo[] => links.peers().filter((peer) => peer.role === 'web');
  const isLinked = (nodeId: string): boolean => links.peers().some((peer) => peer.id === nodeId);
  const ask = (nodeId: string, message: unknown): Promise<AskOutcome> =>
    links.ask(nodeId, messages.endpoint, message, { deadlineMs: answerWithinMs });

  const askAll = (message: unknown, { withinMs, isEnough }: SpreadOptions): Promise<void> =>
    new Promise((resolve) => {
      const peers = webPeers();
      let asked = peers.length;
      let confirmed = 0;
      let open = peers.length;
      const limit = clock.after(withinMs, resolve);
      const look = (): void => {
        if (open > 0 && !isEnough(confirmed, asked)) return;
        limit.cancel();
        resolve();
      };
      const settle = (nodeId: string, outcome: AskOutcome): void => {
        open -= 1;
        const taken = outcome.ok ? messages.parsePutAnswer(outcome.value) : undefined;
        if (taken?.refused === 0) {
          confirmed += 1;
          counts.confirmed += 1;
        } else {
          counts.unconfirmed += 1;
          // Not linked any more: nobody waits for it, and the next link begins with a comparison.
          if (!outcome.ok && outcome.reason === 'no-link') asked -= 1;
          else behind.add(nodeId);
        }
        look();
      };
      for (const peer of peers) {
        counts.told += 1;
        void ask(peer.id, message).then((outcome) => settle(peer.id, outcome));
      }
      look();
    });

  const push = async (nodeId: string, buckets: readonly number[]): Promise<number | undefined> => {
    let news = 0;
    let after: Place | undefined;
    do {
      const { entries, next } = replica.part(buckets, after, messages.maxPart);
      after = next;
      if (entries.sessions.length + entries.users.length === 0) break;
      const outcome = await ask(nodeId, messages.putMessage(entries));
      const taken = outcome.ok ? messages.parsePutAnswer(outcome.value) : undefined;
      if (!taken) return undefined;
      news += taken.news;
    } while (after && !closed);
    return news;
  };

  const pull = async (nodeId: string, buckets: readonly number[]): Promise<number | undefined> => {
    let news = 0;
    let after: Place | undefined;
    do {
      const outcome = await ask(nodeId, messages.pullMessage(buckets, after));
      const part = outcome.ok ? messages.parsePartAnswer(outcome.value) : undefined;
      // A part that does not go on would have us ask for ever.
      if (!part || (after && part.next && !isBehind(after, part.next))) return undefined;
      news += (await options.take(part.entries)).news;
      after = part.next;
    } while (after && !closed);
    counts.pulled += news;
    return news;
  };
  const isBehind = (one: Place, other: Place): boolean =>
    one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);

  /** False: it did not come to an end, and has to be done again. */
  const compare = async (nodeId: string): Promise<boolean> => {
    counts.compared += 1;
    const outcome = await ask(nodeId, messages.digestMessage(replica.digest.text()));
    if (!outcome.ok) return false;
    const theirs = messages.parseDigestAnswer(outcome.value);
    if (!theirs) return false;
    if (theirs === 'same') {
      rests.delete(nodeId);
      return true;
    }
    counts.differed += 1;
    const buckets = replica.digest.differing(theirs);
    const pulled = await pull(nodeId, buckets);
    const pushed = pulled === undefined ? undefined : await push(nodeId, buckets);
    if (pulled === undefined || pushed === undefined) return false;
    if (pulled + pushed > 0) rests.delete(nodeId);
    else {
      const ms = Math.min(restMs.max, (rests.get(nodeId)?.ms ?? restMs.min / 2) * 2);
      rests.set(nodeId, { ms, untilMs: clock.monotonicMs() + ms });
    }
    return true;
  };

  const sync = async (nodeId: string): Promise<void> => {
    if (closed || syncing.has(nodeId)) return;
    syncing.add(nodeId);
    behind.delete(nodeId);
    const isDone = await compare(nodeId);
    syncing.delete(nodeId);
    if (!isDone && isLinked(nodeId)) behind.add(nodeId);
  };

  const tick = clock.every(tickMs, () => {
    ticks += 1;
    for (const nodeId of [...behind]) void sync(nodeId);
    if (ticks % ticksPerTurn !== 0) return;
    const peers = webPeers();
    turn += 1;
    const peer = peers[turn % Math.max(1, peers.length)];
    if (peer && (rests.get(peer.id)?.untilMs ?? 0) <= clock.monotonicMs()) void sync(peer.id);
  });

  const answer = async (message: messages.SessionMessage): Promise<unknown> => {
    switch (message.kind) {
      case 'put': {
        const { news, refused } = await options.take(message.entries);
        return messages.putAnswer(news, refused);
      }
      case 'revoke':
        return messages.putAnswer((await options.revoke(message.id)) ? 1 : 0, 0);
      case 'digest':
        return message.text === replica.digest.text()
          ? messages.sameAnswer
          : messages.bucketsAnswer(replica.digest.buckets());
      case 'pull': {
        const { entries, next } = replica.part(message.buckets, message.after, messages.maxPart);
        return messages.partAnswer(entries, next);
      }
    }
  };
  const stopServing = links.serve(messages.endpoint, (body, from) => {
    const message = from.role === 'web' ? messages.parseSessionMessage(body) : undefined;
    if (message) return answer(message);
    counts.malformed += 1;
    return ['refused'];
  });
  const stopWatching = links.onPeer({
    up: (peer) => {
      if (peer.role !== 'web') return;
      rests.delete(peer.id);
      // One of the two is enough: it takes and gives.
      if (links.self.id < peer.id) void sync(peer.id);
    },
    down: (peer) => {
      behind.delete(peer.id);
      rests.delete(peer.id);
    },
  });

  const tellUses = (): void => {
    useTimer = undefined;
    const records = [...uses.values()];
    uses.clear();
    options.keep(records);
    const peers = webPeers().map((peer) => peer.id);
    for (let at = 0; at < records.length; at += messages.maxPart) {
      const part = { sessions: records.slice(at, at + messages.maxPart), users: [] };
      const outcomes = links.tellAll(peers, messages.endpoint, messages.putMessage(part));
      for (const [which, outcome] of outcomes.entries())
        if (!outcome.ok && outcome.reason === 'full') behind.add(peers[which] ?? '');
    }
  };

  return {
    spread: (entries, how) => askAll(messages.putMessage(entries), how),
    spreadRevoke: (id, how) => askAll(messages.revokeMessage(id), how),
    used: (record) => {
      if (uses.size >= maxPendingUses && !uses.has(record.id)) {
        counts.usesLeftOut += 1;
        return;
      }
      uses.set(record.id, record);
      useTimer ??= clock.after(useDelayMs, tellUses);
    },
    counters: () => ({ ...counts, behind: behind.size }),
    close: () => {
      closed = true;
      tick.cancel();
      useTimer?.cancel();
      stopServing();
      stopWatching();
    },
  };
};
