/**
 * Who belongs to the mesh now, as one node sees it. Every node judges every other by its own link and by what the others say they hear, tells
 * its verdicts to all, and compares notes with one peer every two seconds, so that all come to know the same. Invariants:
 * - nobody is dead while anybody who can be asked has it on the line (`judgement.ts`);
 * - a node that stood still accuses nobody until it has listened (`self-doubt.ts`), and believes what others found out meanwhile;
 * - who was declared dead and lives goes on under a larger incarnation, and says so to all;
 * - suspicion is each node's own: it is not passed on as a state, so the suspect needs no new incarnation to be cleared. It is heard, or it is not.
 */
import type { Links } from '../link/links.ts';
import type { NodeInfo } from '../link/node-info.ts';
import type { ActorSystem } from '../system/actor-system.ts';
import { Accusations } from './accusations.ts';
import { judge } from './judgement.ts';
import { noMembershipCounts } from './membership-counts.ts';
import type { Member, MembershipListener } from './member.ts';
import { messageSchema } from './messages.ts';
import type { Claim, MembershipMessage, Sight } from './messages.ts';
import { isHere, Register } from './register.ts';
import type { Happening } from './register.ts';
import { pace, rules as soundRules } from './rules.ts';
import type { MembershipRules } from './rules.ts';
import { mayAccuse, noDoubt, tickDoubt } from './self-doubt.ts';
import { excuse, hear, newSighting, ownWord, toSight, toWord } from './sightings.ts';
import type { Sighting } from './sightings.ts';

export type { Member, MembershipListener, MemberState } from './member.ts';
export type { MembershipRules } from './rules.ts';

export type Membership = {
  readonly self: NodeInfo;
  /** Our own: the start's at first, larger after each refuted death. */
  incarnation(): number;
  /** All others that are alive or suspect. */
  members(): readonly Member[];
  /** Declared dead or left at that incarnation or a later one, or living under a later one. */
  isGone(nodeId: string, incarnation: number): boolean;
  /** `joined` is called at once for those there already. */
  onChange(listener: MembershipListener): () => void;
  /** Tells everybody that this node goes on purpose; resolves when told. */
  leave(): Promise<void>;
  counters(): Record<string, number>;
  close(): void;
};

export type MembershipOptions = { links: Links; system: ActorSystem; rules?: Partial<MembershipRules> };

const endpoint = 'membership';
/** How long a node that leaves waits for the others to have heard it. */
const farewellMs = 180;

