/**
 * This node's links to all other nodes of the mesh: one per pair, authenticated, formed by itself from any seed. Messages to a node arrive in
 * the order they were told, at most once, for as long as its link is up; a link that goes down is said once (`down`), and what was under way
 * over it is lost (asks say so). The own node id works like any other, without a socket.
 */
import { hostname } from 'node:os';
import type { ActorSystem } from '../system/actor-system.ts';
import { errorMessage } from '../system/describe-error.ts';
import type { ActorPort, ActorTraffic } from './actor-traffic.ts';
import { Asks } from './asks.ts';
import type { AskOutcome } from './asks.ts';
import { Endpoints } from './endpoints.ts';
import type { Answer, Handler } from './endpoints.ts';
import { actorsSinceVersion } from './handshake.ts';
import { createJoining } from './joining.ts';
import { noLinkCounts } from './link-counts.ts';
import { liveness } from './liveness.ts';
import { encode, kept } from './messages.ts';
import type { ActorMessage, LinkMessage } from './messages.ts';
import { nodeInfoSchema } from './node-info.ts';
import type { NodeInfo } from './node-info.ts';
import { openPeerLink } from './peer-link.ts';
import type { PeerLink } from './peer-link.ts';
import { rules as linkRules } from './rules.ts';
import type { LinkRules } from './rules.ts';
import { socketTransport } from './socket-transport.ts';
import type { Urgency } from './outbox.ts';
import type { PackExtension } from './packing.ts';
import { transportLimits } from './transport.ts';
import type { Connection, ConnectionEvents, Transport } from './transport.ts';
import { Unreadable } from './frame-check.ts';

export type { NodeInfo } from './node-info.ts';
export type { AskOutcome } from './asks.ts';

export type TellOutcome = { ok: true } | { ok: false; reason: 'no-link' | 'full' };

const told = { ok: true } as const;
const full = { ok: false, reason: 'full' } as const;
const noLink = { ok: false, reason: 'no-link' } as const;

/** `droppable`: may be dropped later when the peer is slow (counted), because a newer message makes up for it. */
export type TellOptions = { droppable?: boolean };

export type PeerListener = {
  up(peer: NodeInfo): void;
  down(peer: NodeInfo, reason: string): void;
  /** It has shown over some connection that it is there, whether or not that one becomes its link. */
  proved?(peer: NodeInfo): void;
  /** Nobody listens where this node was: its process is gone. */
  refused?(nodeId: string): void;
};

export type Links = {
  readonly self: NodeInfo;
  peers(): readonly NodeInfo[];
  /** `up` is called at once for the peers already there. A peer that restarted is `down` first, then `up`. */
  onPeer(listener: PeerListener): () => void;
  serve(endpoint: string, handler: Handler): () => void;
  /** Plain objects, arrays, numbers, strings, booleans, Uint8Array, null, and references to actors. Throws on anything else. */
  tell(nodeId: string, endpoint: string, message: unknown, options?: TellOptions): TellOutcome;
  /** The same message to several nodes, encoded once; one outcome per node, in their order. */
  tellAll(nodeIds: readonly string[], endpoint: string, message: unknown, options?: TellOptions): TellOutcome[];
  ask(nodeId: string, endpoint: string, message: unknown, options: { deadlineMs: number }): Promise<AskOutcome>;
  /** When the linked peer's last bytes were read, monotonic; undefined without a link. */
  heardMs(nodeId: string): number | undefined;
  /** Knocks at a node's door over a connection of its own; what comes of it is told as `proved` or `refused`. */
  probe(nodeId: string, address: string): void;
  /** Ends the link to a node, if there is one. It is dialled again as ever. */
  drop(nodeId: string, reason: string): void;
  /** For `mesh-actors.ts`, once; in the same turn as the start, so that nothing about actors is missed. */
  attach(traffic: ActorTraffic): ActorPort;
  /** How many droppable messages made room in full outboxes, since the start and of all peers: grows when news were lost on this side. */
  dropped(): number;
  counters(): Record<string, number>;
  /** Says goodbye to every peer and stops listening. */
  close(): Promise<void>;
};

