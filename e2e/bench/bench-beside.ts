/** Benches that stand beside what they measure (`x.bench.ts`), each run as a program of its own so that its processor and memory are its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repository } from '../../infra/local/build.ts';

/** `path` in the repository; it prints its figures itself. */
export const benchBeside =
  (path: string, ...nodeOptions: readonly string[]) =>
  async (): Promise<void> => {
    const program = join(repository, path);
    const measuring = spawn(process.execPath, [...nodeOptions, program], { stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = (await once(measuring, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with code ${String(code)}`);
  };
