/**
 * Where the journal lies: one file in a directory of its own, both for this user only. `replace` is whole or not at all, also when the power
 * fails in the middle; `append` with `sync` returns when the bytes are on the disk.
 */
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDirectory } from '../system/directory-lock.ts';

export type Disk = {
  /** Empty when nothing was ever written. */
  read(): Promise<Uint8Array>;
  append(bytes: Uint8Array, options: { sync: boolean }): Promise<void>;
  replace(parts: Iterable<Uint8Array>): Promise<void>;
  close(): Promise<void>;
};

/** Another process works in the directory: two would undo each other's work. */
export class DirectoryInUse extends Error {
  readonly code = 'in-use';
  constructor(directory: string, pid: number) {
    super(
      `The directory ${directory} for sessions is in use by another process${pid > 0 ? ` (PID ${pid})` : ''}: stop that one, or give this one a directory of its own.`,
    );
    this.name = 'DirectoryInUse';
  }
}

/** Far above what `replicaBounds` allow: a larger file is not ours. */
const maxFileBytes = 256 * 1024 * 1024;
const fileMode = 0o600;
const directoryMode = 0o700;

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Throws `DirectoryInUse`, or the system's error when the directory cannot be made or written. */
export const openDirectory = async (directory: string): Promise<Disk> => {
  await mkdir(directory, { recursive: true, mode: directoryMode });
  // Somebody else's directory may be written all the same; the file in it is ours alone.
  await chmod(directory, directoryMode).catch(() => undefined);
  const lock = await lockDirectory(directory);
  if (!lock.ok) throw new DirectoryInUse(directory, lock.pid);
  const path = join(directory, 'sessions.log');
  const next = join(directory, 'sessions.log.new');
  let file: FileHandle;
  try {
    file = await open(path, 'a', fileMode);
    await file.chmod(fileMode);
    await rm(next, { force: true });
  } catch (error) {
    await lock.release();
    throw error;
  }

  const syncDirectory = async (): Promise<void> => {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  };
  try {
    await syncDirectory(); // the file may be new: its name must outlive a power failure too
  } catch {
    // Not every system can; the file itself is synced all the same.
  }

  return {
    read: async () => {
      try {
        const { size } = await stat(path);
        if (size > maxFileBytes) throw new Error(`${path} has ${size} bytes, which is no file of ours`);
        return await readFile(path);
      } catch (error) {
        if (isMissing(error)) return new Uint8Array(0);
        throw error;
      }
    },
    append: async (bytes, { sync }) => {
      await file.appendFile(bytes);
      if (sync) await file.datasync();
    },
    replace: async (parts) => {
      const written = await open(next, 'w', fileMode);
      try {
        for (const part of parts) await written.appendFile(part);
        await written.sync();
        await rename(next, path);
      } catch (error) {
        await written.close();
        throw error;
      }
      await file.close();
      file = written; // opened without O_APPEND, and written at its end by nobody else
      await syncDirectory();
    },
    close: async () => {
      await file.close();
      await lock.release();
    },
  };
};
