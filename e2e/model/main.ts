/**
 * npm run model -- [--seeds N] [--from S] [--seed S] [--mutant NAME] [--all] [--quiet]
 *
 * `--seed` repeats one run exactly and tells everything that happens in it; `--seeds` runs many, two at a time, and tells of those that fail, the
 * one with the fewest faults first; `--all` goes on after the first that fails.
 */
import { parseArgs } from 'node:util';
import type { Log } from '@thrum/actors/system/log';
import { mutants } from './mutants.ts';
import { describeStep, drawPlan } from './plan.ts';
import { runPlan, type Outcome } from './run-plan.ts';
import { runSeeds } from './run-seeds.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    mutant: { type: 'string' },
    all: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
  },
});
/** The others are counted. */
const maxTold = 5;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const talkingLog = (fields: object): Log => {
  const at = (more: object, message: string): void =>
    say(`${' '.repeat(12)}${message} ${JSON.stringify({ ...fields, ...more })}`);
  return { debug: at, info: at, warn: at, error: at, child: (more) => talkingLog({ ...fields, ...more }) };
};
const sayBroken = ({ seed, broken, hash }: Outcome): void => {
  if (!broken) {
    say(`seed ${seed}: nothing is broken; trace ${hash}`);
    return;
  }
  const plan = drawPlan(seed);
  say(
    `seed ${seed}: ${plan.agents} agents, ${plan.ingests} ingest nodes, ${plan.delayMs.min} to ${plan.delayMs.max} ms on the way`,
  );
  for (const step of plan.steps) say(`  ${describeStep(step)}`);
  say(`  ${(plan.restMs / 1000).toFixed(3).padStart(8)} s  faults are over`);
  say(`${broken.guarantee} is broken at ${(broken.atMs / 1000).toFixed(3)} s: ${broken.detail}`);
  const again = values.mutant === undefined ? '' : ` --mutant ${values.mutant}`;
  say(`trace ${hash}; repeat with: npm run model -- --seed ${seed}${again}`);
};
const faultsOf = ({ seed }: Outcome): number => drawPlan(seed).steps.length;

const mutant = mutants.find(({ name }) => name === values.mutant);
if (values.mutant !== undefined && !mutant) {
  say(`no mutant ${values.mutant}; there are: ${mutants.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else if (values.seed !== undefined) {
  const outcome = await runPlan(drawPlan(Number(values.seed)), {
    ...(mutant && { rules: mutant.rules }),
    ...(!values.quiet && { tell: say, log: talkingLog({}) }),
  });
  sayBroken(outcome);
  if (outcome.broken) process.exitCode = 1;
} else {
  const startMs = performance.now();
  const { runs, events, broken } = await runSeeds({
    from: Number(values.from),
    seeds: Number(values.seeds ?? 1000),
    workers: Number(values.workers),
    mutant: mutant?.name,
    all: values.all,
  });
  const shortest = broken.toSorted((one, other) => faultsOf(one) - faultsOf(other));
  for (const outcome of shortest.slice(0, maxTold)) sayBroken(outcome);
  const tookMs = performance.now() - startMs;
  if (shortest.length > maxTold)
    say(
      `and seeds ${shortest
        .slice(maxTold)
        .map(({ seed }) => seed)
        .join(', ')}`,
    );
  say(
    `${runs} seeds in ${(tookMs / 1000).toFixed(1)} s (${(tookMs / runs).toFixed(1)} ms and ` +
      `${Math.round(events / runs)} events each), ${broken.length} broken`,
  );
  if (broken.length > 0) process.exitCode = 1;
}
