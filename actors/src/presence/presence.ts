/**
 * Which agents, clusters and containers are up, since when, where they are connected and how healthy: the same on every node. Each node writes
 * what it says of the agents it serves into one document of its own and nobody else writes there; all nodes hold all documents and merge them
 * while reading. The document of a node that is gone is void at once and dropped whole.
 */
import type { Links } from '../link/links.ts';
import type { Membership } from '../membership/membership.ts';
import type { ActorSystem } from '../system/actor-system.ts';
import type { Timer } from '../system/clock.ts';
import type { RosterEntry } from '../wire/roster.ts';
import { clustersOf } from './clusters.ts';
import type { ClusterPresence } from './clusters.ts';
import { Exchange } from './exchange.ts';
import { endpoint } from './exchange-messages.ts';
import { readLine, writeContainer, writeFacts, writeRemoved, writeStatus } from './lines.ts';
import type { ContainerEntry } from './lines.ts';
import { OwnDocument } from './own-document.ts';
import { Replicas } from './replicas.ts';
import { rules as standardRules } from './rules.ts';
import type { PresenceRules } from './rules.ts';
import { Succession } from './succession.ts';
import { hashHex, hashSum, hashText } from './text-hash.ts';
import { View } from './view.ts';
import type { Source } from './view.ts';

export type { ContainerEntry } from './lines.ts';

export type { ClusterPresence } from './clusters.ts';

export type PresenceChange = { readonly entries: readonly RosterEntry[]; readonly gone: readonly string[] };

export type Presence = {
  /** What this node says of an agent it serves or served last; only to be called on a transition. Replaces what it said before. */
  put(entry: RosterEntry): void;
  /**
   * This node has nothing to say of it any more; its containers go too. When another node knows better of it, once all have what that one says.
   */
  remove(hostId: string): void;
  putContainer(hostId: string, container: ContainerEntry): void;
  removeContainer(hostId: string, containerId: string): void;
  /**
   * The merged view, one entry per host over all nodes. While the node that serves a host is gone and no other serves it: 'reconnecting' for
   * 10 s, then 'down', never dropped silently.
   */
  agents(): readonly RosterEntry[];
  agent(hostId: string): RosterEntry | undefined;
  containers(hostId: string): readonly ContainerEntry[];
  clusters(): readonly ClusterPresence[];
  /** Called at once with all there is (if any), then with every change, batched for up to 50 ms. */
  onChange(listener: (change: PresenceChange) => void): () => void;
  /** Of what the nodes that are there say. Equal on all nodes at rest; what gone nodes said counts once it is adopted. */
  digest(): string;
  counters(): Record<string, number>;
  close(): void;
};

export type PresenceOptions = {
  links: Links;
  membership: Membership;
  system: ActorSystem;
  rules?: Partial<PresenceRules>;
};

/** How long changes wait for others, to travel together. */
const batchMs = 50;
/**
 * When much happens at once (a node comes or goes with all its hosts) so many hosts are dealt with in one go, and the rest after a pause in which
 * others have their turn. Raising it makes the whole quicker and each go longer: a host takes 10 to 50 µs, and what listeners need.
 */
const hostsAtOnce = 250;
const pauseMs = 5;
const tickMs = 500;
/** Digests to every peer: lowering it finds sooner what was lost and costs about 60 bytes per peer each time. */
const ticksPerDigest = 4;
const ticksPerSweep = 120;

