/**
 * npm run model -- [--seeds N] [--from S] [--seed S] [--mutant NAME] [--quiet]
 *
 * `--seed` repeats one run exactly and tells everything that happens in it; `--seeds` runs many, two at a time, and tells of the first that fails.
 */
import { parseArgs } from 'node:util';
import type { Log } from '@thrum/actors/system/log';
import { describeStep, drawPlan } from './plan.ts';
import { runPlan, type Outcome } from './run-plan.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
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
};

if (values.seed !== undefined) {
  const outcome = await runPlan(drawPlan(Number(values.seed)), {
    ...(!values.quiet && { tell: say, log: talkingLog({}) }),
  });
  sayBroken(outcome);
  if (outcome.broken) process.exitCode = 1;
} else {
  const startMs = performance.now();
  let events = 0;
  const seeds = Number(values.seeds ?? 100);
  const from = Number(values.from);
  let bad = 0;
  let maxDrain = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const outcome = await runPlan(drawPlan(seed));
    events += outcome.events;
    maxDrain = Math.max(maxDrain, outcome.drainedMs);
    if (outcome.broken) {
      bad += 1;
      if (bad <= 3) sayBroken(outcome);
      else say(`seed ${seed}: ${outcome.broken.guarantee}: ${outcome.broken.detail.slice(0, 150)}`);
    }
  }
  const tookMs = performance.now() - startMs;
  say(
    `${seeds} seeds in ${(tookMs / 1000).toFixed(1)} s (${(tookMs / seeds).toFixed(1)} ms, ${Math.round(events / seeds)} events), ${bad} broken, drained within ${maxDrain}`,
  );
}
