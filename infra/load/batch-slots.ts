/**
 * Batches of a fleet, made cheaply: the wire's own code encodes one batch of the right shape; every further one is a copy of its bytes
 * with sequence number, time and values written over (their places are the layout of PROTOCOL.md). The test decodes both ways.
 *
 * A slot belongs to a batch until that is acknowledged, because it may have to be sent again; then it is used for another.
 */
import { batchHeaderBytes, encodeBatch } from '@thrum/actors/wire/batch';
import type { Dictionary } from '@thrum/actors/wire/dictionary';

const seqAt = 16;
const baseTimeAt = 24;

export type Slot = {
  /** What is sent: the whole batch. */
  readonly bytes: Buffer;
  readonly values: Float64Array;
  readonly view: DataView;
};

export class BatchSlots {
  #template: Uint8Array;
  #slots: number;
  #free: Slot[] = [];
  /** Slots ever made: the batches that were on the way at once at most. */
  made = 0;

  constructor(dictionary: Dictionary, epoch: number, source: string) {
    const samples = dictionary.targets.map((target, i) => ({
      target: i,
      fields: target.fields.map(() => source),
      timeMs: 0,
      values: target.metrics.map(() => 1),
    }));
    this.#template = encodeBatch(dictionary, epoch, 0, samples).bytes;
    this.#slots = samples.reduce((sum, sample) => sum + sample.values.length, 0);
  }

  /** `values` are all there and finite, in the order of the dictionary's targets. */
  take(seq: number, timeMs: number, values: Float64Array): Slot {
    const slot = this.#free.pop() ?? this.#make();
    slot.view.setFloat64(seqAt, seq, true);
    slot.view.setFloat64(baseTimeAt, timeMs, true);
    slot.values.set(values);
    return slot;
  }

  give(slot: Slot): void {
    this.#free.push(slot);
  }

  #make(): Slot {
    this.made += 1;
    const buffer = new ArrayBuffer(this.#template.length);
    const bytes = Buffer.from(buffer);
    bytes.set(this.#template);
    return { bytes, values: new Float64Array(buffer, batchHeaderBytes, this.#slots), view: new DataView(buffer) };
  }
}