export const startPresence = (options: PresenceOptions): Presence => {
  const { links, membership, system } = options;
  const { clock } = system;
  const self = links.self.id;
  const rules: PresenceRules = { ...standardRules, ...options.rules };
  const log = system.log.child({ room: 'presence' });
  const counts = { puts: 0, ownRefused: 0, listenerFailures: 0 };
  const listeners = new Set<(change: PresenceChange) => void>();
  const source: Source = { writer: self, gone: undefined };
  let pending: Timer | undefined;
  let goingOn: Timer | undefined;
  let ticks = 0;
  let closed = false;

  const soon = (): void => {
    if (!closed) pending ??= clock.after(batchMs, flush);
  };
  const view = new View(rules, soon);
  const own = new OwnDocument(
    { node: self, incarnation: membership.incarnation(), generation: 0 },
    { rules, liveTexts: () => view.textsOf(source) },
  );
  const replicas = new Replicas({
    ...{ rules, view },
    accepts: (name, held) =>
      rules.acceptsDocument(name, {
        ...{ self, held, isGone: membership.isGone(name.node, name.incarnation) },
        incarnation: membership.members().find((member) => member.node.id === name.node)?.incarnation,
      }),
  });

  /** One text about one thing into this node's document; at once visible here. */
  const say = (text: string): void => {
    const line = readLine(text);
    if (!line || line.kind === 'unknown')
      throw new Error(`presence: not to be said of a host, malformed or too long: ${text.slice(0, 200)}`);
    const folded =
      line.kind === 'removed' || own.hasRoomFor(text)
        ? view.fold(source, line, text)
        : ({ ok: false, reason: 'the document of this node is full' } as const);
    if (!folded.ok) {
      counts.ownRefused += 1;
      if (counts.ownRefused === 1) log.error({ reason: folded.reason }, 'what is said of a host cannot be kept');
      return;
    }
    if (!folded.changed) return;
    own.liveBytes += folded.moreBytes;
    const of = 'containerId' in line ? (line.containerId ?? 'all') : line.kind;
    own.say(`${line.hostId} ${of}`, text);
    soon();
  };
  const remove = (hostId: string): void => say(writeRemoved(hostId));

  const succession = new Succession({
    ...{ rules, view, replicas, say, remove, self: source },
    lacking: (document) =>
      exchange.lacking(
        document,
        membership.members().map(({ node }) => node),
      ),
  });
  const exchange = new Exchange({
    ...{ links, clock, rules, own, replicas },
    restored: (generation) => {
      log.warn({ generation }, 'others knew more of this node than it does itself: it says all it knows anew');
      own.beginAnew({ ...own.document.name, generation });
      soon();
    },
  });

  const notify = (listener: (change: PresenceChange) => void, change: PresenceChange): void => {
    try {
      listener(change);
    } catch (error) {
      counts.listenerFailures += 1;
      log.error({ error }, 'a listener for presence failed');
    }
  };
  const flush = (): void => {
    for (const hostId of view.touchedHosts(hostsAtOnce)) succession.review(hostId);
    const update = own.flush();
    const change = view.takeChanges(hostsAtOnce);
    pending?.cancel();
    pending = view.hasTouched ? clock.after(pauseMs, flush) : undefined;
    if (update) exchange.tellNews(update);
    if (change.entries.length + change.gone.length === 0) return;
    for (const listener of [...listeners]) notify(listener, change);
  };
  const nodeGone = (node: string, incarnation: number): void =>
    replicas.nodeGone(node, incarnation, { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() });

  const goOn = (): void => {
    goingOn?.cancel();
    goingOn = succession.goOn(hostsAtOnce) ? clock.after(pauseMs, goOn) : undefined;
  };

  const stopServing = links.serve(endpoint, (body, from) => exchange.receive(body, from));
  const stopMembership = membership.onChange({
    joined: (node) => exchange.compareWith([node.id]),
    gone: (node, incarnation) => nodeGone(node.id, incarnation),
    renewed: (incarnation) => {
      own.beginAnew({ node: self, incarnation, generation: 0 });
      soon();
    },
  });
  const stopPeers = links.onPeer({
    up: (peer) => exchange.compareWith([peer.id]),
    down: () => exchange.peerLost(),
  });
  const timer = clock.every(tickMs, () => {
    ticks += 1;
    const living = [self, ...membership.members().map((member) => member.node.id)];
    succession.tick(living, clock.monotonicMs());
    if (ticks % ticksPerDigest === 0) {
      exchange.compareWithAll();
      succession.reviewLeaving();
    }
    goOn();
    if (ticks % ticksPerSweep !== 0) return;
    succession.dropTombstones(clock.wallMs());
    view.releaseEntries();
  });

  return {
    put: (entry) => {
      counts.puts += 1;
      succession.keep(entry.hostId);
      say(writeFacts(entry.hostId, entry));
      say(writeStatus({ ...entry, adoptedFrom: undefined }));
    },
    remove: (hostId) => succession.giveUp(hostId),
    putContainer: (hostId, container) => say(writeContainer(hostId, container)),
    removeContainer: (hostId, containerId) => say(writeRemoved(hostId, containerId)),
    agents: () => view.entries(),
    agent: (hostId) => view.entry(hostId),
    containers: (hostId) => view.containers(hostId),
    clusters: () => clustersOf(view.entries()),
    onChange: (listener) => {
      listeners.add(listener);
      const entries = view.entries();
      if (entries.length > 0) notify(listener, { entries, gone: [] });
      return () => void listeners.delete(listener);
    },
    digest: () => {
      let sum = hashText(exchange.digest());
      for (const hostId of view.hostIds()) {
        const shown = view.shown(hostId, 'those there');
        if (shown !== undefined) sum = hashSum(sum, hashText(`${hostId} ${shown}`));
      }
      return hashHex(sum);
    },
    counters: () => ({
      ...counts,
      ...succession.counts,
      leaving: succession.leaving,
      ...exchange.counters(),
      hosts: view.hosts,
      containers: view.containerCount,
      documents: replicas.living().length + 1,
      documentsGone: replicas.gone().length,
      overBound: replicas.overBound,
      rotations: own.rotations,
      documentBytes: own.document.bytes + replicas.living().reduce((sum, { document }) => sum + document.bytes, 0),
    }),
    close: () => {
      closed = true;
      timer.cancel();
      pending?.cancel();
      goingOn?.cancel();
      stopServing();
      stopMembership();
      stopPeers();
      listeners.clear();
    },
  };
};
