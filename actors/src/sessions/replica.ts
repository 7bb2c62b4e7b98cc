/**
 * This node's copy of all sessions: what it holds of each, who is alive, and how a record from elsewhere is merged. Pure but for its own state;
 * time comes with each call. Invariants
 * - merging is commutative, associative and idempotent: copies that have seen the same records are equal, in whatever order they came;
 * - a session that is revoked, expired or outdated here stays so; only an idle one may wake, when another node tells that it was used;
 * - bounded: sessions (ended ones included, for they must be remembered), users, and sessions of one user.
 */
import { Digest, bucketCount, isUserBucket, recordHash, sessionBucket, userBucket } from './digest.ts';
import type { BucketHash } from './digest.ts';
import type { SessionRules } from './rules.ts';
import { packSession, packUser, sessionOf } from './session-record.ts';
import type { Entries, Session, SessionRecord, UserGeneration } from './session-record.ts';

export type EndReason = 'signed-out' | 'expired' | 'idle' | 'user-changed';
export type Ended = { readonly session: Session; readonly why: EndReason };
/** changed: others may not know it. old: it has ended for everybody and was forgotten. full, strange: refused and counted. */
export type Merged = 'changed' | 'same' | 'old' | 'full' | 'strange';

export type ReplicaBounds = Readonly<Record<'alivePerUser' | 'heldPerUser' | 'opened' | 'held' | 'users', number>>;

export const replicaBounds: ReplicaBounds = {
  /** Alive at a time: beyond it the oldest is signed out. A person has a dozen browsers, a script that signs in each time has more. */
  alivePerUser: 100,
  /** Held of one user and password, ended ones included; beyond it he is refused until some are forgotten, and nobody else pays for it. */
  heldPerUser: 5_000,
  /** Beyond it nobody new is signed in. About 400 bytes each. */
  opened: 50_000,
  /** What is taken from others: both sides of a partition may have opened all they may. */
  held: 100_000,
  users: 10_000,
};

type Held = { record: SessionRecord; usedMs: number; hash: BucketHash; ended: boolean };
type HeldUser = { generation: number; hash: BucketHash };
/** Where a walk through buckets goes on. */
export type Place = readonly [bucket: number, key: string];

const noHash: BucketHash = [0, 0];

/** Two records of one id with other fields: nobody honest made them, so that neither is valid; the choice is the same everywhere. */
const isSameSession = (one: SessionRecord, other: SessionRecord): boolean =>
  one.user === other.user && one.generation === other.generation && one.createdMs === other.createdMs;
const firstOf = (one: SessionRecord, other: SessionRecord): SessionRecord =>
  JSON.stringify([one.user, one.generation, one.createdMs]) <
  JSON.stringify([other.user, other.generation, other.createdMs])
    ? one
    : other;

export class Replica {
  readonly #rules: SessionRules;
  readonly #bounds: ReplicaBounds;
  readonly #sessions = new Map<string, Held>();
  readonly #byUser = new Map<string, Set<string>>();
  readonly #users = new Map<string, HeldUser>();
  readonly #buckets = Array.from({ length: bucketCount }, () => new Set<string>());
  readonly #digest = new Digest();
  readonly #onEnd: (ended: Ended) => void;

  /** `onEnd` is called once for each session that was alive here and is no more. */
  constructor(rules: SessionRules, onEnd: (ended: Ended) => void, bounds: ReplicaBounds = replicaBounds) {
    this.#rules = rules;
    this.#bounds = bounds;
    this.#onEnd = onEnd;
  }

