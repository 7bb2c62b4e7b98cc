/**
 * Which records this process has sent that have no acknowledgement yet. They come in long runs, so runs are what is kept. It tells a first sending
 * from a repeated one, and an acknowledgement of something that was never sent from an honest one.
 */
import { comparePositions, type Position, type SeqRange } from '../queue/queue.ts';

/** Beyond this the oldest run is forgotten: an acknowledgement of it is ignored, so its records are sent once more. */
const maxRuns = 1024;

export type Sent = {
  add(position: Position): void;
  has(position: Position): boolean;
  /** The parts of these ranges that were sent, in order and apart, however often and in whatever order the ranges name them. */
  within(epoch: number, ranges: readonly SeqRange[]): SeqRange[];
  /** They are acknowledged. */
  remove(epoch: number, ranges: readonly SeqRange[]): void;
};

type Run = { readonly epoch: number; readonly from: number; readonly to: number };

const holds = (run: Run, { epoch, seq }: Position): boolean => run.epoch === epoch && run.from <= seq && seq <= run.to;

/** In order and apart: an answer of thousands of ranges that overlap must not become millions. */
const joined = (ranges: readonly SeqRange[]): SeqRange[] => {
  const all: [number, number][] = [];
  for (const [from, to] of ranges.filter((one) => one[0] <= one[1]).toSorted((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
};

export const createSent = (): Sent => {
  /** In order, neither touching nor overlapping. */
  let runs: Run[] = [];
  const has = (position: Position): boolean => runs.some((run) => holds(run, position));
  return {
    has,
    add: (position) => {
      const { epoch, seq } = position;
      if (has(position)) return;
      const before = runs.findLastIndex((run) => comparePositions({ epoch: run.epoch, seq: run.to }, position) < 0);
      const left = runs[before];
      const right = runs[before + 1];
      const joinsLeft = left?.epoch === epoch && left.to + 1 === seq;
      const joinsRight = right?.epoch === epoch && right.from - 1 === seq;
      const run = { epoch, from: joinsLeft ? left.from : seq, to: joinsRight ? right.to : seq };
      runs.splice(joinsLeft ? before : before + 1, Number(joinsLeft) + Number(joinsRight), run);
      if (runs.length > maxRuns) runs.shift();
    },
    within: (epoch, ranges) =>
      joined(ranges).flatMap(([from, to]) =>
        runs
          .filter((run) => run.epoch === epoch && run.from <= to && from <= run.to)
          .map((run): SeqRange => [Math.max(from, run.from), Math.min(to, run.to)]),
      ),
    remove: (epoch, ranges) => {
      for (const [from, to] of ranges)
        runs = runs.flatMap((run) => {
          if (run.epoch !== epoch || to < run.from || from > run.to) return [run];
          const parts: Run[] = [];
          if (run.from < from) parts.push({ ...run, to: from - 1 });
          if (to < run.to) parts.push({ ...run, from: to + 1 });
          return parts;
        });
    },
  };
};
