/** A disk of a few mebibytes (tmpfs), as root on Linux: it can be filled to the last byte, and freed again. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export type SmallDisk = {
  readonly path: string;
  /** Afterwards not one more block can be had. */
  fill(): void;
  free(): void;
  remove(): void;
};

const blockBytes = 64 * 1024;
const smallestBytes = 4096;

/** Why there can be none; `undefined` when there can. */
export const noSmallDisks = (): string | undefined => {
  if (process.platform !== 'linux') return 'disks to fill need Linux';
  return process.getuid?.() === 0 ? undefined : 'disks to fill need root';
};

export const mountSmallDisk = (path: string, mebibytes: number): SmallDisk => {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'thrum-chaos', path], { stdio: 'pipe' });
  const filler = join(path, 'filler');
  return {
    path,
    fill: () => {
      const file = openSync(filler, 'a');
      try {
        for (let bytes = blockBytes; bytes >= smallestBytes;) {
          try {
            if (writeSync(file, new Uint8Array(bytes)) < bytes) bytes /= 2;
          } catch {
            bytes /= 2; // ENOSPC: smaller pieces may still fit
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    remove: () => execFileSync('umount', ['--lazy', path], { stdio: 'pipe' }),
  };
};
