/**
 * What this node does with a host of which the mesh says something else than it said itself: the later connection of an agent is the one that
 * counts, whichever node has it. Pure.
 */
import type { RosterEntry } from '@thrum/actors/wire/roster';

export type Ours = {
  /** What this node said of the host last; undefined before it said anything. */
  readonly said: RosterEntry | undefined;
  /** A connection of the host stands here. */
  readonly held: boolean;
};

/**
 * nothing: what is said is what we said, or the other has just lost it, too.
 * forget: the host is not here any more, and another node's to speak of.
 * superseded: our connection stands, and there is a later one elsewhere: the agent moved, or there are two of them.
 * overtake: our connection stands, and the later one elsewhere is over: ours is the one there is, though its agent counts from further back
 * (a data directory restored under a clock that was set back).
 */
export type Verdict = 'nothing' | 'forget' | 'superseded' | 'overtake';

/** `believed` is what the mesh shows of the host, which another node may have said. */
export const judgeElsewhere = ({ said, held }: Ours, believed: RosterEntry): Verdict => {
  const isOurs = believed.node === said?.node && believed.epoch === said.epoch && believed.attempt === said.attempt;
  if (isOurs || !said) return 'nothing';
  if (!held) return 'forget';
  if (believed.connection === 'connected' || believed.connection === 'silent') return 'superseded';
  return believed.connection === 'reconnecting' ? 'nothing' : 'overtake';
};
