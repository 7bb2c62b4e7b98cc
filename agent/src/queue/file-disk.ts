/** The real disk: files of one directory. Nothing here retries; whoever asks knows what a failure means. */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Disk, DiskFile } from './disk.ts';
import { isNoSuchFile } from './disk-error.ts';

const keptAside = 3;

const fileOf = (handle: FileHandle): DiskFile => ({
  write: async (bytes, at) => {
    let place = at;
    for (const one of bytes)
      for (let done = 0; done < one.length;) {
        const { bytesWritten } = await handle.write(one, done, one.length - done, place);
        done += bytesWritten;
        place += bytesWritten;
      }
  },
  read: async (at, bytes, into = Buffer.allocUnsafeSlow(bytes)) => {
    let done = 0;
    while (done < bytes) {
      const { bytesRead } = await handle.read(into, done, bytes - done, at + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return into.subarray(0, done);
  },
  sync: () => handle.datasync(),
  size: async () => (await handle.stat()).size,
  truncate: (bytes) => handle.truncate(bytes),
  close: () => handle.close(),
});

const syncNames = async (directory: string): Promise<void> => {
  if (process.platform === 'win32') return; // knows no such thing: names are durable by themselves
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** The directory is made when it is not there (the one above it must be). Calls reject with the system's error. */
export const openFileDisk = (directory: string): Disk => {
  const at = (name: string): string => join(directory, name);
  const make = async (): Promise<void> => {
    try {
      await mkdir(directory, { mode: 0o700 });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      return;
    }
    // Files in a directory that is not durable itself are not either.
    await syncNames(dirname(directory));
  };
  /** Where there is no directory there is one, then: it may have been no room for it before. */
  const orMake = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (!isNoSuchFile(error)) throw error;
    }
    await make();
    return run();
  };
  return {
    list: () => orMake(() => readdir(directory)),
    open: async (name, create) => {
      const flags = constants.O_RDWR | (create ? constants.O_CREAT | constants.O_EXCL : 0);
      const opened = (): Promise<FileHandle> => open(at(name), flags, 0o600);
      return fileOf(await (create ? orMake(opened) : opened()));
    },
    remove: (name) => unlink(at(name)),
    rename: (from, to) => rename(at(from), at(to)),
    syncDirectory: () => syncNames(directory),
    setAside: async () => {
      const [parent, prefix] = [dirname(directory), `damaged-${basename(directory)}-`];
      const numbers = (await readdir(parent))
        .filter((name) => name.startsWith(prefix))
        .map((name) => Number(name.slice(prefix.length)))
        .filter(Number.isSafeInteger)
        .toSorted((a, b) => a - b);
      await rename(directory, join(parent, `${prefix}${(numbers.at(-1) ?? 0) + 1}`));
      for (const old of numbers.slice(0, Math.max(0, numbers.length + 1 - keptAside)))
        await rm(join(parent, `${prefix}${old}`), { recursive: true, force: true });
      await make();
    },
  };
};
