/** A process that runs the seeds it is given, until nobody gives it any. */
import { works } from './guarantees.ts';
import { mutants } from './mutants.ts';
import { drawPlan } from './plan.ts';
import { runPlan } from './run-plan.ts';
import type { Outcome } from './run-plan.ts';
import type { Part, PartResult } from './run-parts.ts';

const run = async (part: Part): Promise<PartResult<Outcome>> => {
  const rules = mutants.find(({ name }) => name === part.mutant)?.rules;
  const broken: Outcome[] = [];
  let runs = 0;
  let events = 0;
  for (const seed of part.seeds) {
    const outcome = await runPlan(drawPlan(seed, works), { ...(rules && { rules }) });
    runs += 1;
    events += outcome.events;
    if (!outcome.broken) continue;
    broken.push(outcome);
    if (!part.all) break;
  }
  return { runs, events, broken };
};

process.on('message', (part: Part) => {
  void run(part).then((result) => process.send?.(result));
});
