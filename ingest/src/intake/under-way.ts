/**
 * Batches on their way to the store, by the host they came from. An agent that connects again sends what was not acknowledged once more; if
 * its first attempt is still under way here, the new connection waits for that one instead of queueing behind all of them a second time
 * (a fleet that came back would be acknowledged nothing until every batch had been written twice). Bounded by the store, which takes no
 * more than it has room for: an entry lives as long as its write.
 */
import type { WriteResult } from '../store/store.ts';

type Writes = Map<string, Promise<WriteResult>>;

const keyOf = (epoch: number, seq: number): string => `${epoch}:${seq}`;

export class UnderWay {
  #byHost = new Map<string, Writes>();

  find(hostId: string, epoch: number, seq: number): Promise<WriteResult> | undefined {
    return this.#byHost.get(hostId)?.get(keyOf(epoch, seq));
  }

  /** Forgotten when the write has ended, however it ends. */
  add(hostId: string, epoch: number, seq: number, done: Promise<WriteResult>): void {
    const own: Writes = this.#byHost.get(hostId) ?? new Map<string, Promise<WriteResult>>();
    const key = keyOf(epoch, seq);
    this.#byHost.set(hostId, own);
    own.set(key, done);
    const forget = (): void => {
      if (own.get(key) === done) own.delete(key);
      if (own.size === 0 && this.#byHost.get(hostId) === own) this.#byHost.delete(hostId);
    };
    done.then(forget, forget);
  }

  get size(): number {
    let size = 0;
    for (const writes of this.#byHost.values()) size += writes.size;
    return size;
  }
}
