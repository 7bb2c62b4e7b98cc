/** What becomes of records that are not on disk: released, settled, lost. The account and the gaps follow. */
import { isWithin, type LossReason, type Position, type RefusedOf, type SeqRange } from './queue.ts';
import type { QueueRules } from './rules.ts';
import type { Shelf } from './shelf.ts';
import { bytesOf, type Tail, type Waiting } from './tail.ts';

export type InMemory = {
  /** Its append is done: it may be sent. */
  release(one: Waiting): void;
  /** Not queued any more, and nothing said of it. */
  takeOut(one: Waiting): void;
  settle(one: Waiting, refused: number): void;
  /** It is not in the tail any more. */
  lose(one: Waiting): void;
  /** False when it is not here, or is being written. */
  giveUp(at: Position, reason: LossReason): boolean;
  /** It is here, and nobody was told yet that it may be sent. */
  isUnsafe(at: Position): boolean;
  /** Returns how many records went; one that is being written goes when that has ended. */
  ack(epoch: number, ranges: readonly SeqRange[], refused: readonly RefusedOf[]): number;
};

/** `onSettled`: something was settled that is in no segment. */
export const createInMemory = (
  tail: Tail,
  shelf: Shelf,
  rules: Pick<QueueRules, 'whatAckLetsGo'>,
  onSettled: () => void,
): InMemory => {
  const release = (one: Waiting): void => {
    one.isReleased = true;
    one.done?.();
    one.done = undefined;
  };
  const takeOut = (one: Waiting): void => {
    tail.remove(one);
    shelf.count(-1, -bytesOf(one), -one.batch.samples);
  };
  const settle = (one: Waiting, refused: number): void => {
    takeOut(one);
    const place = { segment: one.mayBeIn, seq: one.batch.seq };
    shelf.settleOutside({ stored: one.batch.samples - refused, refused, gap: 0 }, place);
    onSettled();
  };
  const lose = (one: Waiting, reason: LossReason | 'disk'): void => {
    shelf.count(-1, -bytesOf(one), -one.batch.samples);
    shelf.loseOutside(one.batch, reason, one.mayBeIn);
    onSettled();
    release(one);
  };
  const find = ({ epoch, seq }: Position): Waiting | undefined =>
    tail.entries.find(({ batch }) => batch.epoch === epoch && batch.seq === seq);
  return {
    release,
    takeOut,
    settle,
    lose: (one) => lose(one, 'disk'),
    isUnsafe: (at) => find(at)?.isReleased === false,
    giveUp: (at, reason) => {
      const one = find(at);
      if (!one?.isReleased || one.isBeingWritten || one.refused !== undefined) return false;
      tail.remove(one);
      lose(one, reason);
      return true;
    },
    ack: (epoch, asked, refused) => {
      const ranges = asked.map((range) => rules.whatAckLetsGo(range));
      let count = 0;
      for (const one of [...tail.entries]) {
        const { seq, samples } = one.batch;
        if (!one.isReleased || one.batch.epoch !== epoch || one.refused !== undefined) continue;
        if (!isWithin(ranges, seq)) continue;
        const turnedDown = refused.reduce((sum, each) => sum + (each.seq === seq ? each.samples : 0), 0);
        const bounded = Math.min(samples, Math.max(0, turnedDown));
        if (one.isBeingWritten) one.refused = bounded;
        else settle(one, bounded);
        count += 1;
      }
      return count;
    },
  };
};
