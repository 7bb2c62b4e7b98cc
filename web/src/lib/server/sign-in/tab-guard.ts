/**
 * Tabs and the sessions they stand on: a tab is closed as soon as its session ends, however and wherever that came about, and all are looked at
 * again every few seconds, in case an end was missed. A tab that is open uses its session: a wall display never falls idle.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Sessions } from '@thrum/actors/sessions/sessions';
import type { Clock } from '@thrum/actors/system/clock';
import { visitorOf, type Visitor } from './visitor.ts';

export const tabGuardLimits = {
  lookEveryMs: 5_000,
  /** Noting a use costs a hash for each tab; sessions fall idle after days. */
  useEveryMs: 60_000,
} as const;

/** What the sockets need of sign-in. */
export type Access = {
  visitor(headers: IncomingHttpHeaders): Visitor | undefined;
  isAlive(sessionId: string): boolean;
  onEnd(listener: (sessionId: string) => void): () => void;
};

export const createAccess = (
  sessions: Pick<Sessions, 'check' | 'isAlive' | 'onEnd'>,
  origins: ReadonlySet<string>,
): Access => ({
  visitor: (headers) => visitorOf(headers, origins, sessions),
  isAlive: (id) => sessions.isAlive(id),
  onEnd: (listener) => sessions.onEnd((session) => listener(session.id)),
});

export type TabGuard = {
  /** False when the session has ended meanwhile: the tab is not to be served. */
  join(tab: string, visitor: Visitor): boolean;
  isIn(tab: string): boolean;
  gone(tab: string): void;
  close(): void;
};

/** `end` is called once for a tab whose session has ended. */
export const createTabGuard = (access: Access, clock: Clock, end: (tab: string) => void): TabGuard => {
  const tabs = new Map<string, Visitor>();
  const bySession = new Map<string, Set<string>>();
  let usedMs = clock.monotonicMs();

  const gone = (tab: string): void => {
    const visitor = tabs.get(tab);
    if (!visitor) return;
    tabs.delete(tab);
    const others = bySession.get(visitor.session.id);
    others?.delete(tab);
    if (others?.size === 0) bySession.delete(visitor.session.id);
  };
  const endAll = (sessionId: string): void => {
    for (const tab of [...(bySession.get(sessionId) ?? [])]) {
      gone(tab);
      end(tab);
    }
  };

  const stopListening = access.onEnd(endAll);
  const look = clock.every(tabGuardLimits.lookEveryMs, () => {
    const nowMs = clock.monotonicMs();
    const notesUse = nowMs - usedMs >= tabGuardLimits.useEveryMs;
    if (notesUse) usedMs = nowMs;
    for (const [sessionId, of] of [...bySession]) {
      const [first] = of;
      const visitor = first === undefined ? undefined : tabs.get(first);
      const isIn = notesUse && visitor ? visitor.isStillIn() : access.isAlive(sessionId);
      if (!isIn) endAll(sessionId);
    }
  });

  return {
    join: (tab, visitor) => {
      const { id } = visitor.session;
      if (!access.isAlive(id)) return false;
      tabs.set(tab, visitor);
      bySession.set(id, (bySession.get(id) ?? new Set()).add(tab));
      return true;
    },
    isIn: (tab) => {
      const visitor = tabs.get(tab);
      return visitor !== undefined && access.isAlive(visitor.session.id);
    },
    gone,
    close: () => {
      stopListening();
      look.cancel();
    },
  };
};
