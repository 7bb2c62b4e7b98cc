/** One agent per data directory: two would undo each other's work. */
import { lockDirectory as lock } from '@thrum/actors/system/directory-lock';
import { StartError } from './identity.ts';

export type DirectoryLock = { release(): Promise<void> };

/** Throws a StartError when another agent owns the directory. */
export const lockDirectory = async (directory: string): Promise<DirectoryLock> => {
  const outcome = await lock(directory);
  if (outcome.ok) return outcome;
  const whose = outcome.pid > 0 ? ` (process ${outcome.pid})` : '';
  throw new StartError(
    `The data directory ${directory} (THRUM_DATA) is in use by another agent${whose}: stop that one, or give this one a directory of its own.`,
  );
};
