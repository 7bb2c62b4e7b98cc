/**
 * This web node's side of the mesh: the roster, the overview and the hosts' frames come in from ingest nodes by topics; snapshots, history
 * and the overview's last minute are asked of them. Turns each into calls of the rooms that keep it, and into news for the gateway.
 */
import type { Links, NodeInfo } from '@thrum/actors/link/links';
import type { ActorSystem } from '@thrum/actors/system/actor-system';
import type { Topics } from '@thrum/actors/topics/topics';
import { refusals, refuse, type RefusalCode } from '@thrum/actors/wire/refusal';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import type { IngestNode } from '@thrum/actors/wire/web-to-browser';
import type { Counters } from './counters.ts';
import { createHistoryAsk } from './history-ask.ts';
import type { SnapshotOutcome } from './host-watch.ts';
import { createHostWatches } from './host-watches.ts';
import { createOverviewCache } from './overview-cache.ts';
import { createRosterView, type RosterChange } from './roster-view.ts';

export const meshLimits = {
  snapshotDeadlineMs: 5_000,
  overviewDeadlineMs: 5_000,
  /** Changes of the roster within this time go to the tabs as one: a node that links brings all its hosts at once. */
  rosterPauseMs: 50,
} as const;

export type News = {
  overview(bytes: Uint8Array): void;
  roster(change: RosterChange): void;
  ingest(): void;
};

export type IngestSideParts = { links: Links; topics: Topics; system: ActorSystem; counters: Counters };

export type IngestSide = ReturnType<typeof startIngestSide>;

const parseEntry = (payload: Uint8Array): RosterEntry | undefined => {
  try {
    const entry = JSON.parse(new TextDecoder().decode(payload)) as RosterEntry;
    return typeof entry.hostId === 'string' && typeof entry.claim === 'number' ? entry : undefined;
  } catch {
    return undefined;
  }
};

const has = <K extends string>(value: unknown, key: K): value is Record<K, unknown> =>
  typeof value === 'object' && value !== null && key in value;

/** What an ingest node answered to `snapshot`. */
const asSnapshot = (value: unknown): SnapshotOutcome => {
  if (has(value, 'bytes') && value.bytes instanceof Uint8Array)
    return { ok: true, gzip: has(value, 'gzip') && value.gzip === true, bytes: value.bytes };
  if (has(value, 'code') && typeof value.code === 'string' && value.code in refusals)
    return refuse(value.code as RefusalCode, has(value, 'detail') ? String(value.detail) : '');
  return refuse('host-away', 'the ingest node answered something that is no snapshot');
};

export const startIngestSide = (parts: IngestSideParts) => {
  const { links, topics, system, counters } = parts;
  const { clock } = system;
  const log = system.log.child({ room: 'ingest-side' });
  const roster = createRosterView(() => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() }));
  const overview = createOverviewCache(() => clock.monotonicMs());
  const nodes = new Map<string, IngestNode>();
  let news: News | undefined;

  const history = createHistoryAsk({
    clock,
    counters,
    ingestNodes: () => [...nodes.keys()],
    ask: (node, question, deadlineMs) => links.ask(node, 'history', question, { deadlineMs }),
  });

  const watches = createHostWatches({
    clock,
    counters,
    owner: (hostId) => roster.get(hostId)?.node,
    ask: async (node, host) => {
      const answer = await links.ask(node, 'snapshot', { host }, { deadlineMs: meshLimits.snapshotDeadlineMs });
      if (answer.ok) return asSnapshot(answer.value);
      if (answer.reason === 'no-link') return refuse('host-away', 'its ingest node is not linked');
      return refuse(answer.reason === 'deadline' ? 'deadline' : 'busy', answer.detail);
    },
    subscribe: (topic, deliver) =>
      topics.subscribe(topic, { deliver: (delivery) => deliver(delivery.node, delivery.payload) }),
  });

  let changed = new Map<string, RosterEntry | undefined>();
  let pause: { cancel(): void } | undefined;
  const spread = (): void => {
    pause = undefined;
    const now = changed;
    changed = new Map();
    const entries = [...now.values()].filter((entry) => entry !== undefined);
    const gone = [...now].filter(([, entry]) => entry === undefined).map(([hostId]) => hostId);
    news?.roster({ entries, gone });
  };
  const take = (change: RosterChange): void => {
    for (const entry of change.entries) changed.set(entry.hostId, entry);
    for (const hostId of change.gone) {
      changed.set(hostId, undefined);
      overview.forget(hostId);
    }
    for (const entry of change.entries) watches.rosterChanged(entry.hostId, entry.connection === 'connected');
    if (changed.size > 0) pause ??= clock.after(meshLimits.rosterPauseMs, spread);
  };

  const fillOverview = async (node: string): Promise<void> => {
    const answer = await links.ask(node, 'overview', {}, { deadlineMs: meshLimits.overviewDeadlineMs });
    const frames =
      answer.ok && has(answer.value, 'frames') && Array.isArray(answer.value.frames) ? answer.value.frames : [];
    const before = overview.size().hosts;
    overview.fill(
      frames.filter((one): one is Uint8Array => one instanceof Uint8Array),
      clock.wallMs(),
    );
    // Tabs that were greeted before this node was linked have not seen its hosts.
    if (overview.size().hosts > before) news?.overview(overview.lastValues());
  };

  const up = (peer: NodeInfo): void => {
    if (peer.role !== 'ingest') return;
    log.info({ ingest: peer.name }, 'an ingest node is linked');
    nodes.set(peer.id, { id: peer.id, name: peer.name, since: clock.wallMs() });
    take(roster.nodeUp(peer.id));
    news?.ingest();
    void fillOverview(peer.id);
  };
  const down = (peer: NodeInfo, reason: string): void => {
    if (!nodes.delete(peer.id)) return;
    log.warn({ ingest: peer.name, reason }, 'the link to an ingest node is lost');
    take(roster.nodeDown(peer.id));
    news?.ingest();
  };

  const stops = [
    topics.subscribe('roster', {
      deliver: ({ node, key, payload }) => {
        if (payload.length === 0) {
          if (key !== undefined) take(roster.forget(node, key));
          return;
        }
        const entry = parseEntry(payload);
        const change = entry && roster.put(node, entry);
        if (change) take(change);
        else counters.add(entry ? 'web_roster_entries_dropped' : 'web_roster_entries_malformed');
      },
    }),
    topics.subscribe('overview', {
      deliver: ({ payload }) => {
        if (overview.add(payload)) news?.overview(payload);
        else counters.add('web_frames_malformed');
      },
    }),
    links.onPeer({ up, down }),
  ];
  const tick = clock.every(1000, () => take(roster.tick()));

  return {
    roster,
    overview,
    history,
    watches,
    ingestNodes: (): readonly IngestNode[] => [...nodes.values()],
    /** Where news go from now on. */
    tell: (listener: News): void => void (news = listener),
    close: (): void => {
      tick.cancel();
      pause?.cancel();
      for (const stop of stops) stop();
      watches.close();
    },
  };
};
