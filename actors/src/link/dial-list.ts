/**
 * Whom to dial, and when. Pure. Seeds stay for ever; addresses learned from peers stay as long as somebody mentions them (and ten minutes more,
 * so that a mesh torn apart finds itself again). An address is dialled while no link to the node behind it is up.
 */
import { waitMs } from './backoff.ts';

export const dialPace = { minMs: 100, maxMs: 5000 } as const;
const forgottenAfterMs = 10 * 60_000;
/** More than any mesh has nodes: keeps a peer that lies from filling the list. */
const maxAddresses = 500;

type Target = {
  readonly seed: boolean;
  /** The node last met or said to be there. */
  peerId: string | undefined;
  failures: number;
  dueMs: number;
  dialling: boolean;
  mentionedMs: number;
};

export type DialList = {
  learn(address: string, peerId: string, nowMs: number, afterMs: number): void;
  /** The addresses to dial now; they count as being dialled until `met` or `failed`. */
  takeDue(nowMs: number): string[];
  /** When `takeDue` has something again, unless a link goes down before. */
  nextDueMs(): number | undefined;
  met(address: string, peerId: string): void;
  failed(address: string, nowMs: number): void;
  /** The node last met or said to be there. */
  peerAt(address: string): string | undefined;
  /** The address is our own: never again. */
  remove(address: string): void;
  /** The link to a node went down: its addresses are dialled again at once (jittered). */
  lost(peerId: string, nowMs: number): void;
  size(): number;
};

export const createDialList = (options: {
  seeds: readonly string[];
  nowMs: number;
  isLinked: (peerId: string) => boolean;
  random: () => number;
}): DialList => {
  const { isLinked, random } = options;
  const targets = new Map<string, Target>();
  const add = (address: string, seed: boolean, peerId: string | undefined, nowMs: number, dueMs: number): void => {
    if (targets.size >= maxAddresses) return;
    targets.set(address, { seed, peerId, failures: 0, dueMs, dialling: false, mentionedMs: nowMs });
  };
  for (const seed of options.seeds) add(seed, true, undefined, options.nowMs, options.nowMs);

  const wanted = (target: Target): boolean =>
    !target.dialling && !(target.peerId !== undefined && isLinked(target.peerId));

  const forgetOld = (nowMs: number): void => {
    for (const [address, target] of targets)
      if (!target.seed && wanted(target) && nowMs - target.mentionedMs > forgottenAfterMs) targets.delete(address);
  };

  return {
    learn: (address, peerId, nowMs, afterMs) => {
      const known = targets.get(address);
      if (known) {
        known.mentionedMs = nowMs;
        known.peerId = peerId;
        // Somebody reaches it now, so that halves of a mesh that meet again are one soon after their first link.
        known.dueMs = Math.min(known.dueMs, nowMs + Math.max(afterMs, dialPace.minMs));
        return;
      }
      for (const [other, target] of targets) if (!target.seed && target.peerId === peerId) targets.delete(other);
      add(address, false, peerId, nowMs, nowMs + afterMs);
    },
    takeDue: (nowMs) => {
      forgetOld(nowMs);
      const due = [...targets].filter(([, target]) => wanted(target) && target.dueMs <= nowMs);
      for (const [, target] of due) target.dialling = true;
      return due.map(([address]) => address);
    },
    nextDueMs: () => {
      const dues = [...targets.values()].filter(wanted).map((target) => target.dueMs);
      return dues.length > 0 ? Math.min(...dues) : undefined;
    },
    met: (address, peerId) => {
      const target = targets.get(address);
      if (!target) return;
      target.dialling = false;
      target.failures = 0;
      target.peerId = peerId;
    },
    failed: (address, nowMs) => {
      const target = targets.get(address);
      if (!target) return;
      target.dialling = false;
      target.dueMs = nowMs + waitMs(dialPace, target.failures, random());
      target.failures += 1;
    },
    peerAt: (address) => targets.get(address)?.peerId,
    remove: (address) => void targets.delete(address),
    lost: (peerId, nowMs) => {
      for (const target of targets.values()) {
        if (target.peerId !== peerId) continue;
        target.failures = 0;
        target.mentionedMs = nowMs;
        target.dueMs = nowMs + waitMs(dialPace, 0, random());
      }
    },
    size: () => targets.size,
  };
};
