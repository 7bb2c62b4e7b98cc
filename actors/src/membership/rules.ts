/**
 * Every decision of this room that guarantees something, each a small pure function, gathered so that a wrong variant of one can be put in its
 * place and must be noticed. Times are differences of the monotonic clock of the node that decides; nobody's wall clock decides anything.
 *
 * What is promised with these numbers (five nodes): killed, seen by all within 1 s; silent, paused or cut off, within 6 s (a last heartbeat up
 * to 1 s old, `deadMs`, a tick); at 20 % packet loss nobody is taken for dead, because a stalled connection of one observer is not one of all
 * observers, and each of them knocks at the door over fresh connections meanwhile.
 */
import type { MemberState } from './member.ts';

export const pace = {
  tickMs: 250,
  /** From here on others are asked, and the silent one is knocked at. Lower costs messages on a lossy network and finds out no sooner. */
  wonderMs: 2000,
  /** Nobody heard it for so long: suspect. TCP on a lossy network pauses for 1.4 s often and for 3 s rarely. */
  suspectMs: 3000,
  /** Nobody heard it for so long: dead. Raising it makes false deaths rarer and real ones known later. */
  deadMs: 5000,
  /** A witness's word counts so long. */
  reportMs: 2000,
  /** How long a first other witness is not enough, while more may still speak up. */
  hearAllMs: 600,
  /** Who was asked and said nothing for so long is not waited for. */
  muteMs: 3000,
  askMs: 500,
  /** Each knock is a new connection with luck of its own: twice as many make false deaths of two nodes alone twenty times rarer. */
  knockMs: 500,
  /** A tick so late means that this node stood still. */
  lateMs: 500,
  /** How long it then only listens. What waited in its sockets is read within the first of these milliseconds. */
  listenMs: 1000,
  /** After standing still for so long, what was heard before counts for nothing. */
  forgetMs: 3000,
  compareMs: 2000,
  tombstoneMs: 24 * 3_600_000,
} as const;

type Standing = { readonly incarnation: number; readonly state: MemberState };

const rank: Readonly<Record<MemberState, number>> = { alive: 0, suspect: 1, left: 2, dead: 2 };

/** What one witness says of the accused. `heardForMs`: since it last heard it itself, undefined: never. */
export type Word = {
  readonly heardForMs: number | undefined;
  readonly linked: boolean;
  readonly refused: boolean;
  readonly doubts: boolean;
};

export const rules = {
  /** Of two claims about one node: the larger incarnation; of one incarnation, what is worse. */
  isNewer: (claim: Standing, than: Standing): boolean =>
    claim.incarnation > than.incarnation ||
    (claim.incarnation === than.incarnation && rank[claim.state] > rank[than.state]),

  /** This node stood still: it may have slept through what others said. */
  stoodStill: (tickLateMs: number): boolean => tickLateMs > pace.lateMs,

  /** Whether this node may accuse anybody, by when it last stood still (undefined: never). */
  mayAccuse: (stoodStillForMs: number | undefined): boolean =>
    stoodStillForMs === undefined || stoodStillForMs >= pace.listenMs,

  /** `silentForMs`: since anybody who could be asked heard it. */
  isSilent: (silentForMs: number): boolean => silentForMs >= pace.suspectMs,

  /** The witness has it on the line: whatever the accuser sees is a fault of the accuser's own link. */
  vouches: (word: Word): boolean => word.linked && word.heardForMs !== undefined && word.heardForMs < pace.suspectMs,

  agreesToDeath: (word: Word): boolean =>
    !word.doubts && (word.refused || word.heardForMs === undefined || word.heardForMs >= pace.suspectMs),

  /** Two others have to agree, or as many as there are. With nobody left to ask, silence alone decides. No majority: halves of a mesh go on. */
  hasWitnesses: (agreeing: number, askable: number): boolean => agreeing >= Math.min(2, askable),

  /** Silent and paused nodes. */
  silentDeath: (silentForMs: number): boolean => silentForMs >= pace.deadMs,

  /** Killed processes: nobody listens at its door any more, another sees the same, and nobody has it on the line. */
  fastDeath: (seen: { agreeing: number; vouching: number; undecided: number; refusedForMs: number }): boolean =>
    seen.vouching === 0 && (seen.undecided === 0 || (seen.agreeing >= 1 && seen.refusedForMs >= pace.hearAllMs)),

  /** Whether another's verdict is believed: not about whom we hear ourselves. The accused is told then, and clears itself. */
  believes: (own: Word): boolean => !rules.vouches(own),

  /** The incarnation under which this node goes on after hearing `claim` about itself; undefined: the claim is no matter. */
  refutes: (ownIncarnation: number, claim: Standing): number | undefined => {
    if (claim.incarnation > ownIncarnation) return claim.incarnation + 1;
    const buried = claim.state === 'dead' || claim.state === 'left';
    return buried && claim.incarnation === ownIncarnation ? ownIncarnation + 1 : undefined;
  },

  keepsTombstone: (ageMs: number): boolean => ageMs < pace.tombstoneMs,
};

export type MembershipRules = typeof rules;
