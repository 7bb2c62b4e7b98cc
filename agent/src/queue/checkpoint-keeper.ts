/**
 * The two files of checkpoints. The one that holds the older generation is overwritten, so that the newer one stands until the next is on disk;
 * a file that failed is never synced again: the next one goes to a new file in its place. `mayRemove` says which removals both of them know of.
 */
import { checkpointBytes, checkpointNames, readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint.ts';
import type { Disk, DiskFile } from './disk.ts';
import { isNoSuchFile, takesNothingNew } from './disk-error.ts';
import { rules as allRules, type QueueRules } from './rules.ts';

export type CheckpointKeeper = {
  /** Rejects when it could not be made durable; the one before then still counts. */
  write(checkpoint: Omit<Checkpoint, 'generation'>): Promise<void>;
  /** Whether the file of this segment may go now. */
  mayRemove(ordinal: number): boolean;
  close(): Promise<void>;
};

type Slot = {
  readonly name: string;
  file: DiskFile | undefined;
  /** Of what is known to be in it; 0: nothing. */
  generation: number;
  removed: ReadonlySet<number>;
  /** Attempts since it last worked. */
  failures: number;
  /** The last one failed in a way that another file may not. */
  isBad: boolean;
};

export type CheckpointsFound = {
  readonly newest: Checkpoint | undefined;
  readonly slots: readonly { readonly generation: number; readonly removed: ReadonlySet<number> }[];
  /** Files of a newer version. */
  readonly newer: readonly string[];
};

/** Reads both files. Never rejects: what cannot be read is as good as not there. */
export const readCheckpoints = async (disk: Disk, names: readonly string[]): Promise<CheckpointsFound> => {
  let newest: Checkpoint | undefined;
  const newer: string[] = [];
  const slots: { generation: number; removed: ReadonlySet<number> }[] = [];
  for (const name of checkpointNames) {
    const found = names.includes(name) ? await readSlot(disk, name) : undefined;
    const one = found?.kind === 'checkpoint' ? found.checkpoint : undefined;
    if (found?.kind === 'newer') newer.push(name);
    slots.push({ generation: one?.generation ?? 0, removed: new Set(one?.removed) });
    if (one && one.generation > (newest?.generation ?? 0)) newest = one;
  }
  return { newest, slots, newer };
};

const readSlot = async (disk: Disk, name: string): Promise<ReturnType<typeof readCheckpoint> | undefined> => {
  try {
    const file = await disk.open(name, false);
    try {
      const bytes = await file.read(0, checkpointBytes);
      return readCheckpoint(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
};

export const createCheckpointKeeper = (
  disk: Disk,
  found: CheckpointsFound,
  rules: Pick<QueueRules, 'mayBeRemoved'> = allRules,
): CheckpointKeeper => {
  const buffer = Buffer.alloc(checkpointBytes);
  const slots: Slot[] = checkpointNames.map((name, at) => ({
    name,
    file: undefined,
    generation: found.slots[at]?.generation ?? 0,
    removed: found.slots[at]?.removed ?? new Set(),
    failures: 0,
    isBad: false,
  }));
  let generation = found.newest?.generation ?? 0;

  const close = async (slot: Slot): Promise<void> => {
    const { file } = slot;
    slot.file = undefined;
    await file?.close().catch(() => undefined);
  };

  const newFile = async (name: string): Promise<DiskFile> => {
    const file = await disk.open(name, true);
    try {
      await file.write([Buffer.alloc(checkpointBytes)], 0);
      await file.sync();
      return file;
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
  };

  const openSlot = async (slot: Slot): Promise<DiskFile> => {
    if (slot.file) return slot.file;
    try {
      slot.file = await disk.open(slot.name, false);
      if ((await slot.file.size()) >= checkpointBytes) return slot.file;
      await slot.file.write([Buffer.alloc(checkpointBytes)], 0);
      await slot.file.sync();
    } catch (error) {
      if (!isNoSuchFile(error)) throw error;
      slot.file = await newFile(slot.name);
    }
    await disk.syncDirectory();
    return slot.file;
  };

  /** The next checkpoint goes to a new file. The bad one keeps its name, and its place on the disk, until the new one is whole. */
  const replace = async (slot: Slot, used: number): Promise<void> => {
    const beside = `new-${slot.name}`;
    await disk.remove(beside).catch(() => undefined);
    slot.generation = 0;
    try {
      slot.file = await newFile(beside);
      await slot.file.write([buffer.subarray(0, used)], 0);
      await slot.file.sync();
      await disk.rename(beside, slot.name);
    } catch (error) {
      await close(slot);
      await disk.remove(beside).catch(() => undefined);
      throw error;
    }
    await disk.syncDirectory();
  };

  const overwrite = async (slot: Slot, used: number): Promise<void> => {
    const file = await openSlot(slot);
    slot.generation = 0;
    await file.write([buffer.subarray(0, used)], 0);
    await file.sync();
  };

  return {
    write: async (checkpoint) => {
      const [a, b] = slots;
      const slot = a && b && a.generation <= b.generation ? a : b;
      if (!slot) throw new Error('BUG: no slots');
      const { used } = writeCheckpoint(buffer, { ...checkpoint, generation: generation + 1 });
      try {
        await (slot.isBad ? replace(slot, used) : overwrite(slot, used));
      } catch (error) {
        slot.failures += 1;
        slot.isBad ||= !takesNothingNew(error);
        await close(slot);
        throw error;
      }
      generation += 1;
      slot.generation = generation;
      slot.removed = new Set(checkpoint.removed);
      slot.failures = 0;
      slot.isBad = false;
    },
    mayRemove: (ordinal) =>
      rules.mayBeRemoved(
        slots.filter((slot) => slot.removed.has(ordinal)).length,
        slots.filter((slot) => slot.failures === 0).length,
      ),
    close: async () => {
      for (const slot of slots) await close(slot);
    },
  };
};
