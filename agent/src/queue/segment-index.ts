/** Where the records of one segment stand: columns in order of their sequence numbers, 28 bytes per record. Grows by doubling. */
export type SegmentIndex = {
  count: number;
  seqs: Float64Array<ArrayBuffer>;
  timesMs: Float64Array<ArrayBuffer>;
  offsets: Uint32Array<ArrayBuffer>;
  payloadBytes: Uint32Array<ArrayBuffer>;
  samples: Uint32Array<ArrayBuffer>;
};

export const newIndex = (room = 256): SegmentIndex => ({
  count: 0,
  seqs: new Float64Array(room),
  timesMs: new Float64Array(room),
  offsets: new Uint32Array(room),
  payloadBytes: new Uint32Array(room),
  samples: new Uint32Array(room),
});

const larger = <T extends Float64Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>(old: T, into: T): T => {
  into.set(old);
  return into;
};

export const addToIndex = (
  index: SegmentIndex,
  seq: number,
  timeMs: number,
  offset: number,
  payloadBytes: number,
  samples: number,
): void => {
  const at = index.count;
  if (at === index.seqs.length) {
    const room = at * 2;
    index.seqs = larger(index.seqs, new Float64Array(room));
    index.timesMs = larger(index.timesMs, new Float64Array(room));
    index.offsets = larger(index.offsets, new Uint32Array(room));
    index.payloadBytes = larger(index.payloadBytes, new Uint32Array(room));
    index.samples = larger(index.samples, new Uint32Array(room));
  }
  index.seqs[at] = seq;
  index.timesMs[at] = timeMs;
  index.offsets[at] = offset;
  index.payloadBytes[at] = payloadBytes;
  index.samples[at] = samples;
  index.count = at + 1;
};

/** The place of the first record whose sequence number is at least this; `count` when there is none. */
export const firstFrom = (index: SegmentIndex, seq: number): number => {
  let low = 0;
  let high = index.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((index.seqs[middle] ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
};
