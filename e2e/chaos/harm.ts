/** Harms the queue of an agent that is stopped. What its files held before is kept beside, for the ledger. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaosAgent } from './chaos-agent.ts';
import type { Harm } from './schedule.ts';
import { damageCheckpoint, damageSegment, poisonSegment, saltOf } from './tampering.ts';

/** Mostly the newest segment is harmed: in older ones there is seldom anything that is not acknowledged. */
const newestOf10 = 7;

/** Says what was done; `undefined` when there was nothing to harm. */
export const harmQueue = (agent: ChaosAgent, how: Harm, random: () => number): string | undefined => {
  const names = readdirSync(agent.queue).sort();
  if (how === 'checkpoint') {
    const [newest] = names
      .filter((name) => name.startsWith('checkpoint-'))
      .sort((a, b) => statSync(join(agent.queue, b)).mtimeMs - statSync(join(agent.queue, a)).mtimeMs);
    return newest === undefined
      ? undefined
      : change(join(agent.queue, newest), (bytes) => damageCheckpoint(bytes, random));
  }
  const segments = names.filter((name) => saltOf(name) !== undefined).reverse();
  const first = random() * 10 < newestOf10 || how === 'poison' ? 0 : Math.floor(random() * segments.length);
  for (const name of [...segments.slice(first), ...segments.slice(0, first)]) {
    const salt = saltOf(name) ?? 0;
    agent.keeper.part(name);
    const story = change(join(agent.queue, name), (bytes) =>
      how === 'damage' ? damageSegment(bytes, salt, random) : poisonSegment(bytes, salt, random),
    );
    if (story !== undefined) return `${name}: ${story}`;
  }
  return undefined;
};

const change = (path: string, harm: (bytes: Buffer) => string | undefined): string | undefined => {
  const bytes = readFileSync(path);
  const story = harm(bytes);
  if (story !== undefined) writeFileSync(path, bytes);
  return story;
};
