/**
 * Publish and subscribe over all nodes of the mesh. A publication leaves this node once per interested node, however many subscribers are there,
 * and reaches local subscribers at once. Per publisher and topic the order holds while its link is up.
 *
 * Without a key a publication is for those listening now and may be lost on the way to a slow node; its subscribers are told (`stale`), also
 * when nothing follows, and when a publisher comes (back): a snapshot asked of it then is followed by all that is newer. With a key the newest
 * value is retained: whoever subscribes later, or was cut off, gets it.
 */
import type { ActorSystem } from '../system/actor-system.ts';
import type { Timer } from '../system/clock.ts';
import type { Links, NodeInfo } from '../link/links.ts';
import { Heard } from './heard.ts';
import { InterestIntake } from './interest-intake.ts';
import { Interests } from './interests.ts';
import { Numbers } from './numbers.ts';
import { PeerSync } from './peer-sync.ts';
import { RemoteRetained } from './remote-retained.ts';
import { Retained, retainedBounds } from './retained.ts';
import type { RetainedBounds } from './retained.ts';
import { rules as allRules } from './rules.ts';
import type { TopicRules } from './rules.ts';
import { StaleNotices } from './stale-notices.ts';
import { Subscribers } from './subscribers.ts';
import type { Subscriber } from './subscribers.ts';
import { endpoint, maxKeyChars, maxTopicChars, newsMessage, parseTopicMessage } from './topic-messages.ts';
import type { TopicMessage } from './topic-messages.ts';

export type { TopicRules } from './rules.ts';
export type { Delivery, StaleReason, Subscriber } from './subscribers.ts';

export type Topics = {
  /** With a key the newest payload per key is retained. An empty payload with a key forgets it. */
  publish(topic: string, payload: Uint8Array, options?: { key?: string }): void;
  forget(topic: string, key: string): void;
  /** What is retained and known here is delivered before this returns; what other nodes retain follows. */
  subscribe(topic: string, subscriber: Subscriber): () => void;
  /** Called at once for the topics somebody is interested in already, then on every first and last. */
  onInterest(prefix: string, listener: (topic: string, interested: boolean) => void): () => void;
  counters(): Record<string, number>;
  close(): void;
};

/** A topic nobody here subscribes to any more is kept this long: a page that is reloaded finds it running. */
const lingerMs = 2000;
/** How often what a full outbox did not take is tried again. */
const retryMs = 200;
/** How soon after news were dropped in an outbox their numbers are owed. */
const dropCheckMs = 500;

export type TopicsOptions = {
  links: Links;
  system: ActorSystem;
  bounds?: RetainedBounds;
  /** Others in the place of some, for simulations. */
  rules?: Partial<TopicRules>;
};

