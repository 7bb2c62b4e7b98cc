/**
 * The little the queue needs of a file system, so that tests can give it one that forgets what was not synced, tears writes and fails. Every
 * call may reject with the system's error (`code`: ENOSPC, EIO, …). Names are plain file names within the queue's own directory. The queue
 * never has two calls under way on one file.
 */
export type DiskFile = {
  /** Writes all of it at this place; beyond the end the file grows. The bytes stay as they are until it is done. */
  write(bytes: readonly Uint8Array[], at: number): Promise<void>;
  /**
   * Reads up to so many bytes; fewer only at the end of the file. They may lie at the beginning of `into`, which is at least that long: it
   * is there to save memory.
   */
  read(at: number, bytes: number, into?: Buffer): Promise<Uint8Array>;
  /** What was written is on disk. After it rejected nothing is known of what was written since the last one that did not, ever. */
  sync(): Promise<void>;
  size(): Promise<number>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
};

export type Disk = {
  /** Names of all files, in no order. */
  list(): Promise<readonly string[]>;
  /** Opens for reading and writing. `create`: it must not exist; otherwise it must. */
  open(name: string, create: boolean): Promise<DiskFile>;
  remove(name: string): Promise<void>;
  /** What has the new name is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Files made, renamed and removed are so on disk. */
  syncDirectory(): Promise<void>;
  /** Keeps the whole directory under another name, for people, and begins an empty one: for a directory that cannot be listed. */
  setAside(): Promise<void>;
};
