/**
 * This web node's side of the mesh: the overview, the hosts' frames and how the stores do come in from ingest nodes by topics, the roster by presence; snapshots,
 * history and the overview's last minute are asked of them. Turns each into calls of the rooms that keep it, and into news for the gateway.
 */
import type { Links, NodeInfo } from '@thrum/actors/link/links';
import type { MeshActors } from '@thrum/actors/link/mesh-actors';
import { askService, watchService } from '@thrum/actors/link/named-service';
import type { Presence, PresenceChange } from '@thrum/actors/presence/presence';
import type { ActorSystem } from '@thrum/actors/system/actor-system';
import type { StaleReason, Topics } from '@thrum/actors/topics/topics';
import { asRefusal, refuse } from '@thrum/actors/wire/refusal';
import { decodeStoreState, storeTopic } from '@thrum/actors/wire/store-state';
import type { IngestNode } from '@thrum/actors/wire/web-to-browser';
import type { Counters } from './counters.ts';
import { createHistoryAsk } from './history-ask.ts';
import type { SnapshotOutcome } from './host-watch.ts';
import { createHostWatches } from './host-watches.ts';
import { createOverviewCache } from './overview-cache.ts';

const meshLimits = {
  snapshotDeadlineMs: 5_000,
  overviewDeadlineMs: 5_000,
  overviewRetryMs: 1_000,
} as const;

export type News = {
  overview(bytes: Uint8Array): void;
  roster(change: PresenceChange): void;
  ingest(): void;
};

export type IngestSideParts = {
  links: Links;
  actors: MeshActors;
  topics: Topics;
  presence: Presence;
  system: ActorSystem;
  counters: Counters;
};

const has = <K extends string>(value: unknown, key: K): value is Record<K, unknown> =>
  typeof value === 'object' && value !== null && key in value;

/** What an ingest node answered to `snapshot`. */
const asSnapshot = (value: unknown): SnapshotOutcome => {
  if (has(value, 'bytes') && value.bytes instanceof Uint8Array)
    return { ok: true, gzip: has(value, 'gzip') && value.gzip === true, bytes: value.bytes };
  return asRefusal(value) ?? refuse('host-away', 'the ingest node answered something that is no snapshot');
};

export const startIngestSide = (parts: IngestSideParts) => {
  const { links, actors, topics, presence, system, counters } = parts;
  const { clock } = system;
  const log = system.log.child({ room: 'ingest-side' });
  const overview = createOverviewCache(() => clock.monotonicMs());
  const nodes = new Map<string, NodeInfo>();
  /** Ingest nodes whose store does not answer, and since when. */
  const storeAway = new Map<string, number>();
  let news: News | undefined;
  let closed = false;

  const history = createHistoryAsk({
    clock,
    counters,
    ingestNodes: () => [...nodes.keys()],
    ask: (node, question, deadlineMs) => askService(actors, node, 'history', question, { deadlineMs }),
  });

  const watches = createHostWatches({
    clock,
    counters,
    owner: (hostId) => presence.agent(hostId)?.node,
    ask: async (node, host) => {
      // Interest in the host's frames goes out before: a snapshot that is made after it leaves no hole between itself and the frames.
      await Promise.resolve();
      const answer = await askService(
        actors,
        node,
        'snapshot',
        { host },
        { deadlineMs: meshLimits.snapshotDeadlineMs },
      );
      if (answer.ok) return asSnapshot(answer.value);
      if (answer.reason === 'no-link') return refuse('host-away', 'its ingest node is not linked');
      return refuse(answer.reason === 'deadline' ? 'deadline' : 'busy', answer.detail);
    },
    watchServer: (node, down) => watchService(actors, node, 'snapshot', down),
    subscribe: (topic, watch) =>
      topics.subscribe(topic, {
        deliver: (delivery) => watch.deliver(delivery.node, delivery.payload),
        stale: watch.stale,
      }),
  });

  /** Presence gathers what happens within a moment: a node that links brings all its hosts at once. */
  const take = (change: PresenceChange): void => {
    for (const hostId of change.gone) overview.forget(hostId);
    for (const entry of change.entries) watches.rosterChanged(entry.hostId, entry.connection === 'connected');
    news?.roster(change);
  };

  /** The overview's stream from a node begins, or some of it was missed: what it kept of the last minute makes it whole. */
  const fillOverview = async (node: string, why: StaleReason): Promise<void> => {
    if (!nodes.has(node) || closed) return;
    const answer = await askService(actors, node, 'overview', {}, { deadlineMs: meshLimits.overviewDeadlineMs });
    if (!answer.ok) {
      counters.add('web_overviews_failed');
      clock.after(meshLimits.overviewRetryMs, () => void fillOverview(node, why));
      return;
    }
    const frames = has(answer.value, 'frames') && Array.isArray(answer.value.frames) ? answer.value.frames : [];
    const isNew = overview.fill(
      frames.filter((one): one is Uint8Array => one instanceof Uint8Array),
      { wallMs: clock.wallMs(), onlyNewer: why === 'gap' },
    );
    // Tabs have not seen it.
    if (isNew) news?.overview(overview.lastValues());
  };

  const up = (peer: NodeInfo): void => {
    if (peer.role !== 'ingest') return;
    log.info({ ingest: peer.name }, 'an ingest node is linked');
    nodes.set(peer.id, peer);
    news?.ingest();
  };
  const down = (peer: NodeInfo, reason: string): void => {
    if (!nodes.delete(peer.id)) return;
    log.warn({ ingest: peer.name, reason }, 'the link to an ingest node is lost');
    news?.ingest();
  };

  const noteStore = (node: string, payload: Uint8Array): void => {
    const said = decodeStoreState(payload);
    if (!said) return counters.add('web_store_states_malformed');
    if (said.awaySinceMs === null) storeAway.delete(node);
    else storeAway.set(node, said.awaySinceMs);
    news?.ingest();
  };

  const stops = [
    presence.onChange(take),
    topics.subscribe(storeTopic, {
      deliver: ({ node, payload }) => noteStore(node, payload),
      lost: (node) => void storeAway.delete(node),
    }),
    topics.subscribe('overview', {
      deliver: ({ payload }) => {
        if (overview.add(payload)) news?.overview(payload);
        else counters.add('web_frames_malformed');
      },
      stale: (node, why) => void fillOverview(node, why),
    }),
    links.onPeer({ up, down }),
  ];

  return {
    overview,
    history,
    watches,
    ingestNodes: (): readonly IngestNode[] =>
      [...nodes.values()].map(({ id, name }) => ({ id, name, storeAwaySinceMs: storeAway.get(id) ?? null })),
    /** Where news go from now on. */
    tell: (listener: News): void => void (news = listener),
    close: (): void => {
      closed = true;
      for (const stop of stops) stop();
      watches.close();
    },
  };
};
