/**
 * Keeps every file that an agent's queue ever had: each is linked a second time as soon as it appears, so that removing it in the queue
 * takes only a name away. What is written into it later is written into both. Where the agent's disk is small, a file whose name in the
 * queue is gone is moved off that disk, so that keeping does not fill it.
 *
 * A file must live for longer than two looks at the directory (50 ms); the queue keeps each until its records are acknowledged and
 * another has been begun, and the harness looks once more before it kills. `missedMs` says when a file
 * was gone before it was linked: on a full disk one is begun and given up at once, and nothing ever stood in it.
 */
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  watch,
  type FSWatcher,
} from 'node:fs';
import { join } from 'node:path';

export type SegmentKeeper = {
  /** Looks now. */
  look(): void;
  /** From now on the kept file of this name is a copy: what is done to the one in the queue is not done to it. */
  part(name: string): void;
  /** Directories that hold the kept files; more than one when a name was used again. */
  directories(): readonly string[];
  /** By the wall clock. */
  readonly missedMs: () => readonly number[];
  stop(): void;
};

type Kept = { name: string; readonly generation: number; moved: boolean };

const lookEveryMs = 50;
const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

export const startSegmentKeeper = (options: {
  /** The queue's directory; it may not be there yet. */
  readonly queue: string;
  /** On the same disk. */
  readonly links: string;
  /** Where files go that the queue has removed; nothing: they stay where they are linked. */
  readonly away?: string;
  readonly isSegment: (name: string) => boolean;
}): SegmentKeeper => {
  const { queue, links, away, isSegment } = options;
  const kept = new Map<number, Kept>();
  const used = new Map<string, number>();
  const parted = new Set<string>();
  const missedMs: number[] = [];
  let watcher: FSWatcher | undefined;

  const folder = (root: string, generation: number): string => {
    const path = join(root, String(generation));
    mkdirSync(path, { recursive: true });
    return path;
  };

  const keep = (name: string): void => {
    const path = join(queue, name);
    const { ino } = statSync(path);
    const known = kept.get(ino);
    if (known && !known.moved) {
      if (known.name === name) return;
      renameSync(join(folder(links, known.generation), known.name), join(folder(links, known.generation), name));
      known.name = name;
      return;
    }
    const generation = (used.get(name) ?? 0) + 1;
    linkSync(path, join(folder(links, generation), name));
    used.set(name, generation);
    kept.set(ino, { name, generation, moved: false });
  };

  const moveAway = (to: string): void => {
    for (const one of kept.values()) {
      if (one.moved) continue;
      const linked = join(links, String(one.generation), one.name);
      if (statSync(linked).nlink > 1) continue;
      copyFileSync(linked, join(folder(to, one.generation), one.name));
      rmSync(linked);
      one.moved = true;
    }
  };

  const look = (): void => {
    let names: string[] = [];
    try {
      names = readdirSync(queue);
      watcher ??= watch(queue, () => look()).on('error', () => undefined);
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
    for (const name of names) {
      if (!isSegment(name) || parted.has(name)) continue;
      try {
        keep(name);
      } catch (error) {
        if (!isCode(error, 'ENOENT')) throw error;
        if (!used.has(name)) missedMs.push(Date.now()); // of one that is kept already nothing is missed
      }
    }
    if (away !== undefined) moveAway(away);
  };

  const part = (name: string): void => {
    const { ino } = statSync(join(queue, name));
    const one = kept.get(ino);
    if (!one || one.moved) return;
    const linked = join(links, String(one.generation), one.name);
    copyFileSync(linked, `${linked}.copy`);
    renameSync(`${linked}.copy`, linked);
    // Nothing holds its place on the disk any more: another file may get it.
    kept.delete(ino);
    parted.add(name);
  };

  const timer = setInterval(look, lookEveryMs);
  return {
    look,
    part,
    directories: () =>
      [links, ...(away === undefined ? [] : [away])].flatMap((root) => {
        try {
          return readdirSync(root).map((generation) => join(root, generation));
        } catch {
          return [];
        }
      }),
    missedMs: () => missedMs,
    stop: () => {
      clearInterval(timer);
      watcher?.close();
    },
  };
};
