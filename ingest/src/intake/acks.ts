/**
 * Acknowledgements waiting to be sent to one agent, put together into ranges per epoch. Pure. Bounded by the batches in flight, of
 * which there are few.
 */
import type { Ack } from '@thrum/actors/wire/ingest-to-agent';
import type { RefusedSamples } from './batch-check.ts';
import { rules, type IntakeRules } from './rules.ts';

/** What one message may carry by the wire's schema, with room to spare. */
const maxPerMessage = 2000;

type Done = { readonly seq: number; readonly refused: readonly RefusedSamples[] };

export class Acks {
  #byEpoch = new Map<number, Done[]>();
  #rules: Pick<IntakeRules, 'acksExactly'>;

  constructor(own: Pick<IntakeRules, 'acksExactly'> = rules) {
    this.#rules = own;
  }

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
        acks.push({ epoch, ranges: this.#rules.acksExactly(some.map(({ seq }) => seq)), refused });
      }
    }
    this.#byEpoch.clear();
    return acks;
  }
}
