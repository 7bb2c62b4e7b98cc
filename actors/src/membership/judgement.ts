/**
 * Alive, suspect or dead: one node's judgement of another, from what it saw and what witnesses say. Pure. Silence on the own link alone never
 * kills while there is anybody to ask; one witness who has the accused on the line is enough to clear it.
 */
import { pace } from './rules.ts';
import type { MembershipRules, Word } from './rules.ts';
import { ownWord, wordNow } from './sightings.ts';
import type { Sighting } from './sightings.ts';

export type Witness = { readonly id: string; readonly name: string };

export type Judgement = {
  readonly state: 'alive' | 'suspect' | 'dead';
  readonly why: string;
  /** To be asked about and knocked at. */
  readonly wonder: boolean;
};

export type Case = {
  readonly sighting: Sighting;
  readonly formerly: 'alive' | 'suspect';
  /** Others that are heard now, who may know more. */
  readonly witnesses: readonly Witness[];
  readonly mayAccuse: boolean;
  readonly nowMs: number;
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

type Hearing = { witness: Witness; word: Word };

export const judge = (given: Case, rules: MembershipRules): Judgement => {
  const { sighting, witnesses, nowMs } = given;
  const own = ownWord(sighting, !given.mayAccuse, nowMs);
  const wonder = own.refused || nowMs - sighting.silentSinceMs >= pace.wonderMs;
  if (!wonder) return { state: 'alive', why: 'it is heard', wonder };

  const hearings: Hearing[] = [];
  let lastHeardMs = sighting.silentSinceMs;
  for (const [id, report] of sighting.reports) {
    const { heardForMs } = report.word;
    if (heardForMs !== undefined) lastHeardMs = Math.max(lastHeardMs, report.atMs - heardForMs);
    const witness = witnesses.find((one) => one.id === id);
    const word = wordNow(report, nowMs);
    if (witness && word) hearings.push({ witness, word });
  }
  const vouching = hearings.find(({ word }) => rules.vouches(word));
  const agreeing = hearings.filter(({ word }) => rules.agreesToDeath(word) && !rules.vouches(word)).length;
  const doubting = hearings.filter(({ word }) => word.doubts && !rules.vouches(word)).length;
  const silentForMs = nowMs - lastHeardMs;
  const { mayAccuse } = given;

  if (mayAccuse && own.refused && sighting.refusedMs !== undefined) {
    const seen = {
      ...{ agreeing, vouching: vouching ? 1 : 0 },
      undecided: witnesses.length - agreeing - doubting - (vouching ? 1 : 0),
      refusedForMs: nowMs - sighting.refusedMs,
    };
    if (rules.fastDeath(seen)) return { state: 'dead', why: `nobody listens at its door, ${agreed(agreeing)}`, wonder };
  }
  if (vouching) {
    const heard = seconds(vouching.word.heardForMs ?? 0);
    return { state: 'alive', why: `no word of it here, but ${vouching.witness.name} heard it ${heard} ago`, wonder };
  }
  if (!rules.isSilent(silentForMs)) return { state: 'alive', why: 'it was heard lately', wonder };
  if (!mayAccuse) return { state: given.formerly, why: 'this node stood still and only listens', wonder };

  const askable = witnesses.filter(({ id }) => isAskable(sighting, id, nowMs)).length - doubting;
  const silence = `nothing heard for ${seconds(silentForMs)}`;
  if (rules.silentDeath(silentForMs) && rules.hasWitnesses(agreeing, askable))
    return { state: 'dead', why: `${silence}, ${agreed(agreeing)}`, wonder };
  return { state: 'suspect', why: silence, wonder };
};

const agreed = (count: number): string => {
  if (count === 0) return 'nobody else to ask';
  return count === 1 ? '1 other says the same' : `${count} others say the same`;
};

/** Not waited for for ever, when it is there but does not answer. */
const isAskable = (sighting: Sighting, witnessId: string, nowMs: number): boolean => {
  const { askingSinceMs } = sighting;
  if (askingSinceMs === undefined || nowMs - askingSinceMs < pace.muteMs) return true;
  const report = sighting.reports.get(witnessId);
  return report !== undefined && nowMs - report.atMs < pace.muteMs;
};
