/**
 * npm run simulate -- [--seeds N] [--from S] [--seed S] [--mutant NAME] [--quiet]
 * npm run simulate -- --hours N [--nodes N] [--seed S]
 *
 * `--seed` repeats one run exactly and tells everything that happens in it; `--seeds` runs many, two at a time, and tells of the first that fails.
 * `--hours` counts false deaths in a mesh with 20 % of all packets lost (`long-run.ts`).
 */
import { parseArgs } from 'node:util';
import type { Log } from '../system/log.ts';
import { longRun } from './long-run.ts';
import { mutants } from './mutants.ts';
import { runPlan } from './run-plan.ts';
import type { Outcome } from './run-plan.ts';
import { describeStep, drawPlan } from './plan.ts';
import { works } from './guarantees.ts';
import { runSeeds } from './run-seeds.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    hours: { type: 'string' },
    nodes: { type: 'string', default: '5' },
    mutant: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const talkingLog = (fields: object): Log => {
  const at = (more: object, message: string): void =>
    say(`${' '.repeat(12)}${message} ${JSON.stringify({ ...fields, ...more })}`);
  return { debug: at, info: at, warn: at, error: at, child: (more) => talkingLog({ ...fields, ...more }) };
};
/** The faults of the plan (what its users do is told by the run of that one seed), what was broken first, and how to see it again. */
const sayBroken = ({ seed, broken, hash }: Outcome): void => {
  if (!broken) {
    say(`seed ${seed}: nothing is broken; trace ${hash}`);
    return;
  }
  const plan = drawPlan(seed, works);
  say(`seed ${seed}: ${plan.nodes} nodes, ${plan.delayMs.min} to ${plan.delayMs.max} ms from node to node`);
  for (const step of plan.steps) if (step.kind !== 'work') say(`  ${describeStep(step)}`);
  say(
    `  ${(plan.restMs / 1000).toFixed(3).padStart(8)} s  faults are over, nodes ${plan.revived.join(', ')} start if down`,
  );
  say(`  ${(plan.lastMs / 1000).toFixed(3).padStart(8)} s  ${plan.last.kind} node ${plan.last.node}`);
  say(`${broken.guarantee} is broken at ${(broken.atMs / 1000).toFixed(3)} s: ${broken.detail}`);
  const again = values.mutant === undefined ? '' : ` --mutant ${values.mutant}`;
  say(`trace ${hash}; repeat with: npm run simulate -- --seed ${seed}${again}`);
};

const mutant = mutants.find(({ name }) => name === values.mutant);
if (values.mutant !== undefined && !mutant) {
  say(`no mutant ${values.mutant}; there are: ${mutants.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else if (values.hours !== undefined) {
  const run = {
    seed: Number(values.seed ?? 1),
    hours: Number(values.hours),
    nodes: Number(values.nodes),
    lossRate: 0.2,
  };
  const figures = longRun(run);
  say(JSON.stringify({ ...run, ...figures }));
  if (figures.falseDeaths > 0) process.exitCode = 1;
} else if (values.seed !== undefined) {
  const outcome = await runPlan(drawPlan(Number(values.seed), works), {
    ...(mutant && { rules: mutant.rules }),
    ...(!values.quiet && { tell: say, log: talkingLog({}) }),
  });
  sayBroken(outcome);
  if (outcome.broken) process.exitCode = 1;
} else {
  const startMs = performance.now();
  const result = await runSeeds({
    from: Number(values.from),
    seeds: Number(values.seeds ?? 1000),
    workers: Number(values.workers),
    mutant: mutant?.name,
  });
  for (const outcome of result.broken) sayBroken(outcome);
  const tookMs = performance.now() - startMs;
  say(
    `${result.runs} seeds in ${(tookMs / 1000).toFixed(1)} s (${(tookMs / result.runs).toFixed(1)} ms and ` +
      `${Math.round(result.events / result.runs)} events each), ${result.broken.length} broken`,
  );
  if (result.broken.length > 0) process.exitCode = 1;
}
