/** What time it is by the clock of the server that answers. Who may not ask it that (it wants the privilege `monitor`) is not told. */
import type { Ask } from './client.ts';

export const timeQuestion: Pick<Ask, 'method' | 'path' | 'query'> = {
  method: 'GET',
  path: '/_nodes/_local/stats/os',
  query: { filter_path: 'nodes.*.timestamp' },
};

/** Milliseconds; `undefined` when it is not in the answer. */
export const serverTimeMs = (body: unknown): number | undefined => {
  const { nodes } = (body ?? {}) as { nodes?: unknown };
  const [first] = Object.values(nodes ?? {}) as ({ readonly timestamp?: unknown } | null)[];
  return typeof first?.timestamp === 'number' ? first.timestamp : undefined;
};
