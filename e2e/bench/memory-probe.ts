/**
 * For `node --import`, with --expose-gc: on SIGUSR2 collects what nobody holds any more and then writes what is left to the file that
 * MEMORY_FILE names, so that memory that is only not given back yet is not taken for memory in use.
 */
import { writeFileSync } from 'node:fs';

export type MemoryNow = {
  readonly at: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
};

const file = process.env['MEMORY_FILE'];
let at = 0;
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  at += 1;
  const now: MemoryNow = { at, residentBytes: rss, heapBytes: heapUsed, externalBytes: external };
  if (file !== undefined) writeFileSync(file, JSON.stringify(now));
});
