/**
 * Telling and asking actors of another node, beside bare `ws` frames of the same payload: two processes on this machine's processors, started by
 * command. The measuring is where what is measured is: `actors/src/link/mesh-tell.bench.ts`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repository } from '../../infra/local/build.ts';

export const meshTell = async (): Promise<void> => {
  const program = join(repository, 'actors/src/link/mesh-tell.bench.ts');
  const measuring = spawn(process.execPath, [program], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(measuring, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with code ${String(code)}`);
};
