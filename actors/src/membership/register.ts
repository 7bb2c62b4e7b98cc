/**
 * Every node this one knows of, one record each: the living, and for a day the dead. Pure but for its own map. Invariants:
 * - a node's incarnation never falls, and one that was gone never comes back;
 * - `joined` and `gone` are said once per node and incarnation, in turns, `gone` of the former before `joined` of the next;
 * - at most `maxKnown` records: the longest dead make room, the living never; what finds no room is counted.
 */
import { createHash } from 'node:crypto';
import type { NodeInfo } from '../link/node-info.ts';
import { maxKnown } from './messages.ts';
import type { Claim } from './messages.ts';
import type { Member, MemberState } from './member.ts';
import { pace } from './rules.ts';
import type { MembershipRules } from './rules.ts';

export type Happening =
  | { readonly kind: 'changed'; readonly member: Member }
  | { readonly kind: 'joined'; readonly node: NodeInfo; readonly incarnation: number }
  | { readonly kind: 'gone'; readonly node: NodeInfo; readonly incarnation: number; readonly why: 'dead' | 'left' };

export const isHere = (member: Member): boolean => member.state === 'alive' || member.state === 'suspect';

/** Differences in age between two nodes' tombstones do not count as differences: the last hour is not compared. */
const comparedForMs = pace.tombstoneMs - 3_600_000;

export class Register {
  readonly #rules: MembershipRules;
  readonly #members = new Map<string, Member>();
  /** Claims about new nodes that found no room. */
  refused = 0;

  constructor(rules: MembershipRules) {
    this.#rules = rules;
  }

  get(id: string): Member | undefined {
    return this.#members.get(id);
  }

  all(): readonly Member[] {
    return [...this.#members.values()];
  }

  isGone(id: string, incarnation: number): boolean {
    const member = this.#members.get(id);
    if (!member) return false;
    return incarnation < member.incarnation || (incarnation === member.incarnation && !isHere(member));
  }

  /** Whether the claim says more than is known. */
  isNews(claim: Claim): boolean {
    const known = this.#members.get(claim.node.id);
    if (!known) return claim.state === 'alive' || this.#rules.keepsTombstone(claim.agoMs);
    return this.#rules.isNewer(claim, known);
  }

  /** Takes a claim that is believed. What is no news changes nothing. */
  take(claim: Claim, nowMs: number): readonly Happening[] {
    if (!this.isNews(claim)) return [];
    const known = this.#members.get(claim.node.id);
    if (!known && !this.#makeRoom()) return [];
    const { node, incarnation, state, why } = claim;
    const happenings: Happening[] = [];
    if (state !== 'alive') {
      if (known && isHere(known)) happenings.push(...this.#bury(known, state, why, nowMs));
      this.#members.set(node.id, { node, incarnation, state, why, sinceMs: nowMs - claim.agoMs });
      return happenings;
    }
    if (known && isHere(known)) happenings.push(...this.#bury(known, 'dead', `it goes on as ${incarnation}`, nowMs));
    const member: Member = { node, incarnation, state, why, sinceMs: nowMs };
    this.#members.set(node.id, member);
    happenings.push({ kind: 'changed', member }, { kind: 'joined', node, incarnation });
    return happenings;
  }

  /** Between alive and suspect, which is this node's own matter. */
  mark(id: string, state: 'alive' | 'suspect', why: string, nowMs: number): readonly Happening[] {
    const known = this.#members.get(id);
    if (!known || !isHere(known) || known.state === state) return [];
    const member: Member = { ...known, state, why, sinceMs: nowMs };
    this.#members.set(id, member);
    return [{ kind: 'changed', member }];
  }

  claimOf(member: Member, nowMs: number): Claim {
    const { node, incarnation, why } = member;
    const state = member.state === 'suspect' ? 'alive' : member.state;
    return { node, incarnation, state, why: why.slice(0, 300), agoMs: Math.max(0, nowMs - member.sinceMs) };
  }

  /** Equal on nodes that know the same. */
  digest(self: { id: string; incarnation: number }, nowMs: number): string {
    const lines = [`${self.id} ${self.incarnation} here`];
    for (const member of this.#members.values())
      if (isHere(member)) lines.push(`${member.node.id} ${member.incarnation} here`);
      else if (nowMs - member.sinceMs < comparedForMs) lines.push(`${member.node.id} ${member.incarnation} gone`);
    return createHash('sha256').update(lines.sort().join('\n')).digest('base64url');
  }

  forgetOld(nowMs: number): void {
    for (const [id, member] of this.#members)
      if (!isHere(member) && !this.#rules.keepsTombstone(nowMs - member.sinceMs)) this.#members.delete(id);
  }

  #bury(known: Member, state: Exclude<MemberState, 'alive' | 'suspect'>, why: string, nowMs: number): Happening[] {
    return [
      { kind: 'changed', member: { ...known, state, why, sinceMs: nowMs } },
      { kind: 'gone', node: known.node, incarnation: known.incarnation, why: state },
    ];
  }

  #makeRoom(): boolean {
    if (this.#members.size < maxKnown) return true;
    let oldest: Member | undefined;
    for (const member of this.#members.values())
      if (!isHere(member) && (!oldest || member.sinceMs < oldest.sinceMs)) oldest = member;
    if (oldest) this.#members.delete(oldest.node.id);
    else this.refused += 1;
    return oldest !== undefined;
  }
}
