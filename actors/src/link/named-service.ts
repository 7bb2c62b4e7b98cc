/**
 * Questions to a node by the name of what answers them: an actor that hands each question to a function, many at work at a time, so that one slow
 * answer holds up nobody. What the function throws is the asker's 'failed', and costs nobody else anything.
 */
import type { ActorSystem, AskOutcome, StopReason } from '../system/actor-system.ts';
import { errorMessage } from '../system/describe-error.ts';
import type { MeshActors } from './mesh-actors.ts';

type Question = { question: unknown; reply: (answer: Answer) => void };
type Answer = { ok: true; value: unknown } | { ok: false; detail: string };
export type ServiceOutcome =
  { ok: true; value: unknown } | { ok: false; reason: 'no-link' | 'full' | 'deadline' | 'failed'; detail: string };

/** Raising it lets a node work at more at a time, and lets those who ask make it hold as much. */
const maxAtWork = 1000;
const mailbox = { max: 1000, whenFull: 'refuse' } as const;
const restart = { times: 3, withinMs: 60_000 };

export type ServiceParts = { readonly actors: MeshActors; readonly system: ActorSystem };

/** Throws when the name is taken. Returns how to end it. */
export const startService = (
  { actors, system }: ServiceParts,
  name: string,
  answer: (question: unknown) => unknown,
): (() => void) => {
  let atWork = 0;
  const work = async ({ question, reply }: Question): Promise<void> => {
    atWork += 1;
    try {
      reply({ ok: true, value: await answer(question) });
    } catch (error) {
      system.log.warn({ service: name, error }, 'a question could not be answered');
      reply({ ok: false, detail: errorMessage(error) });
    } finally {
      atWork -= 1;
    }
  };
  const actor = system.spawn<Partial<Question>, undefined>({
    ...{ name, mailbox, restart, start: () => undefined },
    receive: (_state, { question, reply }) => {
      if (typeof reply !== 'function') return undefined;
      if (atWork >= maxAtWork) reply({ ok: false, detail: `${atWork} questions are at work` });
      else void work({ question, reply });
      return undefined;
    },
  });
  actors.register(name, actor);
  return () => actor.stop();
};

const on = (actors: MeshActors, nodeId: string, name: string) =>
  actors.lookup<Question>(name).find((found) => found.node.id === nodeId)?.actor;

const reasons = { stopped: 'no-link', lost: 'no-link', full: 'full', deadline: 'deadline', failed: 'failed' } as const;

/** Asks what answers to this name on a node. */
export const askService = async (
  actors: MeshActors,
  nodeId: string,
  name: string,
  question: unknown,
  options: { deadlineMs: number },
): Promise<ServiceOutcome> => {
  const actor = on(actors, nodeId, name);
  if (!actor) return { ok: false, reason: 'no-link', detail: `node ${nodeId} has no ${name}` };
  const outcome: AskOutcome<Answer> = await actor.ask<Answer>((reply) => ({ question, reply }), options);
  if (!outcome.ok) return { ok: false, reason: reasons[outcome.reason], detail: `no answer: ${outcome.reason}` };
  return outcome.value.ok ? outcome.value : { ok: false, reason: 'failed', detail: outcome.value.detail };
};

/** `down` is called once when what answers to this name on a node is gone, or at once when there is none. Returns how to stop watching. */
export const watchService = (
  actors: MeshActors,
  nodeId: string,
  name: string,
  down: (reason: StopReason) => void,
): (() => void) => {
  const actor = on(actors, nodeId, name);
  if (actor) return actors.watch(actor, down);
  let over = false;
  queueMicrotask(() => {
    if (!over) down({ kind: 'lost', detail: `node ${nodeId} has no ${name}` });
  });
  return () => (over = true);
};