/** What waits for one peer. Raising it lets a slow peer catch up after a longer pause, and lets it cost that much memory. */
const defaultOutboxBytes = 16 * 1024 * 1024;
const maxMessageBytes = transportLimits.frameBytes - 1024;
const gossipEveryTicks = 40;
/** How long a shutdown waits for goodbyes to be heard. */
const farewellMs = 500;
const minKeyChars = 16;

/** What others rely on has to get through; what is told may be refused. */
const urgencies: Readonly<Record<ActorMessage['kind'], Urgency>> = {
  ...{ send: 'ordinary', question: 'ordinary', stop: 'ordinary' },
  ...{ watch: 'control', unwatch: 'control', down: 'control', names: 'control', unname: 'control', who: 'control' },
};

export type LinkOptions = {
  self: Omit<NodeInfo, 'address' | 'incarnation'>;
  key: string;
  bind: string;
  port: number;
  seeds: readonly string[];
  system: ActorSystem;
  transport?: Transport;
  /** The host peers reach this node by, when it is not the address it is bound to. */
  advertise?: string;
  maxOutboxBytes?: number;
  /** For tests. 0 to 1. */
  random?: () => number;
  rules?: Partial<LinkRules>;
};

const hostFor = (bind: string): string => {
  if (bind === '0.0.0.0' || bind === '::' || bind === '') return hostname();
  return bind.includes(':') ? `[${bind}]` : bind;
};

