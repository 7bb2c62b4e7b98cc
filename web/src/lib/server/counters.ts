/** What this web node counts about itself: names as `web_<noun>_<past verb>`, whole numbers that only grow. */
export type Counters = {
  add(name: string, by?: number): void;
  /** True the first time this is called for a name, and then once a minute: a hostile peer must not fill the log. */
  worthLogging(name: string, nowMs: number): boolean;
  read(): Record<string, number>;
};

const quietMs = 60_000;

export const createCounters = (): Counters => {
  const counts = new Map<string, number>();
  const loggedAt = new Map<string, number>();
  return {
    add: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
    worthLogging: (name, nowMs) => {
      const last = loggedAt.get(name);
      if (last !== undefined && nowMs - last < quietMs) return false;
      loggedAt.set(name, nowMs);
      return true;
    },
    read: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
};