  get size(): number {
    return this.#sessions.size;
  }
  get users(): number {
    return this.#users.size;
  }
  get digest(): Digest {
    return this.#digest;
  }
  get(id: string): SessionRecord | undefined {
    return this.#sessions.get(id)?.record;
  }
  generationOf(user: string): number {
    return this.#users.get(user)?.generation ?? 0;
  }
  /** How many are held of a user, from a generation on: a new password makes room, or nobody could help who has none left. */
  heldOf(user: string, generation = 0): number {
    let held = 0;
    for (const id of this.#byUser.get(user) ?? [])
      if ((this.#sessions.get(id)?.record.generation ?? 0) >= generation) held += 1;
    return held;
  }

  /** Alive ones, oldest first. */
  ofUser(user: string, nowMs: number): SessionRecord[] {
    return [...(this.#byUser.get(user) ?? [])]
      .flatMap((id) => this.#sessions.get(id) ?? [])
      .filter((held) => this.#whyDead(held, nowMs) === undefined)
      .map((held) => held.record)
      .sort((one, other) => one.createdMs - other.createdMs || (one.id < other.id ? -1 : 1));
  }

  /** undefined when there is none or it is dead; tells of an end that nobody noticed before. */
  alive(id: string, nowMs: number): Session | undefined {
    const held = this.#sessions.get(id);
    if (!held) return undefined;
    this.#judge(held, nowMs);
    return held.ended ? undefined : sessionOf(held.record);
  }

  /** Notes that it is used now. The record as others shall hear of it, or undefined when they need not. */
  use(id: string, nowMs: number): SessionRecord | undefined {
    const held = this.#sessions.get(id);
    if (!held) return undefined;
    held.usedMs = Math.max(held.usedMs, Math.min(nowMs, held.record.expiresMs));
    if (this.#rules.isUseTold(held.record.lastUseMs, held.usedMs)) return undefined;
    const expiresMs = this.#rules.expiryAfterUse(held.record.expiresMs, nowMs);
    this.#set(held, { ...held.record, lastUseMs: held.usedMs, expiresMs });
    return held.record;
  }

  /** `own`: read from this node's disk, which may be believed even while this node's clock is wrong. */
  merge(record: SessionRecord, nowMs: number, options: { own?: boolean } = {}): Merged {
    const held = this.#sessions.get(record.id);
    if (held) {
      const merged = this.#merged(held.record, record);
      if (JSON.stringify(packSession(merged)) === JSON.stringify(packSession(held.record))) return 'same';
      this.#set(held, merged);
      held.usedMs = Math.max(held.usedMs, merged.lastUseMs);
      this.#judge(held, nowMs);
      return 'changed';
    }
    const isWelcome = options.own === true ? !this.#rules.mayForget(record, nowMs) : this.#rules.accepts(record, nowMs);
    if (!isWelcome) return this.#rules.mayForget(record, nowMs) ? 'old' : 'strange';
    if (this.#sessions.size >= this.#bounds.held) return 'full';
    this.#add(record, nowMs);
    return 'changed';
  }

  mergeUser({ user, generation }: UserGeneration, nowMs: number): Merged {
    const held = this.#users.get(user);
    const merged = held ? this.#rules.mergeGeneration(held.generation, generation) : generation;
    if (merged === held?.generation) return 'same';
    if (!held && this.#users.size >= this.#bounds.users) return 'full';
    const bucket = userBucket(user);
    const hash = recordHash(packUser({ user, generation: merged }));
    this.#digest.toggle(bucket, held?.hash ?? noHash);
    this.#digest.toggle(bucket, hash);
    this.#buckets[bucket]?.add(user);
    this.#users.set(user, { generation: merged, hash });
    for (const id of this.#byUser.get(user) ?? []) this.alive(id, nowMs);
    return 'changed';
  }

  /** Notices what ended by time, and forgets what may be forgotten. */
  sweep(nowMs: number): { forgotten: number } {
    let forgotten = 0;
    for (const held of this.#sessions.values()) {
      this.#judge(held, nowMs);
      if (!this.#rules.mayForget(held.record, nowMs)) continue;
      this.#remove(held);
      forgotten += 1;
    }
    return { forgotten };
  }

  /** Up to `max` records of these buckets behind `after`, and where to go on; `next` undefined: that was all. */
  part(
    buckets: readonly number[],
    after: Place | undefined,
    max: number,
  ): { entries: Entries; next: Place | undefined } {
    const sessions: SessionRecord[] = [];
    const users: UserGeneration[] = [];
    let last: Place | undefined;
    for (const bucket of [...buckets].sort((one, other) => one - other)) {
      if (after && bucket < after[0]) continue;
      for (const key of [...(this.#buckets[bucket] ?? [])].sort()) {
        if (after && bucket === after[0] && key <= after[1]) continue;
        if (sessions.length + users.length >= max) return { entries: { sessions, users }, next: last };
        const record = isUserBucket(bucket) ? undefined : this.#sessions.get(key)?.record;
        if (record) sessions.push(record);
        else users.push({ user: key, generation: this.generationOf(key) });
        last = [bucket, key];
      }
    }
    return { entries: { sessions, users }, next: undefined };
  }

  *all(): Generator<SessionRecord | UserGeneration> {
    for (const [user, { generation }] of this.#users) yield { user, generation };
    for (const { record } of this.#sessions.values()) yield record;
  }

  #merged(one: SessionRecord, other: SessionRecord): SessionRecord {
    const isSame = isSameSession(one, other);
    const expiresMs = this.#rules.mergeExpiry(one.expiresMs, other.expiresMs);
    return {
      ...(isSame ? one : firstOf(one, other)),
      revoked: this.#rules.mergeRevoked(one.revoked, other.revoked) || !isSame,
      expiresMs,
      lastUseMs: Math.min(this.#rules.mergeUse(one.lastUseMs, other.lastUseMs), expiresMs),
    };
  }

  #whyDead({ record, usedMs }: Held, nowMs: number): EndReason | undefined {
    if (record.revoked) return 'signed-out';
    if (this.#rules.isOutdated(record.generation, this.generationOf(record.user))) return 'user-changed';
    if (this.#rules.isExpired(record.expiresMs, nowMs)) return 'expired';
    return this.#rules.isIdle(usedMs, nowMs) ? 'idle' : undefined;
  }

  #judge(held: Held, nowMs: number): void {
    const why = this.#whyDead(held, nowMs);
    const isNews = why !== undefined && !held.ended;
    held.ended = why !== undefined;
    if (isNews) this.#onEnd({ session: sessionOf(held.record), why });
  }

  #add(record: SessionRecord, nowMs: number): void {
    const held: Held = { record, usedMs: record.lastUseMs, hash: noHash, ended: false };
    held.ended = this.#whyDead(held, nowMs) !== undefined;
    this.#sessions.set(record.id, held);
    this.#buckets[sessionBucket(record.id)]?.add(record.id);
    this.#index(record);
    this.#set(held, record);
  }

  #index({ user, id }: SessionRecord): void {
    const ids = this.#byUser.get(user) ?? new Set();
    this.#byUser.set(user, ids.add(id));
  }

  #unindex({ user, id }: SessionRecord): void {
    const ids = this.#byUser.get(user);
    ids?.delete(id);
    if (ids?.size === 0) this.#byUser.delete(user);
  }

  #set(held: Held, record: SessionRecord): void {
    if (record.user !== held.record.user) {
      this.#unindex(held.record);
      this.#index(record);
    }
    const bucket = sessionBucket(record.id);
    this.#digest.toggle(bucket, held.hash);
    held.record = record;
    held.hash = recordHash(packSession(record));
    this.#digest.toggle(bucket, held.hash);
  }

  #remove(held: Held): void {
    const { id } = held.record;
    const bucket = sessionBucket(id);
    this.#digest.toggle(bucket, held.hash);
    this.#buckets[bucket]?.delete(id);
    this.#unindex(held.record);
    this.#sessions.delete(id);
  }
}
