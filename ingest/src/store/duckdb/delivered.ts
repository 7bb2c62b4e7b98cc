/**
 * Which batches a store has, by host, epoch and sequence: as ranges, because agents count without holes, so a host that has delivered
 * for a year is one range. Pure; the store keeps the same ranges in a table, written in the transaction that writes the batches.
 */
export type Range = { readonly from: number; readonly to: number };

export type Delivered = {
  has(hostId: string, epoch: number, seq: number): boolean;
  add(hostId: string, epoch: number, range: Range): void;
  rows(): { hostId: string; epoch: number; from: number; to: number }[];
};

/**
 * An honest agent has as many holes as batches in flight. Beyond this the lowest range is forgotten: a resend of it would be stored
 * twice, which is better than taking a batch for stored that never was.
 */
const maxRanges = 1024;

const keyOf = (hostId: string, epoch: number): string => `${hostId}:${epoch}`;

/** Adds a range to sorted, disjoint ranges and joins those that touch. */
export const withRange = (ranges: readonly Range[], added: Range): Range[] => {
  const result: Range[] = [];
  let { from, to } = added;
  let placed = false;
  for (const range of ranges) {
    if (range.to + 1 < from) result.push(range);
    else if (range.from > to + 1) {
      if (!placed) result.push({ from, to });
      placed = true;
      result.push(range);
    } else {
      from = Math.min(from, range.from);
      to = Math.max(to, range.to);
    }
  }
  if (!placed) result.push({ from, to });
  return result.length > maxRanges ? result.slice(1) : result;
};

export const createDelivered = (): Delivered => {
  const known = new Map<string, { hostId: string; epoch: number; ranges: Range[] }>();
  return {
    has: (hostId, epoch, seq) => {
      const ranges = known.get(keyOf(hostId, epoch))?.ranges;
      if (!ranges) return false;
      for (let i = ranges.length - 1; i >= 0; i -= 1) {
        const range = ranges[i];
        if (range && seq >= range.from) return seq <= range.to; // sorted, newest last
      }
      return false;
    },
    add: (hostId, epoch, range) => {
      const key = keyOf(hostId, epoch);
      const found = known.get(key);
      if (found) found.ranges = withRange(found.ranges, range);
      else known.set(key, { hostId, epoch, ranges: [range] });
    },
    rows: () =>
      [...known.values()].flatMap(({ hostId, epoch, ranges }) => ranges.map((range) => ({ hostId, epoch, ...range }))),
  };
};
