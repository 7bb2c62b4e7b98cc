/**
 * Who is greeted when. A greeting holds the whole roster, megabytes on a large fleet, and after a restart every tab comes at once: so few
 * are on their way at a time, and those that go together are encoded once. A tab that takes its greeting slowly makes room for others
 * after a while; of such tabs, too, only so many are kept, and the slowest gives way.
 *
 * Invariant: no more than `maxUnderWay + maxSlow` greetings wait in memory to be written.
 */
import type { Clock, Timer } from '@thrum/actors/system/clock';
import type { Counters } from './counters.ts';

export const greetingLimits = {
  /** Greetings not yet taken by the operating system. Raising it greets a rush no sooner, and holds more in memory. */
  maxUnderWay: 8,
  /** After this long a greeting under way counts as slow and holds up nobody any more. */
  slowAfterMs: 2_000,
  /** Slow ones; with 5,000 hosts each holds 4 MB. */
  maxSlow: 32,
} as const;

export type GreetingsParts = {
  clock: Clock;
  counters: Counters;
  /** Runs something in a later turn of the event loop. */
  soon(run: () => void): void;
  /** Sends the greeting of now to these tabs. */
  send(ids: readonly string[]): void;
  /** Closes a tab that takes its greeting too slowly. */
  giveUp(id: string): void;
};

export type Greetings = {
  join(id: string): void;
  /** Its greeting was taken. */
  taken(id: string): void;
  gone(id: string): void;
  waiting(): number;
};

export const createGreetings = (parts: GreetingsParts): Greetings => {
  const { clock, counters } = parts;
  const waiting = new Set<string>();
  const underWay = new Map<string, Timer>();
  /** In the order in which they became slow. */
  const slow = new Set<string>();
  let scheduled = false;

  const schedule = (): void => {
    if (scheduled || waiting.size === 0 || underWay.size >= greetingLimits.maxUnderWay) return;
    scheduled = true;
    parts.soon(round);
  };

  const becomeSlow = (id: string): void => {
    underWay.delete(id);
    slow.add(id);
    counters.add('web_greetings_slow');
    const [slowest] = slow;
    if (slow.size > greetingLimits.maxSlow && slowest !== undefined) {
      slow.delete(slowest);
      counters.add('web_greetings_given_up');
      parts.giveUp(slowest);
    }
    schedule();
  };

  const round = (): void => {
    scheduled = false;
    const ids: string[] = [];
    for (const id of waiting) {
      if (underWay.size >= greetingLimits.maxUnderWay) break;
      waiting.delete(id);
      underWay.set(
        id,
        clock.after(greetingLimits.slowAfterMs, () => becomeSlow(id)),
      );
      ids.push(id);
    }
    if (ids.length > 0) parts.send(ids);
  };

  const gone = (id: string): void => {
    waiting.delete(id);
    slow.delete(id);
    underWay.get(id)?.cancel();
    underWay.delete(id);
    schedule();
  };

  return {
    join: (id) => {
      waiting.add(id);
      schedule();
    },
    taken: (id) => {
      if (!waiting.has(id)) gone(id);
    },
    gone,
    waiting: () => waiting.size,
  };
};
