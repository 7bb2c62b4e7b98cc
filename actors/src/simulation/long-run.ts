/**
 * Thousands of hours of a mesh on a lossy network, to count false deaths: the judgement of membership as it is, over a model of what TCP makes of
 * lost packets. The model is harder than the truth: one lost packet holds up all behind it, each is tried again after 200, 400, 800 ms and so on
 * (real stacks often notice sooner), an idle link carries nothing but heartbeats, and whoever loses a link dials like a stranger. Nobody ever
 * dies in it, so every verdict is false. A seed repeats a run exactly.
 */
import { liveness } from '../link/liveness.ts';
import { judge } from '../membership/judgement.ts';
import { pace, rules as soundRules } from '../membership/rules.ts';
import type { MembershipRules, Word } from '../membership/rules.ts';
import { hear, newSighting, ownWord } from '../membership/sightings.ts';
import type { Sighting } from '../membership/sightings.ts';
import { seededRandom } from '../testing/random.ts';

export type LongRunOptions = {
  readonly seed: number;
  readonly hours: number;
  readonly nodes: number;
  /** 0 to 1, of every packet. */
  readonly lossRate: number;
  readonly rules?: Partial<MembershipRules>;
};

export type LongRun = {
  readonly falseDeaths: number;
  readonly suspicions: number;
  readonly linksLost: number;
  readonly probes: number;
};

const hourMs = 3_600_000;
const rtoMs = 200;
const synRtoMs = 1000;
const longestRtoMs = 120_000;
const dialLimitMs = 3000;
const redialMs = { least: 100, most: 5000 } as const;
/** Upgrade, its answer, hello, challenge: then the dialler knows who is there. */
const proofPackets = 4;

type Parcel =
  | { readonly kind: 'beat' }
  | { readonly kind: 'question'; readonly about: number }
  | { readonly kind: 'answer'; readonly about: number; readonly word: Word };
/** `heardMs`: when its receiver last read something. */
type Way = { queue: { atMs: number; parcel: Parcel }[]; freeMs: number; nextBeatMs: number; heardMs: number };