export const startTopics = (options: TopicsOptions): Topics => {
  const { links } = options;
  const { clock } = options.system;
  const bounds = options.bounds ?? retainedBounds;
  const rules: TopicRules = { ...allRules, ...options.rules };
  const log = options.system.log.child({ room: 'topics' });
  const counts = {
    ...{ published: 0, sent: 0, notSent: 0, unwanted: 0, malformed: 0, retainedRefused: 0 },
    ...{ gaps: 0, repeated: 0, interestRefusedByPeers: 0 },
  };
  const own = new Map<string, Retained>();
  const remote = new RemoteRetained(rules, bounds);
  const numbers = new Numbers(rules);
  const heard = new Heard(rules);
  const syncs = new Map<string, PeerSync>();
  const lingering = new Map<string, Timer>();
  const watchers = new Set<{ prefix: string; listener: (topic: string, interested: boolean) => void }>();
  const subscribers = new Subscribers(log, clock);
  const stale = new StaleNotices({ clock, rules, tell: (topic, node, why) => subscribers.stale(topic, node, why) });
  let scheduled = false;
  let retry: Timer | undefined;
  let dropCheck: Timer | undefined;
  let dropped = 0;
  let closed = false;

  const interests = new Interests(rules, (topic, interested) => {
    for (const { prefix, listener } of [...watchers])
      if (topic.startsWith(prefix)) tellWatcher(listener, topic, interested);
  });
  const tellWatcher = (
    listener: (topic: string, interested: boolean) => void,
    topic: string,
    interested: boolean,
  ): void => {
    try {
      listener(topic, interested);
    } catch (error) {
      log.error({ topic, error }, 'a listener for interest failed');
    }
  };

  const runSyncs = (): void => {
    if (closed) return;
    const state = { interestedIn: interests.topicsOf(), retained: own, numbers, nowMs: clock.monotonicMs() };
    for (const sync of syncs.values()) sync.run(state);
    if (![...syncs.values()].every((sync) => sync.isDone)) retryLater();
  };
  const retryLater = (): void => {
    retry ??= clock.after(retryMs, () => {
      retry = undefined;
      runSyncs();
    });
  };
  /** Together for all that changed in this turn. */
  const syncSoon = (): void => {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      runSyncs();
    });
  };
  const announce = (topic: string): void => {
    for (const sync of syncs.values()) sync.interestChanged(topic);
    syncSoon();
  };

  const retain = (topic: string, key: string, payload: Uint8Array): void => {
    const values = own.get(topic) ?? new Retained(bounds);
    if (payload.byteLength === 0) values.delete(key);
    else if (!values.set(key, payload)) {
      counts.retainedRefused += 1;
      if (counts.retainedRefused === 1)
        log.error({ topic, ...bounds }, 'no room to retain a value; late subscribers miss it');
    }
    if (values.size === 0) own.delete(topic);
    else own.set(topic, values);
  };

  /** News may also be dropped later, in an outbox: whoever wants a topic is told how far it has got then. */
  const checkDropped = (): void => {
    dropCheck = undefined;
    const now = links.dropped();
    if (now !== dropped && rules.tellsDrops()) {
      for (const topic of numbers.topics())
        for (const nodeId of interests.peersOf(topic)) syncs.get(nodeId)?.needsNumber(topic);
      runSyncs();
    }
    dropped = now;
    if (numbers.size > 0) checkDroppedSoon();
  };
  const checkDroppedSoon = (): void => {
    if (!closed) dropCheck ??= clock.after(dropCheckMs, checkDropped);
  };

  const send = (topic: string, payload: Uint8Array, key: string | undefined): void => {
    const to = interests
      .peersOf(topic)
      .filter((nodeId) => key === undefined || !rules.isToldLater(syncs.get(nodeId)?.owes(topic, key) ?? true));
    if (to.length === 0) return;
    const message = newsMessage(topic, payload, key === undefined ? { number: numbers.next(topic) } : { key });
    if (key === undefined) checkDroppedSoon();
    const outcomes = links.tellAll(to, endpoint, message, { droppable: key === undefined });
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.ok) {
        counts.sent += 1;
        continue;
      }
      counts.notSent += 1;
      const sync = syncs.get(to[at] ?? '');
      if (key === undefined) {
        if (rules.tellsDrops()) sync?.needsNumber(topic);
      } else if (rules.repeatsKey() && (own.get(topic)?.get(key) ?? payload.byteLength === 0))
        sync?.needsKey(topic, key);
      retryLater();
    }
  };

  const publish = (topic: string, payload: Uint8Array, key: string | undefined): void => {
    if (topic.length > maxTopicChars || (key?.length ?? 0) > maxKeyChars)
      throw new Error(
        `topic ${topic.slice(0, 50)}: a topic has at most ${maxTopicChars} characters, a key ${maxKeyChars}`,
      );
    if (closed) return;
    counts.published += 1;
    if (key !== undefined) retain(topic, key, payload);
    send(topic, payload, key);
    subscribers.deliver({ topic, node: links.self.id, key, payload });
  };

  const forgetNumber = (topic: string): void => {
    if (!interests.isWantedByPeers(topic)) numbers.drop(topic);
  };
  const intake = new InterestIntake({
    ...{ clock, log, rules, interests },
    tell: (nodeId, message) => void links.tell(nodeId, endpoint, message),
    added: (nodeId, topic, wasInterested) => {
      if (rules.needsAll(wasInterested)) syncs.get(nodeId)?.needsAll(topic);
    },
    removed: (nodeId, topic) => {
      syncs.get(nodeId)?.needsNothing(topic);
      forgetNumber(topic);
    },
  });

  const onNews = (message: TopicMessage & { kind: 'news' }, from: NodeInfo): void => {
    const { topic, payload, key } = message;
    if (!interests.topicsOf().has(topic)) {
      counts.unwanted += 1;
      return;
    }
    if (key !== undefined) remote.news(from.id, topic, key, payload);
    const verdict = key === undefined ? heard.news(from.id, topic, message.number) : 'next';
    if (verdict === 'old') {
      counts.repeated += 1;
      return;
    }
    subscribers.deliver({ topic, node: from.id, key, payload });
    if (verdict === 'gap') missed(topic, from.id);
  };
  const missed = (topic: string, node: string): void => {
    counts.gaps += 1;
    stale.note(topic, node, 'gap');
  };
  const onRetained = (message: TopicMessage & { kind: 'retained' }, from: NodeInfo): void => {
    const { topic } = message;
    if (!interests.topicsOf().has(topic)) return;
    if (message.first) remote.beginAll(from.id, topic);
    for (const [key, payload] of message.entries) {
      remote.news(from.id, topic, key, payload);
      subscribers.deliver({ topic, node: from.id, key, payload });
    }
    if (message.last)
      for (const key of remote.endAll(from.id, topic))
        subscribers.deliver({ topic, node: from.id, key, payload: new Uint8Array(0) });
    if (message.first && heard.begins(from.id, topic, message.number)) stale.note(topic, from.id, 'begins');
  };

  const onMessage = (message: TopicMessage, from: NodeInfo): void => {
    switch (message.kind) {
      case 'interest':
        intake.take(from, message);
        syncSoon();
        return;
      case 'again':
        syncs.get(from.id)?.needsInterests();
        syncSoon();
        return;
      case 'refused':
        counts.interestRefusedByPeers += 1;
        log.error({ peer: from.name, why: message.why }, 'a node refuses interest of this one');
        return;
      case 'news':
        onNews(message, from);
        return;
      case 'upto':
        for (const [topic, number] of message.topics)
          if (interests.topicsOf().has(topic) && heard.upTo(from.id, topic, number)) missed(topic, from.id);
        return;
      case 'retained':
        onRetained(message, from);
    }
  };

  const stopServing = links.serve(endpoint, (body, from) => {
    const message = parseTopicMessage(body);
    if (message) onMessage(message, from);
    else counts.malformed += 1;
  });
  const stopWatching = links.onPeer({
    up: (peer) => {
      remote.up(peer.id, peer.incarnation);
      heard.up(peer.id);
      intake.up(peer.id);
      const tell = (message: unknown): boolean => links.tell(peer.id, endpoint, message).ok;
      syncs.set(peer.id, new PeerSync(tell, rules));
      syncSoon();
    },
    down: (peer) => {
      syncs.delete(peer.id);
      intake.down(peer.id);
      const wanted = [...interests.topicsOf(peer.id)];
      interests.removeNode(peer.id);
      for (const topic of wanted) forgetNumber(topic);
      remote.down(peer.id);
      heard.down(peer.id);
      stale.dropNode(peer.id);
      subscribers.lost(peer.id);
    },
  });

  const leave = (topic: string): void => {
    lingering.get(topic)?.cancel();
    lingering.set(
      topic,
      clock.after(lingerMs, () => {
        lingering.delete(topic);
        interests.remove(topic);
        remote.dropTopic(topic);
        heard.dropTopic(topic);
        stale.dropTopic(topic);
        announce(topic);
      }),
    );
  };

  return {
    publish: (topic, payload, how) => publish(topic, payload, how?.key),
    forget: (topic, key) => publish(topic, new Uint8Array(0), key),
    subscribe: (topic, subscriber) => {
      if (topic.length > maxTopicChars)
        throw new Error(`topic ${topic.slice(0, 50)}: at most ${maxTopicChars} characters`);
      lingering.get(topic)?.cancel();
      lingering.delete(topic);
      const known = [...(own.get(topic)?.entries() ?? [])].map(([key, payload]) => ({
        node: links.self.id,
        key,
        payload,
      }));
      for (const [node, key, payload] of remote.ofTopic(topic)) known.push({ node, key, payload });
      const remove = subscribers.add(topic, subscriber);
      for (const one of known) subscribers.deliverTo(subscriber, { topic, ...one });
      for (const node of heard.publishersOf(topic)) subscribers.begins(subscriber, topic, node);
      if (interests.add(topic)) announce(topic);
      return () => {
        if (remove() && !subscribers.has(topic) && !closed) leave(topic);
      };
    },
    onInterest: (prefix, listener) => {
      const watcher = { prefix, listener };
      watchers.add(watcher);
      for (const topic of interests.topics()) if (topic.startsWith(prefix)) tellWatcher(listener, topic, true);
      return () => void watchers.delete(watcher);
    },
    counters: () => ({
      ...counts,
      ...intake.counters(),
      staleNotices: stale.told,
      delivered: subscribers.delivered,
      subscriberFailures: subscribers.failures,
      topics: interests.topics().length,
      interestRefused: interests.refused,
      remoteRetainedRefused: remote.refused,
      retainedBytes: [...own.values()].reduce((sum, values) => sum + values.bytes, 0),
      remoteRetainedBytes: remote.bytes(),
    }),
    close: () => {
      closed = true;
      retry?.cancel();
      dropCheck?.cancel();
      stale.close();
      intake.close();
      for (const timer of lingering.values()) timer.cancel();
      stopServing();
      stopWatching();
    },
  };
};
