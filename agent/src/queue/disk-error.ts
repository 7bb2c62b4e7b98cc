/** What errors of a disk mean. */
const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

export const isNoSuchFile = (error: unknown): boolean => codeOf(error) === 'ENOENT';

/** In the words of a person who reads the agent's state. */
export const sayDiskError = (error: unknown): string => {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full';
  if (code === 'EIO') return 'the disk fails';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'the queue may not be written';
  return error instanceof Error ? error.message : String(error);
};
