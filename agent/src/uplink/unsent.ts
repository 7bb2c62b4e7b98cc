/**
 * Which batches of the queue have never left this process. Outages make long runs of them, so runs are what is kept. It tells a first
 * sending from a repeated one, and an acknowledgement of something that was never sent from an honest one.
 */
import { comparePositions, type Position, type SeqRange } from '../queue/queue.ts';

/** Beyond this the oldest runs are forgotten: their batches then count as sent before, which costs nothing but that. */
const maxRuns = 1024;

export type Unsent = {
  add(position: Position): void;
  has(position: Position): boolean;
  remove(position: Position): void;
  /** The parts of these ranges that were sent. */
  without(epoch: number, ranges: readonly SeqRange[]): SeqRange[];
};

type Run = { epoch: number; from: number; to: number };

export const createUnsent = (): Unsent => {
  /** In order; positions are added in order, too. */
  let runs: Run[] = [];
  const holds = (run: Run, { epoch, seq }: Position): boolean =>
    run.epoch === epoch && run.from <= seq && seq <= run.to;
  return {
    add: ({ epoch, seq }) => {
      const last = runs.at(-1);
      if (last && comparePositions({ epoch: last.epoch, seq: last.to }, { epoch, seq }) >= 0) return;
      if (last?.epoch === epoch && last.to + 1 === seq) last.to = seq;
      else runs.push({ epoch, from: seq, to: seq });
      if (runs.length > maxRuns) runs.shift();
    },
    has: (position) => runs.some((run) => holds(run, position)),
    remove: (position) => {
      runs = runs.flatMap((run) => {
        if (!holds(run, position)) return [run];
        const parts: Run[] = [];
        if (run.from < position.seq) parts.push({ ...run, to: position.seq - 1 });
        if (position.seq < run.to) parts.push({ ...run, from: position.seq + 1 });
        return parts;
      });
    },
    without: (epoch, ranges) => {
      let left: SeqRange[] = ranges.filter(([from, to]) => from <= to);
      for (const run of runs) {
        if (run.epoch !== epoch) continue;
        left = left.flatMap(([from, to]): SeqRange[] => {
          if (to < run.from || from > run.to) return [[from, to]];
          const parts: SeqRange[] = [];
          if (from < run.from) parts.push([from, run.from - 1]);
          if (to > run.to) parts.push([run.to + 1, to]);
          return parts;
        });
      }
      return left;
    },
  };
};
