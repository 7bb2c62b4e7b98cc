/**
 * Batches on their way to the store, by the host they came from. An agent that connects again sends what was not acknowledged once more; if
 * its first attempt is still under way here, the new connection waits for that one instead of queueing behind all of them a second time
 * (a fleet that came back would be acknowledged nothing until every batch had been written twice). Bounded by the store, which takes no
 * more than it has room for: an entry lives as long as its write.
 */
import type { WriteResult } from '../store/store.ts';

type Write = { readonly epoch: number; readonly seq: number; readonly done: Promise<WriteResult> };

export class UnderWay {
  /** Lists, because there are few of each host: a map by name shows in a profile. */
  #byHost = new Map<string, Write[]>();

  find(hostId: string, epoch: number, seq: number): Promise<WriteResult> | undefined {
    return this.#byHost.get(hostId)?.find((one) => one.seq === seq && one.epoch === epoch)?.done;
  }

  /** Forgotten when the write has ended, however it ends. One of the same name takes the place of the one before. */
  add(hostId: string, epoch: number, seq: number, done: Promise<WriteResult>): void {
    const own = this.#byHost.get(hostId) ?? [];
    this.#byHost.set(hostId, own);
    const write = { epoch, seq, done };
    const before = own.findIndex((one) => one.seq === seq && one.epoch === epoch);
    if (before < 0) own.push(write);
    else own[before] = write;
    const forget = (): void => {
      const at = own.indexOf(write);
      if (at >= 0) own.splice(at, 1);
      if (own.length === 0 && this.#byHost.get(hostId) === own) this.#byHost.delete(hostId);
    };
    done.then(forget, forget);
  }

  get size(): number {
    let size = 0;
    for (const writes of this.#byHost.values()) size += writes.length;
    return size;
  }
}
