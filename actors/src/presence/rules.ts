/**
 * The decisions of presence that guarantee something, each alone and pure, so that the simulator can replace one at a time by a wrong variant
 * and must notice.
 */
import type { Connection } from '../wire/roster.ts';
import { compareNames } from './document-name.ts';
import type { DocumentName } from './document-name.ts';
import { hashText } from './text-hash.ts';

/** What one document says of a host, as far as it decides who is believed. */
export type Standing = {
  readonly epoch: number;
  readonly attempt: number;
  readonly connection: Connection;
  readonly sinceMs: number;
  readonly adopted: boolean;
  /** Whether the document's node is there. */
  readonly living: boolean;
  /** Whose document it is. */
  readonly writer: string;
};

/** A document as it is held, or as somebody says it is. */
export type DocumentState = { readonly name: DocumentName; readonly length: number; readonly hash: string };

/** How long an entry of a node that is gone shows as reconnecting: agents find another node within seconds. */
export const graceMs = 10_000;
/** Heirs that are next in line wait this long for those before them, which may never have had the document. */
const heirStepMs = 500;
const forgetMs = 40_000;
const tombstoneMs = 24 * 60 * 60_000;
const leastRotationBytes = 64 * 1024;
const rotationFactor = 2;

const isUp = (connection: Connection): boolean => connection === 'connected' || connection === 'silent';

const compareConnections = (
  one: Pick<Standing, 'epoch' | 'attempt'>,
  other: Pick<Standing, 'epoch' | 'attempt'>,
): number => one.epoch - other.epoch || one.attempt - other.attempt;

/** Rendezvous: everybody computes the same order of nodes for a host, and a node that goes moves only what it had. */
const weightOf = (hostId: string, node: string): number => {
  const { high, low } = hashText(`${hostId} ${node}`);
  return high * 2 ** 21 + (low >>> 11);
};

/** Above 0 when the first stands before the second in line for this host. A total order. */
const compareHeirs = (hostId: string, one: string, other: string): number =>
  weightOf(hostId, one) - weightOf(hostId, other) || (one < other ? -1 : Number(one > other));

export const rules = {
  /**
   * Whether the first is believed rather than the second. The later connection of the agent wins, whoever says it; of the same one (agents that do
   * not count connections) who is there before who is gone, who serves before who adopted, up before not, then the later. A total order.
   */
  isNewer: (one: Standing, other: Standing): boolean => {
    const verdict =
      compareConnections(one, other) ||
      Number(one.living) - Number(other.living) ||
      Number(other.adopted) - Number(one.adopted) ||
      Number(isUp(one.connection)) - Number(isUp(other.connection)) ||
      one.sinceMs - other.sinceMs;
    return verdict === 0 ? one.writer > other.writer : verdict > 0;
  },

  /** Only documents of a member that is there, of its present life, and never an older one than is held. */
  acceptsDocument: (
    offered: DocumentName,
    known: {
      readonly self: string;
      /** As membership has it; undefined when the node is no member that is there. */
      readonly incarnation: number | undefined;
      readonly isGone: boolean;
      readonly held: DocumentName | undefined;
    },
  ): boolean =>
    offered.node !== known.self &&
    !known.isGone &&
    known.incarnation !== undefined &&
    offered.incarnation <= known.incarnation &&
    (known.held === undefined || compareNames(offered, known.held) >= 0),

  /** What is shown of an entry whose node is gone, `goneSinceMs` by the wall clock; undefined: its node is there. */
  showsAs: (
    entry: { readonly connection: Connection; readonly sinceMs: number },
    gone: { readonly sinceMs: number; readonly forMs: number } | undefined,
  ): { readonly connection: Connection; readonly sinceMs: number } => {
    if (!gone || entry.connection === 'down' || entry.connection === 'left') return entry;
    return gone.forMs < graceMs
      ? { connection: 'reconnecting', sinceMs: gone.sinceMs }
      : { connection: 'down', sinceMs: gone.sinceMs + graceMs };
  },

  /** Whether this node takes over now what a gone node said of a host. The first in line does after the grace; the next ones if nobody did. */
  isHeir: (hostId: string, self: string, living: readonly string[], goneForMs: number): boolean => {
    const before = living.filter((node) => compareHeirs(hostId, node, self) > 0).length;
    return goneForMs >= graceMs + before * heirStepMs;
  },

  /**
   * Whether what this node says of a host that is not connected here may make way for what the document of another node says: of a later
   * connection of the agent, or, when this node only adopted it, of the same one by who serves it or stands before in line.
   */
  yields: (hostId: string, own: Standing, other: Standing): boolean => {
    if (!other.living || isUp(own.connection)) return false;
    const verdict = compareConnections(other, own);
    if (verdict !== 0 || !own.adopted) return verdict > 0;
    return !other.adopted || compareHeirs(hostId, other.writer, own.writer) > 0;
  },

  /**
   * Whether it may go now, when so many nodes that are there are not known to have what it makes way for: who heard that it is gone first would
   * show the host nowhere. To keep it costs nothing, the newer one is believed.
   */
  mayLetGo: (lacking: number): boolean => lacking === 0,

  /** Whether the document of a node that is gone may be forgotten: all that may inherit have had their turn. */
  mayForgetDocument: (goneForMs: number): boolean => goneForMs >= forgetMs,

  /** Tighter than 4 × the live size: what is superseded costs memory on every node, and a new snapshot costs little. */
  shouldRotate: ({ bytes, liveBytes }: { readonly bytes: number; readonly liveBytes: number }): boolean =>
    bytes > Math.max(leastRotationBytes, rotationFactor * liveBytes),

  /** Whether a host that is gone may be removed by who says that it is gone. */
  mayDropTombstone: (entry: { readonly connection: Connection; readonly sinceMs: number }, wallMs: number): boolean =>
    (entry.connection === 'down' || entry.connection === 'left') && wallMs - entry.sinceMs > tombstoneMs,

  /**
   * Whether a document must be asked for: 'more' what is lacking at the end, or 'all'. Of one name a document only grows, so who says that it is
   * shorter, be it the writer, said so earlier. Had the writer lost some of it, it would begin a new one (`wasRestored`).
   */
  needsSync: (held: DocumentState | undefined, offered: DocumentState): 'more' | 'all' | 'no' => {
    if (!held || compareNames(offered.name, held.name) > 0) return 'all';
    if (compareNames(offered.name, held.name) < 0) return 'no';
    return offered.length > held.length ? 'more' : 'no';
  },

  /** Whether others hold of this node's present life what it does not know: it was restored from an earlier state and must begin a new generation. */
  wasRestored: (own: DocumentState, offered: DocumentState): boolean => {
    if (offered.name.incarnation !== own.name.incarnation) return false;
    const newer = offered.name.generation - own.name.generation;
    return (
      newer > 0 ||
      (newer === 0 && (offered.length > own.length || (offered.length === own.length && offered.hash !== own.hash)))
    );
  },
};

export type PresenceRules = typeof rules;
