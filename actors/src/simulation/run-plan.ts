/**
 * Runs one plan: faults and work at their times, then rest, then one last death, with every guarantee watching. Ends at the first that is broken.
 * Nothing but the plan and the rules decides what happens, so the same plan gives the same hash.
 */
import type { Log } from '../system/log.ts';
import { seededRandom } from '../testing/random.ts';
import { guarantees } from './guarantees.ts';
import type { Guarantee, GuaranteeMaker, Settles } from './guarantee.ts';
import { Mesh } from './mesh.ts';
import type { WrongRules } from './mutant.ts';
import { describeStep } from './plan.ts';
import type { Plan, Step } from './plan.ts';
import { virtualTime } from './virtual-time.ts';

export type Broken = { readonly guarantee: string; readonly detail: string; readonly atMs: number };
export type Outcome = {
  readonly seed: number;
  readonly hash: string;
  readonly events: number;
  readonly broken: Broken | undefined;
};

export type RunOptions = {
  rules?: WrongRules;
  log?: Log;
  /** What happens, as it happens. */
  tell?: (line: string) => void;
  guarantees?: readonly GuaranteeMaker[];
};

const lookEveryMs = 300;
/** Fewer would be a mesh of one. */
const minRunning = 2;

export const runPlan = async (plan: Plan, options: RunOptions = {}): Promise<Outcome> => {
  const time = virtualTime();
  const { clock } = time.world;
  let broken: Broken | undefined;

  const tell = (words: string): void => options.tell?.(`${(time.nowMs() / 1000).toFixed(3).padStart(8)} s  ${words}`);
  const breaks = (guarantee: string, detail: string): void => {
    broken ??= { guarantee, detail, atMs: time.nowMs() };
  };
  const note = (words: string): void => {
    time.hash.addText(words);
    tell(words);
  };
  const onRejection = (error: unknown): void =>
    breaks(
      'no-surprise',
      `a promise failed unheard: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  process.on('unhandledRejection', onRejection);

  const mesh = new Mesh(
    plan,
    time,
    {
      started: (node) => {
        note(`${node.life.name} has started`);
        for (const { it } of made) it.started?.(node);
      },
      left: (node) => {
        for (const { it } of made) it.left?.(node);
      },
      ended: (node) => {
        note(`${node.life.name} has ended: ${node.ended?.how ?? ''}`);
        for (const { it } of made) it.ended?.(node);
      },
    },
    { rules: options.rules ?? {}, ...(options.log && { log: options.log }) },
  );
  const made: { readonly name: string; readonly it: Guarantee }[] = (options.guarantees ?? guarantees).map(
    ({ name, make }) => ({ name, it: make({ mesh, note, broken: (detail) => breaks(name, detail) }) }),
  );

  const work = (step: Step & { kind: 'work' }): void => {
    const node = mesh.at(step.node);
    const guarantee = made.find(({ name }) => name === step.of);
    if (!node || !guarantee) return;
    node.life.soon(() => {
      const words = guarantee.it.work?.(node, seededRandom(step.draw));
      if (words !== undefined) note(`${node.life.name} ${words}`);
    });
  };
  for (const step of plan.steps)
    clock.after(step.atMs, () => {
      if (step.kind === 'work') {
        work(step);
        return;
      }
      note(describeStep(step));
      mesh.apply(step);
    });
  clock.after(plan.restMs, () => {
    note('faults are over');
    mesh.apply({ kind: 'heal' });
    mesh.calm();
    mesh.apply({ kind: 'loss', rate: 0 });
    for (const node of mesh.running.keys()) mesh.apply({ kind: 'resume', node });
    for (const node of plan.revived) mesh.start(node);
    for (let node = 0; mesh.running.size < minRunning; node += 1) mesh.start(node);
  });
  clock.after(plan.lastMs, () => {
    note(`at last: ${plan.last.kind} ${plan.last.node}`);
    mesh.apply(plan.last);
  });

  const judge = (name: string, settles: Settles): void => {
    const { linkedSinceMs } = mesh;
    const sinceMs = settles.after === 'rest' ? plan.restMs : linkedSinceMs && Math.max(plan.quietMs, linkedSinceMs);
    if (sinceMs === undefined || clock.monotonicMs() < sinceMs + settles.withinMs) return;
    const unsettled = settles.unsettled();
    if (unsettled !== undefined)
      breaks(
        name,
        `not so ${Math.round(clock.monotonicMs() - sinceMs)} ms after ${settles.after}: ${settles.what}: ${unsettled}`,
      );
  };
  clock.every(lookEveryMs, () => {
    mesh.look();
    for (const { it } of made) it.look?.();
    if (time.nowMs() < plan.restMs || time.nowMs() >= plan.lastMs) return;
    for (const { name, it } of made) for (const settles of it.settles ?? []) judge(name, settles);
  });

  try {
    await time.runUntil(plan.endMs, () => broken !== undefined);
    const failure = time.failure();
    if (failure !== undefined) breaks('no-surprise', failure);
    const hash = time.hash.digest();
    const outcome: Outcome = { seed: plan.seed, hash, events: time.events(), broken };
    // nact knows every system until it is stopped.
    for (const node of mesh.all) void node.rooms?.system.stop();
    await time.runUntil(time.nowMs());
    return outcome;
  } finally {
    process.off('unhandledRejection', onRejection);
    time.close();
  }
};
