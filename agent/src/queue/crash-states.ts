/**
 * What a power failure may leave of files that were not synced. Sectors reach a disk in any order and each as a whole, at one of the contents
 * it had since the last sync; the size of a file is one it had since then, whatever became of its sectors (what was never written reads as
 * zeros); of the unsynced changes to the directory each has happened or not. Every state is one choice for each of these dimensions.
 */
import { hash } from 'node:crypto';

export const sectorBytes = 512;

/** Names and contents of the files of a disk. */
export type DiskImage = ReadonlyMap<string, Uint8Array>;

export type UnsyncedFile = {
  /** As it was last written. */
  readonly content: Uint8Array;
  /** By the number of the sector: what it held before each unsynced change, the oldest (synced) first. */
  readonly sectors: ReadonlyMap<number, readonly Uint8Array[]>;
  /** Sizes before each unsynced change, the oldest first. */
  readonly sizes: readonly number[];
};

export type DirectoryChange<File> =
  | { readonly kind: 'create'; readonly name: string; readonly file: File }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly file: File };

export type Unsynced<File extends UnsyncedFile> = {
  /** The directory as it was last synced. */
  readonly names: ReadonlyMap<string, File>;
  readonly changes: readonly DirectoryChange<File>[];
};

/** Makes one change in a directory; a removal of what is not there (its creation was lost) is none. */
export const applyChange = <File>(names: Map<string, File>, change: DirectoryChange<File>): void => {
  if (change.kind === 'create') names.set(change.name, change.file);
  else if (change.kind === 'remove') names.delete(change.name);
  else {
    names.delete(change.from);
    names.set(change.to, change.file);
  }
};

type Choices = { readonly counts: readonly number[]; readonly build: (choice: readonly number[]) => DiskImage };

/** All dimensions: the changes of the directory, then of each file its size and its sectors. Choice 0 is the oldest, the last the newest. */
const dimensions = <File extends UnsyncedFile>({ names, changes }: Unsynced<File>): Choices => {
  const files = new Set<File>(names.values());
  for (const change of changes) if (change.kind !== 'remove') files.add(change.file);
  const counts = changes.map(() => 2);
  const from = new Map<File, number>();
  for (const file of files) {
    from.set(file, counts.length);
    counts.push(file.sizes.length + 1);
    for (const older of file.sectors.values()) counts.push(older.length + 1);
  }
  const contentOf = (file: File, choice: readonly number[]): Uint8Array => {
    let at = from.get(file) ?? 0;
    const size = file.sizes[choice[at] ?? 0] ?? file.content.length;
    const content = new Uint8Array(size);
    content.set(file.content.subarray(0, size));
    for (const [sector, older] of file.sectors) {
      at += 1;
      const bytes = older[choice[at] ?? 0];
      const begin = sector * sectorBytes;
      if (bytes && begin < size) content.set(bytes.subarray(0, size - begin), begin);
    }
    return content;
  };
  return {
    counts,
    build: (choice) => {
      const then = new Map(names);
      for (const [i, change] of changes.entries()) if (choice[i] === 1) applyChange(then, change);
      return new Map([...then].map(([name, file]) => [name, contentOf(file, choice)]));
    },
  };
};

/** How many states there are, some of them perhaps alike. */
export const countCrashStates = <File extends UnsyncedFile>(unsynced: Unsynced<File>): number =>
  dimensions(unsynced).counts.reduce((product, count) => product * count, 1);

/** One of them by lot: nothing of what was not synced, everything, or any mixture. */
export const anyCrashState = <File extends UnsyncedFile>(unsynced: Unsynced<File>, random: () => number): DiskImage => {
  const { counts, build } = dimensions(unsynced);
  const kind = random();
  if (kind < 0.25) return build(counts.map(() => 0));
  if (kind < 0.5) return build(counts.map((count) => count - 1));
  return build(counts.map((count) => Math.floor(random() * count)));
};

const everyChoice = function* (counts: readonly number[]): Generator<readonly number[]> {
  const choice = counts.map(() => 0);
  for (;;) {
    yield choice;
    let at = 0;
    while (at < counts.length && choice[at] === (counts[at] ?? 1) - 1) {
      choice[at] = 0;
      at += 1;
    }
    if (at === counts.length) return;
    choice[at] = (choice[at] ?? 0) + 1;
  }
};

/** Where all choices are too many: nothing and everything, each dimension alone against both, then any by lot. */
const someChoices = function* (counts: readonly number[], random: () => number): Generator<readonly number[]> {
  const oldest = counts.map(() => 0);
  const newest = counts.map((count) => count - 1);
  yield oldest;
  yield newest;
  for (const [at, count] of counts.entries())
    for (let one = 0; one < count; one += 1) {
      if (one > 0) yield oldest.with(at, one);
      if (one < count - 1) yield newest.with(at, one);
    }
  for (;;) yield counts.map((count) => Math.floor(random() * count));
};

/** The same for images with the same files. */
export const imageKey = (image: DiskImage): string =>
  [...image]
    .map(([name, bytes]) => `${name}=${hash('sha1', bytes, 'base64')}`)
    .sort()
    .join();

/**
 * States a power failure may leave, each once: all of them when they are at most `limit`, else so many of them. States share no memory with
 * the disk.
 */
export const crashStatesOf = function* <File extends UnsyncedFile>(
  unsynced: Unsynced<File>,
  options: { limit: number; random: () => number },
): Generator<DiskImage> {
  const { counts, build } = dimensions(unsynced);
  const all = counts.reduce((product, count) => product * count, 1);
  const seen = new Set<string>();
  let left = options.limit;
  for (const choice of all <= options.limit ? everyChoice(counts) : someChoices(counts, options.random)) {
    if (left === 0) return;
    left -= 1;
    const image = build(choice);
    const key = imageKey(image);
    if (seen.has(key)) continue;
    seen.add(key);
    yield image;
  }
};