export const startLinks = async (options: LinkOptions): Promise<Links> => {
  const { system, key } = options;
  if (key.length < minKeyChars) throw new Error(`the mesh key is too short: at least ${minKeyChars} characters`);
  const { clock } = system;
  const transport = options.transport ?? socketTransport;
  const log = system.log.child({ room: 'link' });
  const counts = noLinkCounts();
  const endpoints = new Endpoints(log, counts);
  const rules: LinkRules = { ...linkRules, ...options.rules };
  const asks = new Asks(clock, rules);
  let traffic: ActorTraffic | undefined;
  const links = new Map<string, PeerLink>();
  const listeners = new Set<PeerListener>();
  let closed = false;
  let ticks = 0;
  /** Connections of links, until their very end. */
  const open = new Set<Connection>();
  let allClosed: () => void = () => undefined;

  const joining = createJoining({
    ...{ key, seeds: options.seeds, transport, clock, log, counts, random: options.random ?? Math.random },
    self: () => self,
    linked: (peerId) => links.get(peerId)?.peer,
    onLinked: (peer, connection, version) => onLinked(peer, connection, version),
    onProved: (peer) => notify((one) => one.proved?.(peer)),
    onRefused: (peerId) => notify((one) => one.refused?.(peerId)),
  });
  const listener = await transport.listen({ bind: options.bind, port: options.port, accept: joining.accept });
  const self: NodeInfo = nodeInfoSchema.parse({
    ...options.self,
    incarnation: clock.wallMs(),
    address: `${options.advertise ?? hostFor(options.bind)}:${listener.port}`,
  });

  const notify = (call: (listener: PeerListener) => void, whom: Iterable<PeerListener> = [...listeners]): void => {
    for (const one of whom) {
      try {
        call(one);
      } catch (error) {
        counts.handlerFailures += 1;
        log.error({ error }, 'a listener for peers failed');
      }
    }
  };

  /** `farewell` is what the peer is told, if it can still be told. */
  const takeDown = (link: PeerLink, reason: string, farewell = reason): void => {
    if (links.get(link.peer.id) !== link) return;
    links.delete(link.peer.id);
    counts.linksDown += 1;
    link.close(farewell);
    log.info({ peer: link.peer.name, reason }, 'link down');
    asks.lose(link.peer.id, `the link went down: ${reason}`);
    notify((one) => one.down(link.peer, reason));
    joining.lost(link.peer.id);
  };

  const onMessage = (from: NodeInfo, message: LinkMessage): void => {
    switch (message.kind) {
      case 'tell':
        endpoints.told(message.endpoint, message.body, from);
        break;
      case 'ask':
        void answer(from, message.id, message.endpoint, message.body);
        break;
      case 'answer':
        asks.settle(from, message.id, { ok: true, value: message.value });
        break;
      case 'failure':
        asks.settle(from, message.id, {
          ...{ ok: false, reason: 'failed', detail: message.detail },
          ...(message.code !== undefined && { code: message.code }),
        });
        break;
      case 'peers':
        for (const peer of message.peers) joining.learn(peer);
        joining.dialDue();
        break;
      case 'beat':
      case 'bye':
        break;
      default:
        if (traffic) traffic.take(from, message);
        else counts.unattached += 1;
    }
  };

  const answer = async (from: NodeInfo, id: number, endpoint: string, body: unknown): Promise<void> => {
    sendAnswer(from, id, await endpoints.asked(endpoint, body, from));
  };

  const sendAnswer = (to: NodeInfo, id: number, outcome: Answer): void => {
    const link = links.get(to.id);
    // In another life of its the id is another question's.
    if (link?.peer.incarnation !== to.incarnation) return;
    let bytes: Uint8Array;
    try {
      bytes = outcome.ok
        ? encode.answer(id, outcome.value, link.pack)
        : encode.failure(id, outcome.detail, outcome.code);
    } catch (error) {
      bytes = encode.failure(id, `the answer cannot be encoded: ${errorMessage(error)}`);
    }
    if (bytes.byteLength > maxMessageBytes) bytes = encode.failure(id, `the answer has ${bytes.byteLength} bytes`);
    if (!link.offer(bytes, 'ordinary')) link.offer(encode.failure(id, 'no room for the answer'), 'control');
  };

  /** Of a message to several. */
  const packForAny: PackExtension = (value) => traffic?.pack(value, undefined);
  const packFor =
    (to: NodeInfo): PackExtension =>
    (value) =>
      traffic?.pack(value, to);

  const onLinked = (peer: NodeInfo, connection: Connection, version: number): ConnectionEvents => {
    const former = links.get(peer.id);
    if (former) takeDown(former, former.peer.incarnation === peer.incarnation ? 'replaced' : 'it started anew');
    const link = openPeerLink({
      peer,
      ...{ connection, version, clock, counts, rules },
      maxOutboxBytes: options.maxOutboxBytes ?? defaultOutboxBytes,
      pack: packFor(peer),
      unpack: (type, fields, notes) => {
        if (!traffic) throw new Unreadable('a reference, and nobody here knows of actors');
        return traffic.unpack(type, fields, notes, peer);
      },
      onMessage: (message) => onMessage(peer, message),
      onEnd: (reason) => takeDown(link, reason),
    });
    links.set(peer.id, link);
    counts.linksUp += 1;
    log.info({ peer: peer.name, role: peer.role, address: peer.address }, 'link up');
    link.offer(encode.peers(otherPeers(peer.id)), 'control');
    const news = kept(encode.peers([peer]));
    for (const other of links.values()) if (other !== link) other.offer(news, 'control');
    notify((one) => one.up(peer));
    open.add(connection);
    return {
      frame: link.frame,
      closed: (reason) => {
        open.delete(connection);
        takeDown(link, reason);
        if (open.size === 0) allClosed();
      },
    };
  };

  const otherPeers = (but: string): NodeInfo[] =>
    [...links.values()].map((link) => link.peer).filter((peer) => peer.id !== but);

  const tick = clock.every(liveness.tickMs, () => {
    const nowMs = clock.monotonicMs();
    ticks += 1;
    for (const link of [...links.values()]) {
      link.tick(nowMs);
      if (ticks % gossipEveryTicks === 0) link.offer(encode.peers(otherPeers(link.peer.id)), 'control');
    }
  });
  joining.dialDue();

  const offer = (link: PeerLink, bytes: Uint8Array, urgency: Urgency): TellOutcome => {
    if (bytes.byteLength > maxMessageBytes) {
      counts.full += 1;
      log.error(
        { peer: link.peer.name, bytes: bytes.byteLength, maxMessageBytes },
        'a message is too large to be told',
      );
      return { ok: false, reason: 'full' };
    }
    return link.offer(bytes, urgency) ? told : full;
  };
  const urgencyOf = (how: TellOptions | undefined): Urgency => (how?.droppable === true ? 'droppable' : 'ordinary');
  const tellSelf = (endpoint: string, message: unknown): TellOutcome => {
    if (closed) return { ok: false, reason: 'no-link' };
    queueMicrotask(() => endpoints.told(endpoint, message, self));
    return { ok: true };
  };
  const tell: Links['tell'] = (nodeId, endpoint, message, how) => {
    if (nodeId === self.id) return tellSelf(endpoint, message);
    const link = links.get(nodeId);
    return link ? offer(link, encode.tell(endpoint, message, link.pack), urgencyOf(how)) : noLink;
  };
  const tellAll: Links['tellAll'] = (nodeIds, endpoint, message, how) => {
    // Nothing is encoded between the first and the last offer, so it holds.
    let bytes: Uint8Array | undefined;
    return nodeIds.map((nodeId) => {
      if (nodeId === self.id) return tellSelf(endpoint, message);
      const link = links.get(nodeId);
      return link ? offer(link, (bytes ??= encode.tell(endpoint, message, packForAny)), urgencyOf(how)) : noLink;
    });
  };
  const askSelf = async (endpoint: string, message: unknown): Promise<AskOutcome> => {
    // In the same queue as what was told to ourselves before.
    await Promise.resolve();
    const outcome = await endpoints.asked(endpoint, message, self);
    return outcome.ok ? outcome : { ok: false, reason: 'failed', detail: outcome.detail };
  };

  return {
    self,
    peers: () => [...links.values()].map((link) => link.peer),
    onPeer: (one) => {
      listeners.add(one);
      for (const link of links.values()) notify(() => one.up(link.peer), [one]);
      return () => void listeners.delete(one);
    },
    serve: (endpoint, handler) => endpoints.serve(endpoint, handler),
    tell,
    tellAll,
    ask: async (nodeId, endpoint, message, { deadlineMs }) => {
      const isSelf = nodeId === self.id;
      const link = links.get(nodeId);
      if (isSelf ? closed : !link) return { ok: false, reason: 'no-link', detail: `no link to node ${nodeId}` };
      return asks.ask(link?.peer ?? self, deadlineMs, (id) => {
        if (!link) {
          void askSelf(endpoint, message).then((outcome) => asks.settle(self, id, outcome));
          return undefined;
        }
        const offered = offer(link, encode.ask(id, endpoint, message, link.pack), 'ordinary');
        if (offered.ok) return undefined;
        return { ok: false, reason: offered.reason, detail: `the outbox to node ${nodeId} is full` };
      });
    },
    attach: (given) => {
      if (traffic) throw new Error('BUG: actors are attached to these links already');
      traffic = given;
      return {
        ...{ rules, asks, answer: sendAnswer },
        linked: (nodeId) => {
          const link = links.get(nodeId);
          return link && link.version >= actorsSinceVersion ? link.peer : undefined;
        },
        send: (nodeId, message) => {
          const link = links.get(nodeId);
          if (!link || link.version < actorsSinceVersion) return noLink;
          return offer(link, encode.actor(message, link.pack), urgencies[message.kind]);
        },
        detach: () => (traffic = undefined),
      };
    },
    heardMs: (nodeId) => links.get(nodeId)?.heardMs(),
    probe: (nodeId, address) => joining.probe(nodeId, address),
    drop: (nodeId, reason) => {
      const link = links.get(nodeId);
      if (link) takeDown(link, reason);
    },
    dropped: () => counts.dropped,
    counters: () => ({
      ...counts,
      links: links.size,
      outboxBytes: [...links.values()].reduce((sum, link) => sum + link.waitingBytes(), 0),
    }),
    close: async () => {
      if (closed) return;
      closed = true;
      tick.cancel();
      joining.close();
      for (const link of [...links.values()]) takeDown(link, 'this node is shut down', 'it was shut down');
      asks.lose(self.id, 'this node is shut down');
      await listener.close();
      if (open.size === 0) return;
      await new Promise<void>((resolve) => {
        const limit = clock.after(farewellMs, resolve);
        allClosed = () => {
          limit.cancel();
          resolve();
        };
      });
    },
  };
};
