/** One record is given up, wherever it stands: it is a gap from then on, with exactly its samples. */
import type { InMemory } from './in-memory.ts';
import type { LossReason, Position } from './queue.ts';
import { firstFrom, type SegmentIndex } from './segment-index.ts';
import { isSettled, type Segment } from './segment.ts';
import type { Shelf } from './shelf.ts';

type Parts = {
  readonly shelf: Shelf;
  readonly inMemory: Pick<InMemory, 'giveUp'>;
  readonly load: (segment: Segment) => Promise<SegmentIndex>;
  readonly onLost: () => void;
};

/** False when it is not there, settled already, or being written at this moment. */
export const loseRecord = async (parts: Parts, { epoch, seq }: Position, reason: LossReason): Promise<boolean> => {
  const { shelf, inMemory, load, onLost } = parts;
  const segment = shelf.segments.find((one) => one.epoch === epoch && one.firstSeq <= seq && seq <= one.end.seq);
  if (segment && segment.queued.records > 0) {
    const index = await load(segment);
    const at = firstFrom(index, seq);
    if (index.seqs[at] !== seq || at >= index.count || isSettled(segment, seq)) return false;
    shelf.loseRecord(segment, index, at, reason);
  } else if (!inMemory.giveUp({ epoch, seq }, reason)) return false;
  onLost();
  return true;
};
