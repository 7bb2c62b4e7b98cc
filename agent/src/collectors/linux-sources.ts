/**
 * The files of /proc and /sys that collectors read every tick. Descriptors stay open; all files are read into one buffer, so the text
 * of one is only good until the next is read. A file that fails is closed and opened anew at the next reading.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ProcText } from './proc-text.ts';
import { emptyStat, parseStat, type Stat } from './stat.ts';

const firstBytes = 64 * 1024;
/** /proc/stat of a machine with thousands of interrupts takes 100 KB; nothing read here comes near this. */
const maxBytes = 4 * 1024 * 1024;

export type ProcFile = {
  /** Throws when the file cannot be read or is larger than 4 MiB. */
  read(): ProcText;
  close(): void;
};

export type LinuxSources = {
  readonly procRoot: string;
  readonly sysRoot: string;
  /** `path` below /proc. Opened at the first reading. */
  proc(path: string): ProcFile;
  /** /proc/stat, parsed at most once per tick: more than one collector lives on it. Throws like a file. */
  stat(monotonicMs: number): Stat;
  close(): void;
};

export const openLinuxSources = (roots: { procRoot?: string; sysRoot?: string } = {}): LinuxSources => {
  const procRoot = roots.procRoot ?? '/proc';
  const text = new ProcText(Buffer.allocUnsafeSlow(firstBytes));
  const files: ProcFile[] = [];

  const readAll = (descriptor: number, path: string): ProcText => {
    let length = 0;
    for (;;) {
      // A /proc file comes in pieces of a page or so; only an empty piece is its end.
      const got = readSync(descriptor, text.bytes, length, text.bytes.length - length, length);
      if (got === 0) break;
      length += got;
      if (length < text.bytes.length) continue;
      if (length >= maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes.`);
      const larger = Buffer.allocUnsafeSlow(text.bytes.length * 2);
      text.bytes.copy(larger);
      text.bytes = larger;
    }
    text.reset(length);
    return text;
  };

  const proc = (path: string): ProcFile => {
    const full = join(procRoot, path);
    let descriptor: number | undefined;
    const close = (): void => {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    };
    const file: ProcFile = {
      read: () => {
        try {
          descriptor ??= openSync(full, 'r');
          return readAll(descriptor, full);
        } catch (error) {
          close();
          throw error;
        }
      },
      close,
    };
    files.push(file);
    return file;
  };

  const statFile = proc('stat');
  const stat = emptyStat();
  let statAtMs: number | undefined;
  return {
    procRoot,
    sysRoot: roots.sysRoot ?? '/sys',
    proc,
    stat: (monotonicMs) => {
      if (statAtMs !== monotonicMs) {
        statAtMs = undefined;
        parseStat(statFile.read(), stat);
        statAtMs = monotonicMs;
      }
      return stat;
    },
    close: () => {
      for (const file of files) file.close();
    },
  };
};
