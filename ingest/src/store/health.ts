/** Whether a store answers, since when, and who wants to know. Says each change once, however often it is confirmed. */
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import type { StoreHealth } from './store.ts';

export type Health = {
  now(): StoreHealth;
  on(listener: (health: StoreHealth) => void): () => void;
  /** The store answered. */
  up(detail: string): void;
  /** The store did not answer: `away`, or still `starting` when it never did. */
  down(detail: string): void;
};

export const createHealth = (clock: Clock, log: Log, name: string): Health => {
  let health: StoreHealth = { state: 'starting', sinceMs: clock.wallMs(), detail: '' };
  let said = false;
  const listeners = new Set<(health: StoreHealth) => void>();
  const change = (next: StoreHealth): void => {
    health = next;
    for (const listener of listeners) listener(next);
  };
  return {
    now: () => health,
    on: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    up: (detail) => {
      if (health.state === 'ready') return;
      const waitedMs = clock.wallMs() - health.sinceMs;
      log.info({ waitedMs }, `the store answers: ${name}`);
      said = false;
      change({ state: 'ready', sinceMs: clock.wallMs(), detail });
    },
    down: (detail) => {
      const state = health.state === 'starting' ? 'starting' : 'away';
      if (!said)
        log.warn({ detail }, `the store does not answer, trying on: ${name}; live values go on, agents keep the rest`);
      said = true;
      if (health.state !== state) change({ state, sinceMs: clock.wallMs(), detail });
      else health = { ...health, detail };
    },
  };
};
