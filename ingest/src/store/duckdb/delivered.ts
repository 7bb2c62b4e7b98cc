/**
 * Which batches a store has, by host, epoch and sequence: as ranges, because agents count without holes, so a host that has delivered
 * for a year is one range. Pure and bounded; the store keeps the same ranges in a table, written in the transaction that writes the batches.
 */
export type Range = { readonly from: number; readonly to: number };

export type Delivered = {
  has(hostId: string, epoch: number, seq: number): boolean;
  add(hostId: string, epoch: number, range: Range): void;
  rows(): { hostId: string; epoch: number; from: number; to: number }[];
};

/**
 * An honest agent has as many holes as batches in flight. Beyond this the lowest range is forgotten: a resend of it is a new batch, whose
 * samples are compared with those that are there (only its dead letters are kept a second time). The same holds for the other bounds.
 */
const maxRanges = 1024;
/** Starts of one agent of which something may still come again; the one that got no batch for longest is forgotten first. */
export const maxEpochs = 256;
/** More than a file on one machine serves; the host that sent nothing for longest is forgotten first. */
const maxHosts = 20_000;

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

/** Moves a key to the end of a map, which is the newest; what is the oldest goes when there are too many. */
const touch = <K, V>(map: Map<K, V>, key: K, value: V, max: number): void => {
  map.delete(key);
  map.set(key, value);
  if (map.size > max) for (const oldest of map.keys()) if (map.delete(oldest)) break;
};

export const createDelivered = (): Delivered => {
  const hosts = new Map<string, Map<number, Range[]>>();
  return {
    has: (hostId, epoch, seq) => {
      const ranges = hosts.get(hostId)?.get(epoch);
      if (!ranges) return false;
      for (let i = ranges.length - 1; i >= 0; i -= 1) {
        const range = ranges[i];
        if (range && seq >= range.from) return seq <= range.to; // sorted, newest last
      }
      return false;
    },
    add: (hostId, epoch, range) => {
      const epochs = hosts.get(hostId) ?? new Map<number, Range[]>();
      touch(epochs, epoch, withRange(epochs.get(epoch) ?? [], range), maxEpochs);
      touch(hosts, hostId, epochs, maxHosts);
    },
    rows: () =>
      [...hosts].flatMap(([hostId, epochs]) =>
        [...epochs].flatMap(([epoch, ranges]) => ranges.map((range) => ({ hostId, epoch, ...range }))),
      ),
  };
};
