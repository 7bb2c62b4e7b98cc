/**
 * The live view: what comes in goes out on topics at once, and nothing here ever waits for the store. This file owns the room's timers
 * and topics; what to say and when is decided by the pure parts beside it.
 *
 * Out go: host frames on `host/<id>` while somebody watches, overview frames of the hosts with new samples every quarter of a second,
 * and what this node says of its hosts to presence, when it changes. Answered are `snapshot` and `overview`.
 */
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import type { Links } from '@thrum/actors/link/links';
import type { Presence } from '@thrum/actors/presence/presence';
import type { Topics } from '@thrum/actors/topics/topics';
import type { Batch } from '@thrum/actors/wire/batch';
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import { encodeOverviewFrame, type OverviewRow } from '@thrum/actors/wire/frame';
import { refuse, type RefusalCode } from '@thrum/actors/wire/refusal';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import { AgentWatch } from './agent-signs.ts';
import { judgeElsewhere, type Verdict } from './elsewhere.ts';
import { HostHealth } from './health.ts';
import { HostLive } from './host-live.ts';
import { KnownHosts } from './known-hosts.ts';
import { RosterHost, type HostHello } from './roster-host.ts';
import { Snapshots, type AskRecent, type SnapshotReply } from './snapshots.ts';
import { sparkFrames } from './spark-frames.ts';

/** What one connection of an agent has to do with the live view; of no effect once another connection of the host took over. */
export type Connected = {
  readonly hostId: string;
  accept(batch: Batch, accepted: Uint8Array): void;
  /** Something came from the agent, if only the answer to a ping. */
  heard(): void;
  /** The store will never take some samples of it. */
  refused(code: RefusalCode): void;
  lost(unheard: boolean): void;
  left(): void;
  /** There is a later connection of this host at another node. */
  isSuperseded(): boolean;
};

export type Live = {
  /** `superseded` is called once when another node takes the host over while this connection still stands. */
  greet(hello: HostHello, superseded: () => void): Connected;
  snapshot(hostId: string): Promise<SnapshotReply>;
  counters(): Record<string, number>;
  close(): void;
};

export type LiveOptions = {
  readonly clock: Clock;
  readonly log: Log;
  readonly links: Links;
  /** Answers questions of web nodes under this name. */
  readonly serve: (name: string, answer: (question: unknown) => unknown) => () => void;
  readonly topics: Topics;
  readonly presence: Presence;
  readonly askRecent: AskRecent;
  readonly findDictionary: (hash: string) => Dictionary | undefined;
  readonly isKnownTarget: (name: string) => boolean;
  /** Random, so that tables of different nodes and starts are told apart. */
  readonly newTableId: () => number;
};

/** How long a sample may wait before the overview shows it; each flush costs a frame per interested node. */
const overviewEveryMs = 250;
const overviewAtLeastEveryMs = 1_000;
/** How late a change of state may be seen. */
const sweepEveryMs = 500;
/** How much longer than a day a host that is gone may be remembered. */
const expireEveryMs = 60_000;
/** Known hosts, gone ones included; about 30 KB each while they send. */
const maxHosts = 20_000;
const prefix = 'host/';

type Host = {
  readonly roster: RosterHost;
  readonly values: HostLive;
  readonly health: HostHealth;
  readonly watch: AgentWatch;
  /** Undefined once it was called. */
  superseded: (() => void) | undefined;
};

