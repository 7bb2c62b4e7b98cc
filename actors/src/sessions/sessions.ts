/**
 * Who is signed in, on every web node alike. A sign-in on one is valid on all within a second, outlives any of them and a restart of all; a
 * sign-out wins over everything that happens at the same time or was not heard of yet. Available, not strict: in a partition a sign-out reaches
 * the other side when it heals, and not before.
 *
 * Guarantees: when `revoke` has resolved it is on this disk and (within a second) confirmed by every linked web node, so none of them accepts the
 * session again, ever. A session this node has not heard of is ended by those that know it, and here when it comes (`unheard.ts`).
 */
import { randomBytes as systemRandomBytes } from 'node:crypto';
import type { Links } from '../link/links.ts';
import type { ActorSystem } from '../system/actor-system.ts';
import { DirectoryInUse, openDirectory } from './disk.ts';
import type { Disk } from './disk.ts';
import { memoryJournal, openJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import { Replica, replicaBounds } from './replica.ts';
import type { Ended, EndReason, Merged } from './replica.ts';
import { startReplication } from './replication.ts';
import type { Taken } from './replication.ts';
import { rules as defaultRules, sessionLimits } from './rules.ts';
import type { SessionRules } from './rules.ts';
import { idOf, isGeneration, isSid, isUser, noEntries, sessionOf, sidBytes } from './session-record.ts';
import type { Entries, Session, SessionRecord, UserGeneration } from './session-record.ts';
import { Unheard } from './unheard.ts';

export type { EndReason } from './replica.ts';
export type { Session } from './session-record.ts';
export { DirectoryInUse } from './disk.ts';

export type Sessions = {
  /**
   * A new session. `sid` goes into the cookie and nowhere else. Resolves when one other web node has it or after 300 ms (at once when alone), and
   * it is on disk. Throws a `SessionsError`: `full` (too many sessions), `user-changed` (the generation has ended already).
   */
  open(options: { user: string; generation: number }): Promise<{ sid: string; session: Session }>;
  /** undefined: unknown, expired or revoked. Counts as use (conflated). */
  check(sid: string): Session | undefined;
  isAlive(id: string): boolean;
  /** Resolves when all linked web nodes have confirmed, or after 1 s; durable here before that. */
  revoke(id: string): Promise<void>;
  /**
   * All sessions of the user with a smaller generation end, everywhere, also ones this node has not heard of yet. Grow-only. Throws a
   * `SessionsError` `full` when there are too many users to remember it; the sessions known here end all the same.
   */
  endBefore(user: string, generation: number): Promise<void>;
  ofUser(user: string): readonly Session[];
  /**
   * Once per session that ends here, however that came about (also by another node). After `idle` alone a session may come back, when a node
   * that was cut off tells of its use.
   */
  onEnd(listener: (session: Session, why: EndReason) => void): () => void;
  digest(): string;
  counters(): Record<string, number>;
  close(): Promise<void>;
};

export type SessionsOptions = {
  links: Links;
  system: ActorSystem;
  /** undefined: memory only. */
  directory: string | undefined;
  /** Instead of the directory, for tests. */
  disk?: Disk;
  randomBytes?: (n: number) => Uint8Array;
  rules?: Partial<SessionRules>;
};

export class SessionsError extends Error {
  readonly code: 'full' | 'user-changed';
  constructor(code: SessionsError['code'], message: string) {
    super(message);
    this.name = 'SessionsError';
    this.code = code;
  }
}

/** A sign-in that no other node has confirmed is answered after this; the next comparison of summaries brings it there. */
const openWithinMs = 300;
const revokeWithinMs = 1_000;
/** Sign-outs of made-up or ended sessions that others are asked about at a time; anybody may send them, and questions to peers are bounded. */
const maxIdleRevokes = 100;
/** How exactly an end by time is noticed when nobody asks for the session. */
const sweepEveryMs = 10_000;

/** Throws `DirectoryInUse` when another process works in the directory; one that cannot be written is said, and memory used instead. */
export const startSessions = async (options: SessionsOptions): Promise<Sessions> => {
  const { links, system, directory } = options;
  const { clock } = system;
  const log = system.log.child({ room: 'sessions' });
  const rules: SessionRules = { ...defaultRules, ...options.rules };
  const randomBytes = options.randomBytes ?? systemRandomBytes;
  const counts = {
    opened: 0,
    openRefused: 0,
    ended: 0,
    forgotten: 0,
    mergedFull: 0,
    mergedStrange: 0,
    listenerFailures: 0,
    revokesNotSpread: 0,
  };
  const listeners = new Set<(session: Session, why: EndReason) => void>();

  const onEnd = ({ session, why }: Ended): void => {
    counts.ended += 1;
    log.info({ session: session.id, user: session.user, why }, 'a session ended');
    for (const listener of [...listeners]) {
      try {
        listener(session, why);
      } catch (error) {
        counts.listenerFailures += 1;
        log.error({ error }, 'a listener for ended sessions failed');
      }
    }
  };
  const replica = new Replica(rules, onEnd);
  const unheard = new Unheard();

  const openDisk = async (): Promise<Disk | undefined> => {
    if (options.disk || directory === undefined) return options.disk;
    try {
      return await openDirectory(directory);
    } catch (error) {
      if (error instanceof DirectoryInUse) throw error;
      log.error(
        { error, directory },
        'Sessions cannot be kept in this directory: they live in memory, and a restart signs everybody out. Give permission or choose another',
      );
      return undefined;
    }
  };
  const start = async (): Promise<{ journal: Journal; entries: Entries; isDurable: boolean }> => {
    const disk = await openDisk();
    if (!disk) return { journal: memoryJournal, entries: noEntries, isDurable: false };
    const state = () => replica.all();
    const opened = await openJournal({ disk, clock, log, state, size: () => replica.size + replica.users });
    return { ...opened, isDurable: true };
  };
  const { journal, entries, isDurable } = await start();
  for (const user of entries.users) replica.mergeUser(user, clock.wallMs());
  for (const session of entries.sessions) replica.merge(session, clock.wallMs(), { own: true });
  if (isDurable) log.info({ sessions: replica.size }, 'sessions read from disk');

  const count = (merged: Merged): number => {
    if (merged === 'full') counts.mergedFull += 1;
    if (merged === 'strange') counts.mergedStrange += 1;
    return merged === 'full' || merged === 'strange' ? 1 : 0;
  };
  /** Merges and keeps. What is written is what is held after the merge. */
  const take = async ({ sessions, users }: Entries): Promise<Taken> => {
    const nowMs = clock.wallMs();
    const changed: (SessionRecord | UserGeneration)[] = [];
    let refused = 0;
    let sync = false;
    for (const user of users) {
      const merged = replica.mergeUser(user, nowMs);
      refused += count(merged);
      if (merged !== 'changed') continue;
      changed.push({ user: user.user, generation: replica.generationOf(user.user) });
      sync = true;
    }
    for (const session of sessions) {
      const before = replica.get(session.id);
      const merged = replica.merge(session, nowMs);
      refused += count(merged);
      const after = replica.get(session.id);
      if (merged !== 'changed' || !after) continue;
      changed.push(after);
      sync ||= before?.revoked !== after.revoked;
    }
    const signedOut = sessions.filter(({ id }) => unheard.take(id));
    if (signedOut.length > 0) void endAll(signedOut);
    await journal.append(changed, { sync });
    return { news: changed.length, refused };
  };

  const revokeWith = { withinMs: revokeWithinMs, isEnough: rules.isAnswered };
  const endAll = async (records: readonly SessionRecord[]): Promise<void> => {
    const revoked = { sessions: records.map((record) => ({ ...record, revoked: true })), users: [] };
    await Promise.all([take(revoked), replication.spread(revoked, revokeWith)]);
  };
  let idleRevokes = 0;
  /** Of a session that is nobody's, or has ended already: only perhaps do others have to hear of it. */
  const revokeIdly = async (spread: () => Promise<void>): Promise<void> => {
    if (idleRevokes >= maxIdleRevokes) {
      counts.revokesNotSpread += 1;
      return;
    }
    idleRevokes += 1;
    try {
      await spread();
    } finally {
      idleRevokes -= 1;
    }
  };
  const replication = startReplication({
    ...{ links, clock, replica, take },
    revoke: async (id) => {
      const record = replica.get(id);
      if (!record) unheard.note(id);
      if (record?.revoked !== false) return false;
      await endAll([record]);
      return true;
    },
    keep: (records) => void journal.append(records, { sync: false }),
  });

  const sweep = clock.every(sweepEveryMs, () => {
    counts.forgotten += replica.sweep(clock.wallMs()).forgotten;
  });

  const refuseOpen = (code: SessionsError['code'], message: string): never => {
    counts.openRefused += 1;
    throw new SessionsError(code, message);
  };
  const checkRoom = (user: string, generation: number): void => {
    if (!isUser(user) || !isGeneration(generation))
      throw new Error(`BUG: no session can be opened for the user "${user.slice(0, 50)}" of generation ${generation}`);
    if (rules.isOutdated(generation, replica.generationOf(user)))
      refuseOpen('user-changed', `The account of ${user} was changed in the meantime: sign in again.`);
    if (replica.size >= replicaBounds.opened)
      refuseOpen('full', `There are ${replica.size} sessions, the most that are kept: wait until some expire.`);
    if (replica.heldOf(user, generation) >= replicaBounds.heldPerUser)
      refuseOpen(
        'full',
        `${user} signed in ${replicaBounds.heldPerUser} times within a month, the most that is kept: a new password makes room.`,
      );
  };

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    sweep.cancel();
    replication.close();
    await journal.close();
  };

  return {
    open: async ({ user, generation }) => {
      checkRoom(user, generation);
      const nowMs = clock.wallMs();
      const sid = Buffer.from(randomBytes(sidBytes)).toString('base64url');
      const expiresMs = nowMs + sessionLimits.lifetimeMs;
      const record = { id: idOf(sid), user, generation, createdMs: nowMs, expiresMs, lastUseMs: nowMs, revoked: false };
      const alive = replica.ofUser(user, nowMs);
      const surplus = alive.slice(0, Math.max(0, alive.length + 1 - replicaBounds.alivePerUser));
      // Where the word of the user's change was lost with the node that had it, this sign-in is the word.
      const users = generation > replica.generationOf(user) ? [{ user, generation }] : [];
      const news = { sessions: [record, ...surplus.map((one) => ({ ...one, revoked: true }))], users };
      counts.opened += 1;
      await Promise.all([take(news), replication.spread(news, { withinMs: openWithinMs, isEnough: rules.isOpened })]);
      return { sid, session: sessionOf(record) };
    },
    check: (sid) => {
      if (!isSid(sid)) return undefined;
      const nowMs = clock.wallMs();
      const session = replica.alive(idOf(sid), nowMs);
      const news = session && replica.use(session.id, nowMs);
      if (news) replication.used(news);
      return session;
    },
    isAlive: (id) => replica.alive(id, clock.wallMs()) !== undefined,
    revoke: async (id) => {
      if (!isSid(id)) return;
      const record = replica.get(id);
      if (record?.revoked === false) return endAll([record]);
      if (!record) unheard.note(id);
      await revokeIdly(() => (record ? endAll([record]) : replication.spreadRevoke(id, revokeWith)));
    },
    endBefore: async (user, generation) => {
      if (!isUser(user) || !isGeneration(generation))
        throw new Error(`BUG: the generation ${generation} of the user "${user.slice(0, 50)}" cannot be kept`);
      // Each by itself as well: so they are dead also where the user's generation finds no room.
      const outdated = replica
        .ofUser(user, clock.wallMs())
        .filter((one) => rules.isOutdated(one.generation, generation));
      const users = [{ user, generation }];
      const taken = await take({ sessions: [], users });
      if (taken.refused > 0) {
        await endAll(outdated);
        throw new SessionsError('full', `Changes of more than ${replicaBounds.users} users cannot be remembered.`);
      }
      await replication.spread({ sessions: [], users }, revokeWith);
    },
    ofUser: (user) => replica.ofUser(user, clock.wallMs()).map(sessionOf),
    onEnd: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    digest: () => replica.digest.text(),
    counters: () => ({
      ...counts,
      ...replication.counters(),
      ...journal.counters(),
      unheard: unheard.size,
      unheardGivenUp: unheard.givenUp,
      held: replica.size,
      users: replica.users,
      durable: isDurable ? 1 : 0,
    }),
    close: () => (closing ??= close()),
  };
};
