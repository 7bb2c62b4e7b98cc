/**
 * Runs one plan: faults at their times, then rest, then quiet, with the ledger watching; ends at the first thing that is broken, or when everything
 * has its end. Nothing but the plan and the rules decides what happens, so the same plan gives the same hash.
 */
import { virtualTime } from '@thrum/actors/simulation/virtual-time';
import type { Log } from '@thrum/actors/system/log';
import { Ledger } from './ledger.ts';
import type { WrongRules } from './mutant.ts';
import { describeStep, type Plan, type Step } from './plan.ts';
import { World } from './world.ts';

export type Broken = { readonly guarantee: string; readonly detail: string; readonly atMs: number };
export type Outcome = {
  readonly seed: number;
  readonly hash: string;
  readonly events: number;
  readonly samples: number;
  /** After the end of faults. */
  readonly drainedMs: number;
  readonly broken: Broken | undefined;
};

export type RunOptions = {
  readonly rules?: WrongRules;
  readonly log?: Log;
  /** What happens, as it happens. */
  readonly tell?: (line: string) => void;
};

const lookEveryMs = 250;

export const runPlan = async (plan: Plan, options: RunOptions = {}): Promise<Outcome> => {
  const time = virtualTime();
  const { clock } = time.world;
  let broken: Broken | undefined;
  let isDrained = false;
  const breaks = (guarantee: string, detail: string): void => {
    broken ??= { guarantee, detail, atMs: time.nowMs() };
  };
  const note = (words: string): void => {
    time.hash.addText(words);
    options.tell?.(`${(time.nowMs() / 1000).toFixed(3).padStart(8)} s  ${words}`);
  };
  const onRejection = (error: unknown): void =>
    breaks('no surprise', `a promise failed unheard: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
  process.on('unhandledRejection', onRejection);

  const has = (...kinds: readonly Step['kind'][]): boolean => plan.steps.some(({ kind }) => kinds.includes(kind));
  // A start knows the newest time alone: not the times before its clock leapt, which may have been right.
  const mayRepeatTimes = has('ingest-clock') || (has('agent-clock') && has('agent-kill', 'agent-power', 'agent-stop'));
  const ledger = new Ledger({ broken: breaks, mayRepeatTimes });
  const world = new World({ plan, time, ledger, broken: breaks, rules: options.rules ?? {}, log: options.log });
  world.startAll();
  for (const step of plan.steps)
    clock.after(step.atMs, () => {
      note(describeStep(step).trim());
      world.apply(step);
    });
  clock.after(plan.restMs, () => {
    note('faults are over');
    world.calm();
  });
  clock.after(plan.quietMs, () => {
    note('nothing more is measured');
    world.isQuiet = true;
  });
  clock.every(lookEveryMs, () => {
    world.look();
    if (world.isQuiet) isDrained = world.unsettled() === undefined && [...world.judge()].length === 0;
  });

  try {
    await time.runUntil(plan.endMs, () => broken !== undefined || isDrained);
    const failure = time.failure();
    if (failure !== undefined) breaks('no surprise', failure);
    const unsettled = world.unsettled();
    if (unsettled !== undefined) breaks('nothing is stuck', unsettled);
    for (const { guarantee, detail } of world.judge()) breaks(guarantee, detail);
    const drainedMs = Math.round(time.nowMs() - plan.quietMs);
    return {
      seed: plan.seed,
      hash: time.hash.digest(),
      events: time.events(),
      samples: world.samples,
      drainedMs,
      broken,
    };
  } finally {
    process.off('unhandledRejection', onRejection);
    time.close();
  }
};
