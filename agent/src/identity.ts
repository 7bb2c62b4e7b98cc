/**
 * Who this agent is: the host's id, kept on disk and made once; the epoch, larger at every start and durable before anything is sent, so
 * that sequence numbers may begin again; the boot id, drawn anew. A disk that is full keeps only the very first start from happening.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorMessage } from '@thrum/actors/system/describe-error';
import { isHostId } from '@thrum/actors/wire/host-id';
import { overwriteSmallFile, readSmallFile, writeSmallFile } from './durable-file.ts';

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

const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);

/** The disk has no room, or this user may have no more of it. */
const isFull = (error: unknown): boolean => isCode(error, 'ENOSPC', 'EDQUOT');

const hostIdOf = (path: string): string => {
  const stored = readSmallFile(path)?.trim();
  if (stored === undefined) {
    const host = randomUUID();
    try {
      writeSmallFile(path, `${host}\n`);
    } catch (error) {
      if (!isFull(error)) throw error;
      throw new StartError(
        `The disk of ${path} is full. The first start on a host writes the host's id there: make some room, then start again.`,
        { cause: error },
      );
    }
    return host;
  }
  if (!isHostId(stored))
    throw new StartError(
      `${path} holds no host id (a lower-case UUID): restore it, or delete it to begin as a new host.`,
    );
  return stored;
};

export type Warn = (fields: object, message: string) => void;

/**
 * On a full disk the file is written over. A disk that takes not even that leaves the seconds of the clock, which are larger than those of
 * the last start unless the clock went back meanwhile.
 */
const keepEpoch = (path: string, epoch: number, warn: Warn): void => {
  try {
    writeSmallFile(path, `${epoch}\n`);
  } catch {
    try {
      overwriteSmallFile(path, `${epoch}\n`);
    } catch (error) {
      warn({ error, epoch }, 'the epoch could not be kept in the data directory; this start goes by the clock');
    }
  }
};

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
    // An agent that was here before can go on: what it measures is kept in memory until there is room.
    if (isFull(error)) return;
    throw new StartError(`The data directory ${directory} (THRUM_DATA) cannot be used: ${errorMessage(error)}`, {
      cause: error,
    });
  }
};

/** Reads and moves on the identity in a directory that this process has locked. */
export const takeIdentity = (directory: string, wallMs: number, warn: Warn): Identity => {
  try {
    const host = hostIdOf(join(directory, 'host-id'));
    const epochFile = join(directory, 'epoch');
    const epoch = nextEpoch(readSmallFile(epochFile), wallMs);
    keepEpoch(epochFile, epoch, warn);
    return { host, boot: randomUUID(), epoch };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`The data directory ${directory} (THRUM_DATA) cannot be used: ${errorMessage(error)}`, {
      cause: error,
    });
  }
};

/**
 * The queue may know a larger epoch than the file, which a start on a disk that took nothing could not write: then the one after that.
 */
export const aboveEpoch = (directory: string, identity: Identity, known: number | undefined, warn: Warn): Identity => {
  if (known === undefined || known < identity.epoch) return identity;
  const epoch = nextEpoch(String(known), 0);
  keepEpoch(join(directory, 'epoch'), epoch, warn);
  return { ...identity, epoch };
};

const lastSampleFile = (directory: string): string => join(directory, 'last-sample');

/** The time of the last sample as agents before the queue on disk kept it. `undefined` when nothing readable is there. */
export const readLastSampleMs = (directory: string): number | undefined => {
  const stored = readSmallFile(lastSampleFile(directory))?.trim() ?? '';
  return /^\d{1,16}$/.test(stored) ? Number(stored) : undefined;
};

/** Once the queue knows a later one. */
export const forgetLastSample = (directory: string): void => rmSync(lastSampleFile(directory), { force: true });
