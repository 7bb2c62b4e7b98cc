/** What errors of a disk mean. */
const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

export const isNoSuchFile = (error: unknown): boolean => codeOf(error) === 'ENOENT';

/** Another file would be taken no better than this one. */
export const takesNothingNew = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE'].includes(codeOf(error));

/** A directory that is there and cannot be listed, now or later: anything else may be mended by a person, or by itself. */
export const isBroken = (error: unknown): boolean => ['EIO', 'ENOTDIR', 'EUCLEAN', 'EBADMSG'].includes(codeOf(error));

/** There is no such directory, and no room for one: nothing can be in it. */
export const cannotBeMade = (error: unknown): boolean => ['ENOSPC', 'EDQUOT', 'EROFS'].includes(codeOf(error));

/** What a person does about a directory that cannot be opened. */
export const mendDiskError = (error: unknown): string => {
  const code = codeOf(error);
  if (code === 'EMFILE' || code === 'ENFILE') return 'Raise the limit of open files and start the agent again.';
  if (code === 'EACCES' || code === 'EPERM') return 'Let the user the agent runs as read and write it.';
  if (code === 'ENOENT') return 'Mount its volume, or make the directory above it, and start the agent again.';
  if (code === 'EROFS') return 'Make its volume writable and start the agent again.';
  return 'See to the disk and start the agent again.';
};

/** In the words of a person who reads the agent's state. */
export const sayDiskError = (error: unknown): string => {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full';
  if (code === 'EIO') return 'the disk fails';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'the queue may not be written';
  return error instanceof Error ? error.message : String(error);
};