export const longRun = (options: LongRunOptions): LongRun => {
  const { nodes, lossRate } = options;
  const rules: MembershipRules = { ...soundRules, ...options.rules };
  const random = seededRandom(options.seed);
  const figures = { falseDeaths: 0, suspicions: 0, linksLost: 0, probes: 0 };

  const stallMs = (firstMs: number): number => {
    let ms = 0;
    for (let waitMs = firstMs; random() < lossRate; waitMs = Math.min(longestRtoMs, waitMs * 2)) ms += waitMs;
    return ms;
  };
  /** How long a stranger takes to prove itself over a new connection, or undefined when that takes too long. */
  const proofMs = (): number | undefined => {
    let ms = 0;
    // Both ways have to work at one try.
    for (let waitMs = synRtoMs; random() < 1 - (1 - lossRate) ** 2; waitMs *= 2) ms += waitMs;
    if (ms > dialLimitMs) return undefined;
    for (let packet = 0; packet < proofPackets; packet += 1) ms += stallMs(rtoMs);
    return ms <= dialLimitMs ? ms : undefined;
  };

  const index = (by: number, of: number): number => by * nodes + of;
  const pairs = nodes * nodes;
  const ways: Way[] = Array.from({ length: pairs }, () => ({
    ...{ queue: [], freeMs: 0, heardMs: 0 },
    nextBeatMs: random() * liveness.beatMs,
  }));
  const sightings: Sighting[] = Array.from({ length: pairs }, () => newSighting(0));
  const suspects = new Set<number>();
  /** When the link of a pair is up again, by `index(smaller, larger)`. */
  const downUntil = new Map<number, number>();
  const proofs: { atMs: number; by: number; of: number }[] = [];

  const wayOf = (from: number, to: number): Way => ways[index(from, to)] ?? impossible();
  const sightingOf = (by: number, of: number): Sighting => sightings[index(by, of)] ?? impossible();
  const pairOf = (one: number, other: number): number => index(Math.min(one, other), Math.max(one, other));
  const send = (from: number, to: number, parcel: Parcel, nowMs: number): void => {
    if (downUntil.has(pairOf(from, to))) return;
    const way = wayOf(from, to);
    way.freeMs = Math.max(nowMs, way.freeMs) + stallMs(rtoMs);
    way.queue.push({ atMs: way.freeMs, parcel });
  };
  const setLinked = (one: number, other: number, linked: boolean, nowMs: number): void => {
    for (const [by, of] of [
      [one, other],
      [other, one],
    ] as const) {
      const sighting = sightingOf(by, of);
      sighting.linked = linked;
      if (linked) hear(sighting, nowMs);
      Object.assign(wayOf(by, of), {
        ...{ queue: [], freeMs: nowMs, heardMs: nowMs },
        nextBeatMs: nowMs + random() * liveness.beatMs,
      });
    }
  };
  const lose = (one: number, other: number, nowMs: number): void => {
    figures.linksLost += 1;
    setLinked(one, other, false, nowMs);
    let upMs = nowMs;
    for (let waitMs: number = redialMs.least; ; waitMs = Math.min(redialMs.most, waitMs * 2)) {
      upMs += waitMs;
      const tookMs = proofMs();
      if (tookMs !== undefined) {
        downUntil.set(pairOf(one, other), upMs + tookMs);
        return;
      }
      upMs += dialLimitMs;
    }
  };
  const arrive = (from: number, to: number, parcel: Parcel, atMs: number): void => {
    wayOf(from, to).heardMs = atMs;
    hear(sightingOf(to, from), atMs);
    if (parcel.kind === 'question') {
      const word = ownWord(sightingOf(to, parcel.about), false, atMs);
      send(to, from, { kind: 'answer', about: parcel.about, word }, atMs);
    } else if (parcel.kind === 'answer')
      sightingOf(to, parcel.about).reports.set(String(from), { word: parcel.word, atMs });
  };

  const judgePair = (by: number, of: number, nowMs: number): void => {
    const sighting = sightingOf(by, of);
    const key = index(by, of);
    if (nowMs - sighting.silentSinceMs < pace.wonderMs && !suspects.has(key)) return;
    const witnesses = [];
    for (let other = 0; other < nodes; other += 1) {
      const { linked, heardMs } = sightingOf(by, other);
      if (other !== by && other !== of && linked && heardMs !== undefined && nowMs - heardMs < pace.suspectMs)
        witnesses.push({ id: String(other), name: String(other) });
    }
    const formerly = suspects.has(key) ? 'suspect' : 'alive';
    const verdict = judge({ sighting, formerly, witnesses, mayAccuse: true, nowMs }, rules);
    if (!verdict.wonder) sighting.askingSinceMs = undefined;
    else {
      sighting.askingSinceMs ??= nowMs;
      if (nowMs - sighting.knockedMs >= pace.knockMs) {
        sighting.knockedMs = nowMs;
        figures.probes += 1;
        const tookMs = proofMs();
        if (tookMs !== undefined) proofs.push({ atMs: nowMs + tookMs, by, of });
      }
      if (nowMs - sighting.askedMs >= pace.askMs) {
        sighting.askedMs = nowMs;
        for (const { id } of witnesses) send(by, Number(id), { kind: 'question', about: of }, nowMs);
      }
    }
    if (verdict.state === 'suspect' && formerly === 'alive') figures.suspicions += 1;
    if (verdict.state === 'suspect') suspects.add(key);
    else suspects.delete(key);
    if (verdict.state !== 'dead') return;
    figures.falseDeaths += 1;
    sightings[key] = { ...newSighting(nowMs), linked: sighting.linked, heardMs: sighting.heardMs };
  };

  const tick = (nowMs: number): void => {
    for (const [pair, upMs] of downUntil)
      if (upMs <= nowMs) {
        downUntil.delete(pair);
        setLinked(Math.floor(pair / nodes), pair % nodes, true, nowMs);
      }
    for (let at = proofs.length - 1; at >= 0; at -= 1) {
      const proof = proofs[at];
      if (!proof || proof.atMs > nowMs) continue;
      hear(sightingOf(proof.by, proof.of), proof.atMs);
      hear(sightingOf(proof.of, proof.by), proof.atMs);
      proofs.splice(at, 1);
    }
    for (let from = 0; from < nodes; from += 1)
      for (let to = 0; to < nodes; to += 1) {
        if (from === to) continue;
        const way = wayOf(from, to);
        while (way.nextBeatMs <= nowMs) {
          send(from, to, { kind: 'beat' }, way.nextBeatMs);
          way.nextBeatMs += liveness.beatMs;
        }
        while (way.queue[0] && way.queue[0].atMs <= nowMs) {
          const next = way.queue.shift();
          if (next) arrive(from, to, next.parcel, next.atMs);
        }
      }
    for (let by = 0; by < nodes; by += 1)
      for (let of = 0; of < nodes; of += 1) {
        if (by === of) continue;
        if (sightingOf(by, of).linked && nowMs - wayOf(of, by).heardMs >= liveness.silentMs) lose(by, of, nowMs);
        judgePair(by, of, nowMs);
      }
  };

  for (let one = 0; one < nodes; one += 1)
    for (let other = one + 1; other < nodes; other += 1) setLinked(one, other, true, 0);
  for (let nowMs = 0; nowMs < options.hours * hourMs; nowMs += pace.tickMs) tick(nowMs);
  return figures;
};

const impossible = (): never => {
  throw new Error('BUG: a node that is not in the mesh');
};
