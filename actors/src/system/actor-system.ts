/**
 * The door to nact: nact spawns, dispatches and supervises; this room adds manners it lacks.
 *
 * Each actor is a nact actor whose nact mailbox never holds more than one wake-up; the messages wait in our own bounded mailbox. So a
 * mailbox has a limit, a crash costs only the message that caused it (nact would drop all), and an actor handles many messages per turn
 * of the event loop (nact: one). Children live under a nact actor that gets no messages, because nact copies the map of children for
 * every message their parent handles.
 */
import { start as startNact, stop as stopNact } from 'nact';
import { Actor, newFamily, stopFamily } from './actor.ts';
import { noCounts } from './actor-counts.ts';
import type { ActorCounts } from './actor-counts.ts';
import type { ActorRef, ActorSpec } from './actor-ref.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

export type { ActorRef, ActorSpec, AskOutcome, Self, StopReason, TellOutcome } from './actor-ref.ts';
export type { ActorCounts } from './actor-counts.ts';

export type ActorSystem = {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Throws when a living sibling has this name, or the system or parent is stopped: both are mistakes of the caller. */
  spawn<M, S>(spec: ActorSpec<M, S>, parent?: ActorRef<never>): ActorRef<M>;
  counters(): ActorCounts;
  /** Resolves when every actor has stopped, children before parents; nobody is waited for longer than a few seconds. */
  stop(): Promise<void>;
};

export const createActorSystem = (options: { name: string; clock: Clock; log: Log }): ActorSystem => {
  const { name, clock, log } = options;
  const nact = startNact();
  const counts = noCounts();
  const family = newFamily();
  let stopping: Promise<void> | undefined;

  const stopAll = async (): Promise<void> => {
    await stopFamily(family);
    stopNact(nact);
  };

  return {
    name,
    clock,
    log,
    spawn: (spec, parent) => {
      if (parent instanceof Actor) return parent.spawn(spec);
      if (parent) throw new Error(`${spec.name}: its parent ${parent.path} is no actor of this system`);
      if (stopping) throw new Error(`${spec.name}: actor system ${name} is stopped and spawns no more`);
      return new Actor(spec, { clock, log, counts, family, above: name, nactParent: () => nact });
    },
    counters: () => ({ ...counts }),
    stop: () => (stopping ??= stopAll()),
  };
};
