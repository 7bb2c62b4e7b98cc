/**
 * Presence of 5,000 agents on ten nodes: memory, traffic at rest, joining. The measuring is where what is measured is:
 * `actors/src/presence/presence.bench.ts`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repository } from '../../infra/local/build.ts';

export const presence = async (): Promise<void> => {
  const program = join(repository, 'actors/src/presence/presence.bench.ts');
  const measuring = spawn(process.execPath, ['--expose-gc', program], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(measuring, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with code ${String(code)}`);
};
