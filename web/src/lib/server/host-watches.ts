/** All hosts watched by tabs of this web node. A host stays watched a little after its last tab left: a reload comes back to it. */
import type { Clock, Timer } from '@thrum/actors/system/clock';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { Counters } from './counters.ts';
import { createHostWatch, type HostWatch, type SnapshotOutcome, type Viewer } from './host-watch.ts';

const watchesLimits = {
  /** Watched hosts: each keeps its last ten minutes here, about 2 MB. */
  maxHosts: 500,
  lingerMs: 20_000,
} as const;

export type WatchesParts = {
  clock: Clock;
  counters: Counters;
  owner(hostId: string): string | undefined;
  ask(node: string, hostId: string): Promise<SnapshotOutcome>;
  /** `down` is called once when what gives snapshots on this node is gone. Returns how to stop watching. */
  watchServer(node: string, down: () => void): () => void;
  subscribe(topic: string, watch: Pick<HostWatch, 'deliver' | 'stale'>): () => void;
};

/** A tab's hold on a host. `again` asks for the snapshot once more, for a tab that could not take it. */
export type Hold = { again(): void; leave(): void };

type Watched = { watch: HostWatch; unsubscribe: () => void; linger: Timer | undefined };

export type HostWatches = ReturnType<typeof createHostWatches>;

export const createHostWatches = (parts: WatchesParts) => {
  const hosts = new Map<string, Watched>();

  const close = (hostId: string, watched: Watched): void => {
    if (hosts.get(hostId) !== watched) return;
    hosts.delete(hostId);
    watched.linger?.cancel();
    watched.unsubscribe();
    watched.watch.close();
  };

  const open = (hostId: string): Watched => {
    const watch = createHostWatch({
      clock: parts.clock,
      counters: parts.counters,
      owner: () => parts.owner(hostId),
      ask: (node) => parts.ask(node, hostId),
      watchServer: (node, down) => parts.watchServer(node, down),
    });
    const unsubscribe = parts.subscribe(`host/${hostId}`, watch);
    const watched: Watched = { watch, unsubscribe, linger: undefined };
    hosts.set(hostId, watched);
    return watched;
  };

  const roomForOne = (): boolean => {
    if (hosts.size < watchesLimits.maxHosts) return true;
    const idle = [...hosts].find(([, watched]) => watched.watch.viewers() === 0);
    if (idle) close(...idle);
    return idle !== undefined;
  };

  return {
    size: (): number => hosts.size,

    join: (hostId: string, viewer: Viewer): { ok: true; hold: Hold } | Refusal => {
      const known = hosts.get(hostId);
      if (!known && !roomForOne()) {
        parts.counters.add('web_watches_refused');
        return refuse('try-later', 'this web node watches as many hosts as it can');
      }
      const watched = known ?? open(hostId);
      watched.linger?.cancel();
      watched.linger = undefined;
      watched.watch.join(viewer);
      const leave = (): void => {
        watched.watch.leave(viewer);
        if (watched.watch.viewers() > 0 || watched.linger || hosts.get(hostId) !== watched) return;
        watched.linger = parts.clock.after(watchesLimits.lingerMs, () => close(hostId, watched));
      };
      return { ok: true, hold: { again: () => watched.watch.join(viewer), leave } };
    },

    rosterChanged: (hostId: string, connected: boolean): void => hosts.get(hostId)?.watch.rosterChanged(connected),

    close: (): void => {
      for (const [hostId, watched] of hosts) close(hostId, watched);
    },
  };
};
