/**
 * The roster as this web node sees it: the entries of all ingest nodes merged into one per host. The larger claim wins, because an agent
 * that moved said hello to the new node later; but what a linked node says wins over what one said that is gone, whatever the claims.
 * When the link to an ingest node is lost, its hosts are `reconnecting` from that instant and `down` 10 s later, unless another node
 * claims them first: an agent that lost its node connects to another within seconds.
 *
 * Invariant: what `change` returns, applied in order to what `all` returned before, gives what `all` returns now.
 */
import type { RosterEntry } from '@thrum/actors/wire/roster';

export const rosterLimits = {
  reconnectingMs: 10_000,
  /** After a link is back, entries that its node does not repeat within this time are gone. */
  confirmMs: 5_000,
  /** Hosts whose only node has been away for so long are forgotten. */
  forgetMs: 24 * 3_600_000,
  /** Entries kept; more are refused and counted. Each costs about 1 KB. */
  maxEntries: 20_000,
} as const;

export type RosterChange = { readonly entries: readonly RosterEntry[]; readonly gone: readonly string[] };

type Held = { entry: RosterEntry; confirmed: boolean };
type NodeState = { linked: boolean; sinceMs: number; sinceWallMs: number; unconfirmed: boolean };
type Now = { monotonicMs: number; wallMs: number };

export type RosterView = ReturnType<typeof createRosterView>;

/** `now` is asked at every call; the view has no timers: call `tick` about once a second. */
export const createRosterView = (now: () => Now) => {
  const byHost = new Map<string, Map<string, Held>>();
  const nodes = new Map<string, NodeState>();
  const shown = new Map<string, { seen: RosterEntry; source: RosterEntry }>();
  let held = 0;
  /** What `all` returned, until something changes: one array for however many ask. */
  let prepared: readonly RosterEntry[] | undefined;

  /** A node that was never seen linked says so by its first entry: deliveries may run ahead of the link's own event. */
  const nodeOf = (node: string): NodeState => {
    const { monotonicMs, wallMs } = now();
    const known = nodes.get(node) ?? { linked: true, sinceMs: monotonicMs, sinceWallMs: wallMs, unconfirmed: false };
    nodes.set(node, known);
    return known;
  };

  /** Its node is linked and has said so since it is. */
  const isSure = ({ entry, confirmed }: Held): boolean => confirmed && nodeOf(entry.node).linked;

  const isBetter = (one: Held, other: Held): boolean => {
    if (isSure(one) !== isSure(other)) return isSure(one);
    if (one.entry.claim !== other.entry.claim) return one.entry.claim > other.entry.claim;
    return one.entry.node > other.entry.node;
  };

  const winner = (entries: Map<string, Held>): Held | undefined => {
    let best: Held | undefined;
    for (const one of entries.values()) if (!best || isBetter(one, best)) best = one;
    return best;
  };

  /** What the entry means while its node is away. */
  const asSeen = ({ entry, confirmed }: Held): RosterEntry => {
    const node = nodeOf(entry.node);
    if ((node.linked && confirmed) || entry.connection === 'left' || entry.connection === 'down') return entry;
    const lostMs = now().monotonicMs - node.sinceMs;
    if (node.linked || lostMs < rosterLimits.reconnectingMs)
      return entry.connection === 'reconnecting'
        ? entry
        : { ...entry, connection: 'reconnecting', sinceMs: node.sinceWallMs };
    return { ...entry, connection: 'down', sinceMs: node.sinceWallMs + rosterLimits.reconnectingMs };
  };

  const refresh = (hostIds: Iterable<string>): RosterChange => {
    const entries: RosterEntry[] = [];
    const gone: string[] = [];
    for (const hostId of hostIds) {
      const best = winner(byHost.get(hostId) ?? new Map<string, Held>());
      const before = shown.get(hostId);
      if (!best) {
        if (shown.delete(hostId)) gone.push(hostId);
        continue;
      }
      const seen = asSeen(best);
      const unchanged =
        before?.source === best.entry &&
        before.seen.connection === seen.connection &&
        before.seen.sinceMs === seen.sinceMs;
      if (unchanged) continue;
      shown.set(hostId, { seen, source: best.entry });
      entries.push(seen);
    }
    if (entries.length > 0 || gone.length > 0) prepared = undefined;
    return { entries, gone };
  };

  const drop = (hostId: string, node: string): void => {
    const entries = byHost.get(hostId);
    if (!entries?.delete(node)) return;
    held -= 1;
    if (entries.size === 0) byHost.delete(hostId);
  };

  const hostsOf = (node: string): string[] =>
    [...byHost].filter(([, entries]) => entries.has(node)).map(([hostId]) => hostId);

  return {
    all: (): readonly RosterEntry[] => (prepared ??= Array.from(shown.values(), ({ seen }) => seen)),
    get: (hostId: string): RosterEntry | undefined => shown.get(hostId)?.seen,
    size: (): number => held,

    /** `undefined` when there is no room for one more. */
    put: (node: string, entry: RosterEntry): RosterChange | undefined => {
      nodeOf(node);
      const entries = byHost.get(entry.hostId) ?? new Map<string, Held>();
      if (!entries.has(node)) {
        if (held >= rosterLimits.maxEntries) return undefined;
        held += 1;
      }
      // The publisher's word on who publishes: an entry cannot speak for another node.
      entries.set(node, { entry: entry.node === node ? entry : { ...entry, node }, confirmed: true });
      byHost.set(entry.hostId, entries);
      // A smaller claim of a node that is away will never be believed again.
      for (const [other, one] of entries)
        if (other !== node && one.entry.claim < entry.claim && nodes.get(other)?.linked !== true)
          drop(entry.hostId, other);
      return refresh([entry.hostId]);
    },

    forget: (node: string, hostId: string): RosterChange => {
      drop(hostId, node);
      return refresh([hostId]);
    },

    nodeUp: (node: string): RosterChange => {
      const { monotonicMs, wallMs } = now();
      const before = nodes.get(node);
      if (before?.linked === true) return { entries: [], gone: [] };
      // Its hosts keep the time at which they were lost until the node repeats them.
      const sinceWallMs = before?.sinceWallMs ?? wallMs;
      nodes.set(node, { linked: true, sinceMs: monotonicMs, sinceWallMs, unconfirmed: before !== undefined });
      return refresh(hostsOf(node));
    },

    nodeDown: (node: string): RosterChange => {
      const { monotonicMs, wallMs } = now();
      nodes.set(node, { linked: false, sinceMs: monotonicMs, sinceWallMs: wallMs, unconfirmed: false });
      const hosts = hostsOf(node);
      for (const hostId of hosts) {
        const one = byHost.get(hostId)?.get(node);
        if (one) one.confirmed = false;
      }
      return refresh(hosts);
    },

    /** What changed by time alone. */
    tick: (): RosterChange => {
      const { monotonicMs } = now();
      const touched = new Set<string>();
      for (const [node, state] of nodes) {
        const forMs = monotonicMs - state.sinceMs;
        if (state.linked && !(state.unconfirmed && forMs >= rosterLimits.confirmMs)) continue;
        const hosts = hostsOf(node);
        for (const hostId of hosts) {
          touched.add(hostId);
          const stale = state.linked
            ? byHost.get(hostId)?.get(node)?.confirmed === false
            : forMs >= rosterLimits.forgetMs;
          if (stale) drop(hostId, node);
        }
        if (state.linked) state.unconfirmed = false;
        else if (forMs >= rosterLimits.forgetMs) nodes.delete(node);
      }
      return refresh(touched);
    },
  };
};
