/** The files of a queue at its opening: what is to be read of them, what is left over, and what is left alone. None of this rejects. */
import type { Log } from '@thrum/actors/system/log';
import type { Disk } from './disk.ts';
import { readSegmentHeader, readSegmentName, segmentHeaderBytes, type HeaderFound } from './segment-format.ts';

const damagedKept = 8;
const damagedPrefix = 'damaged-';
const newerPrefix = 'newer-';

const headerOf = async (disk: Disk, name: string): Promise<HeaderFound> => {
  try {
    const file = await disk.open(name, false);
    try {
      return readSegmentHeader(Buffer.from(await file.read(0, segmentHeaderBytes)));
    } finally {
      await file.close();
    }
  } catch {
    return { kind: 'damaged' }; // whoever reads the whole of it says so
  }
};

/** Files may have been renamed or copied: where a header can be read, its ordinal counts. */
export const trustHeaders = async (
  disk: Disk,
  files: readonly { readonly name: string; ordinal: number }[],
): Promise<void> => {
  for (const one of files) {
    const found = await headerOf(disk, one.name);
    if (found.kind === 'header') one.ordinal = found.header.ordinal;
  }
};

/** Leaves a file alone under another name, for people, or for a program of a newer version. */
export const setAside = async (disk: Disk, log: Log, name: string, why: string, isNewer = false): Promise<void> => {
  log.error({ file: name }, `${why}: it is left alone under another name`);
  const to = `${isNewer ? newerPrefix : damagedPrefix}${name}`;
  await disk.rename(name, to).catch((error: unknown) => log.error({ error }, 'it could not be renamed'));
};

/**
 * Segments that an older program left alone, and that this one can read, get their names back: they are read in their place, which is before
 * whatever came later. Returns their names.
 */
export const takeBack = async (disk: Disk, log: Log, host: string, names: readonly string[]): Promise<string[]> => {
  const back: string[] = [];
  for (const name of names.filter((one) => one.startsWith(newerPrefix))) {
    const own = name.slice(newerPrefix.length);
    if (!readSegmentName(own) || names.includes(own)) continue;
    const found = await headerOf(disk, name);
    if (found.kind !== 'header' || found.header.host !== host) continue;
    try {
      await disk.rename(name, own);
      back.push(own);
      log.info({ file: own }, 'a segment that an older version could not read is taken back');
    } catch (error) {
      log.error({ error, file: name }, 'a segment of before cannot be taken back now');
    }
  }
  return back;
};

/**
 * A process that was killed may have left what it had not synced: it can be read, and would be gone when the power fails now. It is written
 * again: of what a sync has failed before, another sync alone brings nothing to the disk.
 */
export const makeDurable = async (disk: Disk, names: readonly string[], log: Log): Promise<void> => {
  try {
    for (const name of names) {
      const file = await disk.open(name, false);
      try {
        await file.write([await file.read(0, await file.size())], 0);
        await file.sync();
      } finally {
        await file.close().catch(() => undefined);
      }
    }
    if (names.length > 0) await disk.syncDirectory();
  } catch (error) {
    log.warn({ error }, 'what an earlier process left on disk may not be durable');
  }
};

export const forgetOldFiles = async (disk: Disk, names: readonly string[], log: Log): Promise<void> => {
  const old = names.filter((name) => name.startsWith(damagedPrefix)).toSorted();
  const halfMade = names.filter((name) => name.startsWith('new-'));
  for (const name of [...halfMade, ...old.slice(0, Math.max(0, old.length - damagedKept))])
    await disk.remove(name).catch((error: unknown) => log.warn({ error, file: name }, 'an old file stays'));
};
