/**
 * What a host keeps over the starts of its node: one journal. A killed process loses nothing it has written, a power failure what was not synced,
 * of which a part may be there all the same, torn anywhere.
 */
import type { Clock } from '../system/clock.ts';
import type { Disk } from '../sessions/disk.ts';

export type SimDisk = {
  /** As one start of a node sees it: on its clock, so that what is under way when it ends never returns. */
  open(clock: Clock): Disk;
  /** The power failed: `random` says how much of what was not synced is there. */
  fail(random: () => number): void;
  /** A new disk. */
  lose(): void;
};

const writeMs = 0.2;
const syncMs = 1;

export const simDisk = (): SimDisk => {
  let written: Uint8Array = new Uint8Array(0);
  let syncedBytes = 0;
  return {
    open: (clock) => {
      const waited = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
      return {
        read: () => Promise.resolve(written),
        append: async (bytes, { sync }) => {
          await waited(writeMs);
          written = Buffer.concat([written, bytes]);
          if (!sync) return;
          await waited(syncMs);
          syncedBytes = written.byteLength;
        },
        replace: async (parts) => {
          const next = Buffer.concat([...parts]);
          await waited(writeMs + syncMs);
          written = next;
          syncedBytes = next.byteLength;
        },
        close: () => Promise.resolve(),
      };
    },
    fail: (random) => {
      syncedBytes = Math.min(syncedBytes, written.byteLength);
      written = written.slice(0, syncedBytes + Math.floor(random() * (written.byteLength - syncedBytes + 1)));
    },
    lose: () => {
      written = new Uint8Array(0);
      syncedBytes = 0;
    },
  };
};
