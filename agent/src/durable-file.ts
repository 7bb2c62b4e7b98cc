/** Small files that are either there as a whole or as they were before: written beside, made durable, then put in place. */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** `undefined` when there is no such file; throws when it is there and cannot be read. */
export const readSmallFile = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

const syncDirectory = (path: string): void => {
  // Windows knows no such thing: its rename is durable by itself.
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
};

/** `isDurable: false` skips waiting for the disk: for what may be lost with the power. */
export const writeSmallFile = (path: string, text: string, isDurable = true): void => {
  const beside = `${path}.new`;
  try {
    const file = openSync(beside, 'w', 0o600);
    try {
      writeFileSync(file, text);
      if (isDurable) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  if (isDurable) syncDirectory(dirname(path));
};

/**
 * For a disk that has no room for a second file: writes over the one that is there, which needs none. Only for a few bytes, which a disk
 * writes whole or not at all.
 */
export const overwriteSmallFile = (path: string, text: string): void => {
  const file = openSync(path, 'r+');
  try {
    const bytes = Buffer.from(text);
    if (writeSync(file, bytes, 0, bytes.length, 0) !== bytes.length)
      throw new Error(`${path} was written in part only`);
    ftruncateSync(file, bytes.length);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};
