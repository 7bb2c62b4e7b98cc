/** A process that runs the seeds it is given, until nobody gives it any. */
import { works } from './guarantees.ts';
import { mutants } from './mutants.ts';
import { drawPlan } from './plan.ts';
import { runPlan } from './run-plan.ts';
import type { Outcome } from './run-plan.ts';
import type { Part, PartResult } from './run-seeds.ts';

const run = async (part: Part): Promise<PartResult> => {
  const rules = mutants.find(({ name }) => name === part.mutant)?.rules;
  const broken: Outcome[] = [];
  let events = 0;
  for (let seed = part.from; seed < part.from + part.seeds; seed += 1) {
    const outcome = await runPlan(drawPlan(seed, works), { ...(rules && { rules }) });
    events += outcome.events;
    if (!outcome.broken) continue;
    broken.push(outcome);
    if (!part.all) break;
  }
  return { runs: part.seeds, events, broken };
};

process.on('message', (part: Part) => {
  void run(part).then((result) => process.send?.(result));
});
