/**
 * Who this agent is: the host's id, kept on disk and made once; the epoch, larger at every start and durable before anything is sent, so
 * that sequence numbers may begin again; the boot id, drawn anew. Also the time of the last sample, as far as the disk knows it.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorMessage } from '@thrum/actors/system/describe-error';
import { isHostId } from '@thrum/actors/wire/host-id';
import { readSmallFile, writeSmallFile } from './durable-file.ts';

export type Identity = { readonly host: string; readonly boot: string; readonly epoch: number };

/** The program cannot start, and a person can mend it: the message says how. */
export class StartError extends Error {
  readonly code = 'cannot-start';
}

const maxEpoch = 0xffff_ffff;

/**
 * The epoch of this start: larger than the last one, and no smaller than the seconds of the clock. The number on disk alone would not do,
 * because a directory restored from a snapshot holds an old one, and what is sent under a pair (epoch, seq) used before is taken as stored
 * already. Without a readable number, or with a clock beyond what 32 bits hold, the other of the two has to do.
 */
export const nextEpoch = (stored: string | undefined, wallMs: number): number => {
  const last = stored !== undefined && /^\d{1,10}\s*$/.test(stored) ? Number(stored) : 0;
  const seconds = Math.floor(wallMs / 1000);
  const next = Math.max(last + 1, seconds <= maxEpoch ? seconds : 0);
  if (next > maxEpoch)
    throw new StartError(`The file epoch holds ${stored ?? ''}, which has no successor: delete the data directory.`);
  return next;
};

const hostIdOf = (path: string): string => {
  const stored = readSmallFile(path)?.trim();
  if (stored === undefined) {
    const host = randomUUID();
    writeSmallFile(path, `${host}\n`);
    return host;
  }
  if (!isHostId(stored))
    throw new StartError(
      `${path} holds no host id (a lower-case UUID): restore it, or delete it to begin as a new host.`,
    );
  return stored;
};

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/** Not Node's own recursive way, which never ends where a directory can be found but nothing be made in it, such as /proc. */
const makeDirectory = (directory: string): void => {
  const makeOne = (): void => {
    try {
      mkdirSync(directory, { mode: 0o700 });
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
  };
  try {
    makeOne();
  } catch (error) {
    if (!isCode(error, 'ENOENT') || dirname(directory) === directory) throw error;
    makeDirectory(dirname(directory));
    makeOne();
  }
};

/** Makes the data directory if it is not there. Throws a StartError that names what may not be read or written. */
export const prepareDirectory = (directory: string): void => {
  try {
    makeDirectory(directory);
    // A directory that cannot be written to is noticed now, not at the first batch.
    writeSmallFile(join(directory, 'probe'), '', false);
  } catch (error) {
    throw new StartError(`The data directory ${directory} (THRUM_DATA) cannot be used: ${errorMessage(error)}`, {
      cause: error,
    });
  }
};

/** Reads and moves on the identity in a directory that this process has locked. */
export const takeIdentity = (directory: string, wallMs: number): Identity => {
  try {
    const host = hostIdOf(join(directory, 'host-id'));
    const epochFile = join(directory, 'epoch');
    const epoch = nextEpoch(readSmallFile(epochFile), wallMs);
    writeSmallFile(epochFile, `${epoch}\n`);
    return { host, boot: randomUUID(), epoch };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`The data directory ${directory} (THRUM_DATA) cannot be used: ${errorMessage(error)}`, {
      cause: error,
    });
  }
};

/** Roughly: it is written every few seconds and not waited for. `undefined` when nothing readable is there. */
export const readLastSampleMs = (directory: string): number | undefined => {
  const stored = readSmallFile(join(directory, 'last-sample'))?.trim() ?? '';
  return /^\d{1,16}$/.test(stored) ? Number(stored) : undefined;
};

export const writeLastSampleMs = (directory: string, timeMs: number): void =>
  writeSmallFile(join(directory, 'last-sample'), `${timeMs}\n`, false);