export const startMembership = (options: MembershipOptions): Membership => {
  const { links, system } = options;
  const { clock } = system;
  const { self } = links;
  const rules: MembershipRules = { ...soundRules, ...options.rules };
  const log = system.log.child({ room: 'membership' });
  const counts = noMembershipCounts();
  const register = new Register(rules);
  const accusations = new Accusations();
  const sightings = new Map<string, Sighting>();
  const listeners = new Set<MembershipListener>();
  let incarnation = self.incarnation;
  let doubt = noDoubt(clock.monotonicMs());
  let leaving = false;
  let comparedMs = clock.monotonicMs();
  let comparedWith = 0;

  const now = (): number => clock.monotonicMs();
  const sightingOf = (id: string): Sighting => {
    let sighting = sightings.get(id);
    if (!sighting) sightings.set(id, (sighting = newSighting(now())));
    return sighting;
  };
  const notify = (call: (listener: MembershipListener) => void): void => {
    for (const one of [...listeners]) {
      try {
        call(one);
      } catch (error) {
        counts.listenerFailures += 1;
        log.error({ error }, 'a listener for members failed');
      }
    }
  };
  const publish = (happenings: readonly Happening[]): void => {
    for (const one of happenings) {
      if (one.kind === 'changed') {
        say(one.member);
        notify((listener) => listener.changed?.(one.member));
      } else if (one.kind === 'joined') notify((listener) => listener.joined?.(one.node, one.incarnation));
      else notify((listener) => listener.gone?.(one.node, one.incarnation, one.why));
    }
  };
  const say = ({ node, state, why, incarnation: its }: Member): void => {
    const about = { peer: node.name, role: node.role, incarnation: its, why };
    if (state === 'dead') log.warn(about, `node ${node.name} is dead: ${why}`);
    else if (state === 'suspect') log.warn(about, `node ${node.name} is silent`);
    else log.info(about, state === 'left' ? `node ${node.name} left` : `node ${node.name} is there`);
    if (state === 'suspect') counts.suspicions += 1;
    else if (state === 'left') counts.leaves += 1;
    else if (state === 'dead') counts.deaths += 1;
  };

  const tell = (nodeId: string, message: MembershipMessage): void => void links.tell(nodeId, endpoint, message);
  const tellAll = (message: MembershipMessage): void => {
    const everybody = links.peers().map((peer) => peer.id);
    if (everybody.length > 0) links.tellAll(everybody, endpoint, message);
  };
  const selfClaim = (state: Claim['state'], why: string): Claim => ({
    ...{ node: self, incarnation, state, why, agoMs: 0 },
  });
  const allClaims = (): Claim[] => [
    selfClaim('alive', 'it says so'),
    ...register.all().map((member) => register.claimOf(member, now())),
  ];

  /** Somebody takes us for dead. */
  const clearSelf = (claim: Claim, from: NodeInfo): void => {
    const next = rules.refutes(incarnation, claim);
    if (next === undefined || leaving) return;
    if (!accusations.mayRenew(from.id, now())) {
      counts.accusationsIgnored += 1;
      return;
    }
    incarnation = next;
    counts.renewals += 1;
    log.warn(
      { by: from.name, why: claim.why, incarnation },
      'others took this node for dead: it goes on under a new incarnation',
    );
    notify((listener) => listener.renewed?.(incarnation));
    tellAll({ kind: 'claims', claims: [selfClaim('alive', 'it was taken for dead and is there')], answer: false });
  };

  const accept = (claim: Claim): void => {
    const { id } = claim.node;
    const former = register.get(id)?.incarnation;
    const happenings = register.take(claim, now());
    if (register.get(id)?.incarnation !== former) {
      // What was seen of its former self says nothing of it.
      const { linked, heardMs } = sightingOf(id);
      sightings.set(id, { ...newSighting(now()), linked, heardMs });
    }
    publish(happenings);
  };
  const isHereNow = (id: string): boolean => {
    const member = register.get(id);
    return member !== undefined && isHere(member);
  };

  const takeClaim = (claim: Claim, from: NodeInfo): void => {
    const { id } = claim.node;
    if (id === self.id) {
      clearSelf(claim, from);
      return;
    }
    const known = register.get(id);
    if (!register.isNews(claim)) {
      // It does not know yet that others take it for gone, or that a former self of it went further: it goes on above that.
      if (from.id === id && known && (!isHere(known) || known.incarnation > claim.incarnation))
        tell(id, { kind: 'claims', claims: [register.claimOf(known, now())], answer: false });
      return;
    }
    if (claim.state === 'alive' || from.id === id) {
      accept(claim);
      return;
    }
    const wasHere = isHereNow(id);
    const sighting = sightingOf(id);
    // Whoever lives hears of it, and clears itself.
    if (sighting.linked) tell(id, { kind: 'claims', claims: [claim], answer: false });
    if (wasHere && !rules.believes(ownWord(sighting, false, now()))) {
      counts.disbelieved += 1;
      knock(claim.node, sighting, now());
      return;
    }
    accept(claim);
    if (wasHere) links.drop(id, `others found it gone: ${claim.why}`);
  };

  const takeSights = (sights: readonly Sight[], doubts: boolean, ask: boolean, from: NodeInfo): void => {
    const nowMs = now();
    const mine: Sight[] = [];
    const settled: Claim[] = [];
    for (const sight of sights) {
      const member = register.get(sight.id);
      if (sight.id === self.id || !member) continue;
      if (!isHere(member)) {
        if (register.isGone(sight.id, sight.incarnation)) settled.push(register.claimOf(member, nowMs));
        continue;
      }
      const sighting = sightingOf(sight.id);
      if (sight.incarnation === member.incarnation)
        sighting.reports.set(from.id, { word: toWord(sight, doubts), atMs: nowMs });
      if (!ask) continue;
      const word = ownWord(sighting, !mayAccuse(doubt, nowMs, rules), nowMs);
      mine.push(toSight(sight.id, member.incarnation, word));
      if (sight.refused && !word.linked && !word.refused) knock(member.node, sighting, nowMs);
    }
    if (settled.length > 0) tell(from.id, { kind: 'claims', claims: settled, answer: false });
    if (mine.length > 0)
      tell(from.id, { kind: 'sights', sights: mine, doubts: !mayAccuse(doubt, nowMs, rules), ask: false });
  };

  const knock = (node: NodeInfo, sighting: Sighting, nowMs: number): void => {
    if (nowMs - sighting.knockedMs < pace.knockMs) return;
    sighting.knockedMs = nowMs;
    links.probe(node.id, node.address);
  };

  const receive = (body: unknown, from: NodeInfo): void => {
    const parsed = messageSchema.safeParse(body);
    if (!parsed.success) {
      counts.malformed += 1;
      return;
    }
    if (leaving) return;
    const message = parsed.data;
    switch (message.kind) {
      case 'claims':
        for (const claim of message.claims) takeClaim(claim, from);
        if (message.answer) tell(from.id, { kind: 'claims', claims: allClaims(), answer: false });
        break;
      case 'digest':
        if (message.digest !== register.digest({ id: self.id, incarnation }, now()))
          tell(from.id, { kind: 'claims', claims: allClaims(), answer: true });
        break;
      case 'sights':
        takeSights(message.sights, message.doubts, message.ask, from);
        judgeAll();
        break;
    }
  };

  const judgeAll = (): void => {
    const nowMs = now();
    const fit = mayAccuse(doubt, nowMs, rules);
    const here = register.all().filter(isHere);
    const heard = here.filter(({ node }) => {
      const { linked, heardMs } = sightingOf(node.id);
      return linked && heardMs !== undefined && nowMs - heardMs < pace.suspectMs;
    });
    const questions: Sight[] = [];
    for (const member of here) {
      const { id } = member.node;
      const sighting = sightingOf(id);
      const witnesses = heard
        .filter(({ node }) => node.id !== id)
        .map(({ node }) => ({ id: node.id, name: node.name }));
      const formerly = member.state === 'suspect' ? 'suspect' : 'alive';
      const verdict = judge({ sighting, formerly, witnesses, mayAccuse: fit, nowMs }, rules);
      if (!verdict.wonder) sighting.askingSinceMs = undefined;
      else {
        sighting.askingSinceMs ??= nowMs;
        if (!ownWord(sighting, false, nowMs).refused) knock(member.node, sighting, nowMs);
        if (nowMs - sighting.askedMs >= pace.askMs) {
          sighting.askedMs = nowMs;
          questions.push(toSight(id, member.incarnation, ownWord(sighting, !fit, nowMs)));
        }
      }
      if (verdict.state === 'dead') declare(member, verdict.why);
      else publish(register.mark(id, verdict.state, verdict.why, nowMs));
    }
    if (questions.length > 0) tellAll({ kind: 'sights', sights: questions, doubts: !fit, ask: true });
  };

  const declare = (member: Member, why: string): void => {
    const { node, incarnation: its } = member;
    const claim: Claim = { node, incarnation: its, state: 'dead', why, agoMs: 0 };
    counts.verdicts += 1;
    accept(claim);
    tellAll({ kind: 'claims', claims: [claim], answer: false });
    links.drop(node.id, `it was found dead: ${why}`);
  };

  const compare = (nowMs: number): void => {
    if (nowMs - comparedMs < pace.compareMs) return;
    comparedMs = nowMs;
    const peers = links.peers();
    comparedWith += 1;
    const peer = peers[comparedWith % Math.max(1, peers.length)];
    if (peer) tell(peer.id, { kind: 'digest', digest: register.digest({ id: self.id, incarnation }, nowMs) });
  };

  const tick = clock.every(pace.tickMs, () => {
    const nowMs = now();
    const after = tickDoubt(doubt, nowMs, rules);
    doubt = after.doubt;
    if (after.lateMs > 0) {
      counts.standstills += 1;
      for (const sighting of sightings.values()) excuse(sighting, after.lateMs, nowMs);
    }
    if (leaving) return;
    for (const peer of links.peers()) {
      const heardMs = links.heardMs(peer.id);
      if (heardMs !== undefined) hear(sightingOf(peer.id), heardMs);
    }
    register.forgetOld(nowMs);
    for (const id of sightings.keys()) if (!isHereNow(id) && sightings.get(id)?.linked !== true) sightings.delete(id);
    judgeAll();
    compare(nowMs);
  });

  const stopServing = links.serve(endpoint, receive);
  const stopListening = links.onPeer({
    up: (peer) => {
      const sighting = sightingOf(peer.id);
      sighting.linked = true;
      hear(sighting, now());
      if (!leaving) tell(peer.id, { kind: 'claims', claims: allClaims(), answer: false });
    },
    down: (peer) => {
      const sighting = sightings.get(peer.id);
      if (sighting) sighting.linked = false;
    },
    proved: (peer) => {
      const member = register.get(peer.id);
      if (member && isHere(member)) hear(sightingOf(peer.id), now());
    },
    refused: (nodeId) => {
      const member = register.get(nodeId);
      if (!member || !isHere(member) || leaving) return;
      const sighting = sightingOf(nodeId);
      const isNew = sighting.refusedMs === undefined;
      sighting.refusedMs ??= now();
      // All are asked at once: of a killed process each of them is finding out the same.
      if (isNew) sighting.askedMs = -Infinity;
      judgeAll();
    },
  });

  return {
    self,
    incarnation: () => incarnation,
    members: () => register.all().filter(isHere),
    isGone: (nodeId, its) => (nodeId === self.id ? its < incarnation : register.isGone(nodeId, its)),
    onChange: (listener) => {
      listeners.add(listener);
      for (const { node, incarnation: its } of register.all().filter(isHere)) listener.joined?.(node, its);
      return () => void listeners.delete(listener);
    },
    leave: async () => {
      if (leaving) return;
      leaving = true;
      const farewell: MembershipMessage = {
        ...{ kind: 'claims', claims: [selfClaim('left', 'it said goodbye')], answer: false },
      };
      await Promise.all(
        links.peers().map((peer) => links.ask(peer.id, endpoint, farewell, { deadlineMs: farewellMs })),
      );
    },
    counters: () => {
      const states = { alive: 0, suspect: 0, dead: 0, left: 0 };
      for (const { state } of register.all()) states[state] += 1;
      return { ...states, incarnation, ...counts, unregistered: register.refused };
    },
    close: () => {
      tick.cancel();
      stopServing();
      stopListening();
      listeners.clear();
    },
  };
};
