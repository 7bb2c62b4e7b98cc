/** The most resident memory that any of some programs has while something goes on. */
import type { MeshProcess } from '../../infra/local/start-mesh.ts';
import { costOf } from './process-cost.ts';

const lookEveryMs = 500;

export const peakBytes = async (programs: readonly MeshProcess[], work: () => Promise<void>): Promise<number> => {
  let most = 0;
  const look = setInterval(() => {
    for (const { pid } of programs) most = Math.max(most, costOf(pid).residentBytes);
  }, lookEveryMs);
  try {
    await work();
  } finally {
    clearInterval(look);
  }
  return most;
};