export const startLive = (options: LiveOptions): Live => {
  const { clock, links, topics, presence, log } = options;
  const known = new KnownHosts<Host>({ maxHosts });
  const watched = new Set<string>();
  const snapshots = new Snapshots(options);
  const fresh: HostLive[] = [];
  const counts = {
    batches: 0,
    samplesOutOfOrder: 0,
    overviewFrames: 0,
    rosterChanges: 0,
    hostsForgotten: 0,
    hostsOvertaken: 0,
  };
  let hostFrames = 0;

  const publishState = (host: Host): void => {
    if (known.hosts.get(host.values.hostId) !== host) return; // another node's to speak of by now
    publishDue(host, clock.monotonicMs(), clock.wallMs());
  };

  const publishDue = ({ roster, health, values }: Host, nowMs: number, wallMs: number): void => {
    const clockOffsetMs = values.offsetMs;
    const degraded = roster.held ? health.reasons(nowMs, clockOffsetMs) : [];
    const entry = roster.due(nowMs, wallMs, { degraded, clockOffsetMs });
    if (!entry) return;
    counts.rosterChanges += 1;
    presence.put(entry);
  };

  const forget = (hostId: string): void => {
    counts.hostsForgotten += 1;
    presence.remove(hostId);
  };

  const judge = ({ roster }: Host, hostId: string): Verdict => {
    const believed = presence.agent(hostId);
    return believed ? judgeElsewhere(roster, believed) : 'nothing';
  };

  /** The mesh says something of a host that may be ours. */
  const review = ({ hostId }: RosterEntry): void => {
    const host = known.hosts.get(hostId);
    const verdict = host ? judge(host, hostId) : 'nothing';
    if (!host || verdict === 'nothing') return;
    if (verdict === 'forget') {
      known.hosts.delete(hostId);
      forget(hostId);
    } else if (verdict === 'superseded') {
      host.superseded?.();
      host.superseded = undefined;
    } else {
      const over = presence.agent(hostId);
      if (over) host.roster.overtake(over);
      counts.hostsOvertaken += 1;
      publishState(host);
    }
  };

  const newHost = (hello: HostHello): Host => {
    const { hostId } = hello;
    const topic = `${prefix}${hostId}`;
    const publish = (frame: Uint8Array): void => {
      hostFrames += 1;
      topics.publish(topic, frame);
    };
    const values = new HostLive({ hostId, newTableId: options.newTableId, publish });
    values.watched = watched.has(hostId);
    const roster = new RosterHost(links.self.id, hello);
    return { roster, values, health: new HostHealth(), watch: new AgentWatch(), superseded: undefined };
  };

  const greet = (hello: HostHello, superseded: () => void): Connected => {
    const { hostId } = hello;
    let host = known.hosts.get(hostId);
    if (!host) {
      host = newHost(hello);
      const gone = known.add(hostId, host);
      if (gone !== undefined) forget(gone);
    }
    const { roster, values, health } = host;
    const own = host;
    host.superseded = superseded;
    const turn = roster.greet(hello, clock.monotonicMs());
    health.greeted(clock.monotonicMs());
    values.greet({ boot: hello.boot, dictionary: hello.dictionary, offsetMs: hello.clockOffsetMs });
    publishState(host);
    return {
      hostId,
      accept: (batch, accepted) => {
        if (roster.turn !== turn) return;
        counts.batches += 1;
        const wasFresh = values.fresh;
        values.accept(batch, accepted, clock.wallMs());
        if (values.fresh && !wasFresh) fresh.push(values);
      },
      heard: () => {
        if (roster.heard(turn, clock.monotonicMs())) publishState(own);
      },
      refused: (code) => health.refused(code, clock.monotonicMs()),
      lost: (unheard) => {
        roster.lost(turn, clock.monotonicMs(), unheard);
        if (roster.turn !== turn) return;
        publishState(own);
        const believed = presence.agent(hostId);
        if (believed) review(believed);
      },
      left: () => {
        roster.left(turn, clock.monotonicMs());
        publishState(own);
      },
      isSuperseded: () => roster.turn === turn && judge(own, hostId) === 'superseded',
    };
  };

  let overviewSentMs = Number.NEGATIVE_INFINITY;
  const flushOverview = (): void => {
    const nowMs = clock.monotonicMs();
    // An empty frame now and then tells pages that the way from here is open, and that it is the hosts who are silent.
    if (fresh.length === 0 && nowMs - overviewSentMs < overviewAtLeastEveryMs) return;
    overviewSentMs = nowMs;
    const rows: OverviewRow[] = [];
    for (const host of fresh.splice(0)) {
      host.fresh = false;
      const { hostId, sampleMs, ageMs } = host;
      const row = { hostId, sampleMs, ageMs, values: host.overview.figures(host.ticks) };
      host.overview.keep(row);
      rows.push(row);
    }
    counts.overviewFrames += 1;
    topics.publish('overview', encodeOverviewFrame(rows));
  };

  const heedSigns = ({ watch, values, health }: Host, nowMs: number): void => {
    const signs = watch.look(values.ticks);
    if (!signs) return;
    if (signs.dropped) health.dropped(nowMs);
    if (signs.lost) health.lost(nowMs);
    if (signs.diskFailing) health.diskFailed(nowMs);
  };

  let expiredMs = clock.monotonicMs();
  /** Ten thousand looks a second with 5,000 hosts: what is the same for all of them is asked once. */
  const sweep = (): void => {
    const nowMs = clock.monotonicMs();
    const wallMs = clock.wallMs();
    for (const host of known.hosts.values()) {
      heedSigns(host, nowMs);
      publishDue(host, nowMs, wallMs);
      host.values.tidy();
    }
    if (nowMs - expiredMs >= expireEveryMs) {
      expiredMs = nowMs;
      for (const hostId of known.expire(nowMs)) forget(hostId);
    }
    snapshots.sweep();
  };

  const snapshot = async (hostId: string): Promise<SnapshotReply> => {
    const host = known.hosts.get(hostId);
    if (!host) return refuse('unknown-host', hostId.slice(0, 40));
    try {
      return await snapshots.of(host.values);
    } catch (error) {
      log.error({ error, host: hostId }, 'A snapshot could not be put together');
      return refuse('host-away', 'the snapshot could not be put together');
    }
  };

  const stops = [
    topics.onInterest(prefix, (topic, interested) => {
      const hostId = topic.slice(prefix.length);
      if (interested) watched.add(hostId);
      else watched.delete(hostId);
      const host = known.hosts.get(hostId);
      if (host) host.values.watched = interested;
    }),
    presence.onChange(({ entries }) => {
      for (const entry of entries) review(entry);
    }),
    options.serve('snapshot', (message) => {
      const hostId = typeof message === 'object' && message !== null && 'host' in message ? message.host : undefined;
      return typeof hostId === 'string' ? snapshot(hostId) : refuse('unknown-host', 'no host was named');
    }),
    options.serve('overview', () => ({
      frames: sparkFrames(
        [...known.hosts.values()].map((host) => host.values),
        clock.wallMs(),
      ),
    })),
  ];
  const timers = [clock.every(overviewEveryMs, flushOverview), clock.every(sweepEveryMs, sweep)];

  return {
    greet,
    snapshot,
    counters: () => {
      let series = 0;
      let connected = 0;
      let degraded = 0;
      let outOfOrder = 0;
      let beyondBatch = 0;
      for (const { roster, values } of known.hosts.values()) {
        series += values.table.series.length;
        outOfOrder += values.ticks.outOfOrder;
        beyondBatch += values.ticks.beyondBatch;
        if (roster.held) connected += 1;
        if (roster.degraded) degraded += 1;
      }
      const snapshotCounts = Object.entries(snapshots.counters()).map(([name, value]) => [`snapshot_${name}`, value]);
      return {
        ...counts,
        hostFrames,
        samplesOutOfOrder: outOfOrder,
        samplesBeyondBatch: beyondBatch,
        hosts: known.hosts.size,
        hostsConnected: connected,
        hostsDegraded: degraded,
        hostsWatched: watched.size,
        series,
        ...(Object.fromEntries(snapshotCounts) as Record<string, number>),
      };
    },
    close: () => {
      for (const timer of timers) timer.cancel();
      for (const stop of stops) stop();
      snapshots.close();
    },
  };
};
