/**
 * Publish and subscribe over all nodes of the mesh. A publication leaves this node once per interested node, however many subscribers are there,
 * and reaches local subscribers at once. Per publisher and topic the order holds while its link is up.
 *
 * Without a key a publication is for those listening now and may be lost on the way to a slow node (newer ones follow). With a key the newest
 * value is retained: whoever subscribes later, or was cut off, gets it.
 */
import type { ActorSystem } from '../system/actor-system.ts';
import type { Timer } from '../system/clock.ts';
import type { Links, NodeInfo } from '../link/links.ts';
import { Interests } from './interests.ts';
import { PeerSync } from './peer-sync.ts';
import { RemoteRetained } from './remote-retained.ts';
import { Retained, retainedBounds } from './retained.ts';
import type { RetainedBounds } from './retained.ts';
import { Subscribers } from './subscribers.ts';
import type { Subscriber } from './subscribers.ts';
import { endpoint, maxKeyChars, maxTopicChars, newsMessage, parseTopicMessage } from './topic-messages.ts';
import type { TopicMessage } from './topic-messages.ts';

export type { Delivery, Subscriber } from './subscribers.ts';

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

export const startTopics = (options: { links: Links; system: ActorSystem; bounds?: RetainedBounds }): Topics => {
  const { links } = options;
  const { clock } = options.system;
  const bounds = options.bounds ?? retainedBounds;
  const log = options.system.log.child({ room: 'topics' });
  const counts = { published: 0, delivered: 0, sent: 0, notSent: 0, unwanted: 0, malformed: 0, retainedRefused: 0 };
  const own = new Map<string, Retained>();
  const remote = new RemoteRetained(bounds);
  const syncs = new Map<string, PeerSync>();
  const lingering = new Map<string, Timer>();
  const watchers = new Set<{ prefix: string; listener: (topic: string, interested: boolean) => void }>();
  const subscribers = new Subscribers(log, clock);
  let scheduled = false;
  let retry: Timer | undefined;
  let closed = false;

  const interests = new Interests((topic, interested) => {
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
    for (const sync of syncs.values()) sync.run({ interestedIn: interests.topicsOf(), retained: own });
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

  const send = (topic: string, payload: Uint8Array, key: string | undefined): void => {
    const to = interests
      .peersOf(topic)
      .filter((nodeId) => key === undefined || !(syncs.get(nodeId)?.owes(topic, key) ?? true));
    if (to.length === 0) return;
    const outcomes = links.tellAll(to, endpoint, newsMessage(topic, payload, key), { droppable: key === undefined });
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.ok) {
        counts.sent += 1;
        continue;
      }
      counts.notSent += 1;
      if (key === undefined) continue;
      if (own.get(topic)?.get(key) ?? payload.byteLength === 0) syncs.get(to[at] ?? '')?.needsKey(topic, key);
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

  const onMessage = (message: TopicMessage, from: NodeInfo): void => {
    const sync = syncs.get(from.id);
    switch (message.kind) {
      case 'interest':
        for (const topic of message.remove) if (interests.remove(topic, from.id)) sync?.needsNothing(topic);
        for (const topic of message.add) {
          interests.add(topic, from.id);
          // Also when nothing is retained, and when it was interested before: it may hold what was forgotten while it was away.
          if (interests.topicsOf(from.id).has(topic)) sync?.needsAll(topic);
        }
        syncSoon();
        return;
      case 'news':
        if (!interests.topicsOf().has(message.topic)) {
          counts.unwanted += 1;
          return;
        }
        if (message.key !== undefined) remote.news(from.id, message.topic, message.key, message.payload);
        subscribers.deliver({ topic: message.topic, node: from.id, key: message.key, payload: message.payload });
        return;
      case 'retained':
        if (!interests.topicsOf().has(message.topic)) return;
        if (message.first) remote.beginAll(from.id, message.topic);
        for (const [key, payload] of message.entries) {
          remote.news(from.id, message.topic, key, payload);
          subscribers.deliver({ topic: message.topic, node: from.id, key, payload });
        }
        if (!message.last) return;
        for (const key of remote.endAll(from.id, message.topic))
          subscribers.deliver({ topic: message.topic, node: from.id, key, payload: new Uint8Array(0) });
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
      const tell = (message: unknown): boolean => links.tell(peer.id, endpoint, message).ok;
      const sync = new PeerSync(tell);
      syncs.set(peer.id, sync);
      for (const topic of interests.topicsOf()) sync.interestChanged(topic);
      syncSoon();
    },
    down: (peer) => {
      syncs.delete(peer.id);
      interests.removeNode(peer.id);
      remote.down(peer.id);
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
      for (const timer of lingering.values()) timer.cancel();
      stopServing();
      stopWatching();
    },
  };
};
