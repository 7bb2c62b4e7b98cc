/**
 * Acknowledgements waiting to be sent to one agent, put together into ranges per epoch. Pure. Bounded by the batches in flight, of
 * which there are few.
 */
import type { Ack } from '@thrum/actors/wire/ingest-to-agent';
import type { RefusedSamples } from './batch-check.ts';

/** What one message may carry by the wire's schema, with room to spare. */
const maxPerMessage = 2000;

type Done = { readonly seq: number; readonly refused: readonly RefusedSamples[] };

export class Acks {
  #byEpoch = new Map<number, Done[]>();

  get empty(): boolean {
    return this.#byEpoch.size === 0;
  }

  /** Every sample of this batch is stored or refused for good. */
  add(epoch: number, seq: number, refused: readonly RefusedSamples[]): void {
    const list = this.#byEpoch.get(epoch);
    if (list) list.push({ seq, refused });
    else this.#byEpoch.set(epoch, [{ seq, refused }]);
  }

  /** Everything that waited, as messages; nothing waits afterwards. */
  drain(): Ack[] {
    const acks: Ack[] = [];
    for (const [epoch, all] of this.#byEpoch) {
      all.sort((a, b) => a.seq - b.seq);
      for (let from = 0; from < all.length; from += maxPerMessage) {
        const some = all.slice(from, from + maxPerMessage);
        const refused = some
          .flatMap(({ seq, refused: items }) =>
            items.map((item) => ({ seq, ...item, detail: item.detail.slice(0, 500) })),
          )
          .slice(0, maxPerMessage);
        acks.push({ epoch, ranges: rangesOf(some), refused });
      }
    }
    this.#byEpoch.clear();
    return acks;
  }
}

const rangesOf = (sorted: readonly Done[]): [number, number][] => {
  const ranges: [number, number][] = [];
  for (const { seq } of sorted) {
    const last = ranges.at(-1);
    if (last && seq <= last[1] + 1) last[1] = Math.max(last[1], seq);
    else ranges.push([seq, seq]);
  }
  return ranges;
};
