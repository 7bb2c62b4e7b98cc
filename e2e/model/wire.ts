/**
 * One connection between an agent and an ingest node, through the balancer: TCP with socket.io on it, in memory. What one end says arrives at
 * the other in its order, after a while, or not at all from some moment on. Invariants:
 * - a line that is `cut` ends for both, each learning of it in its own time; what was on the way arrives up to a point drawn by lot;
 * - over a line that went `dead` nothing comes any more, either way, and nobody is told: only silence tells;
 * - whoever closes is told nothing; the other end hears all that was said before, then the end.
 */
import type { Life } from '@thrum/actors/simulation/virtual-time';
import type { Clock } from '@thrum/actors/system/clock';

export type Reply = ((answer: unknown) => void) | undefined;
export type EndEvents = {
  said(event: string, args: readonly unknown[], reply: Reply): void;
  /** Whatever came in, pings and their answers included. */
  heard(): void;
  ended(reason: string): void;
};

export type End = {
  say(event: string, args: readonly unknown[], reply?: (answer: unknown) => void): void;
  /** A sign of life that the other end answers by itself. */
  ping(): void;
  close(reason: string): void;
};

type Side = { readonly life: Life; readonly events: EndEvents; lastMs: number; over: boolean };

export type Wire = {
  readonly agentEnd: End;
  readonly ingestEnd: End;
  cut(): void;
  dead(): void;
  /** The process at one end is gone; its kernel says so, unless the machine went with it. */
  processGone(side: 'agent' | 'ingest'): void;
  isOver(): boolean;
};

const copied = (args: readonly unknown[]): readonly unknown[] =>
  args.map((one) => (one instanceof Uint8Array ? Uint8Array.from(one) : one));

export const openWire = (options: {
  readonly world: Clock;
  readonly random: () => number;
  readonly delayMs: { readonly min: number; readonly max: number };
  readonly agent: { readonly life: Life; readonly events: EndEvents };
  readonly ingest: { readonly life: Life; readonly events: EndEvents };
  readonly over: () => void;
}): Wire => {
  const { world, random } = options;
  const sides = {
    agent: { ...options.agent, lastMs: 0, over: false } as Side,
    ingest: { ...options.ingest, lastMs: 0, over: false } as Side,
  };
  let isDead = false;
  /** After a cut: what would arrive later does not. */
  let cutMs = Infinity;

  const end = (side: Side, reason: string): void => {
    if (side.over) return;
    side.over = true;
    side.life.soon(() => side.events.ended(reason));
    if (sides.agent.over && sides.ingest.over) options.over();
  };
  /** Runs at the other end when what is sent now has arrived there, in order. */
  const carry = (to: Side, run: () => void): void => {
    const nowMs = world.monotonicMs();
    to.lastMs = Math.max(
      to.lastMs,
      nowMs + options.delayMs.min + random() * (options.delayMs.max - options.delayMs.min),
    );
    const atMs = to.lastMs;
    world.after(atMs - nowMs, () => {
      if (isDead || to.over || atMs > cutMs) return;
      run();
    });
  };

  const endOf = (from: Side, to: Side): End => {
    const deliver = (run: () => void): void =>
      carry(to, () =>
        to.life.soon(() => {
          if (to.over) return;
          to.events.heard();
          run();
        }),
      );
    const isOpen = (): boolean => !from.over;
    return {
      say: (event, args, reply) => {
        if (!isOpen()) return;
        const sent = copied(args);
        const answer: Reply =
          reply &&
          ((value) => {
            if (to.over) return;
            carry(from, () =>
              from.life.soon(() => {
                if (from.over) return;
                from.events.heard();
                reply(value);
              }),
            );
          });
        deliver(() => to.events.said(event, sent, answer));
      },
      ping: () => {
        if (isOpen())
          deliver(() =>
            carry(from, () =>
              from.life.soon(() => {
                if (!from.over) from.events.heard();
              }),
            ),
          );
      },
      close: (reason) => {
        if (from.over) return;
        from.over = true;
        carry(to, () => end(to, reason));
        if (to.over) options.over();
      },
    };
  };

  return {
    agentEnd: endOf(sides.agent, sides.ingest),
    ingestEnd: endOf(sides.ingest, sides.agent),
    cut: () => {
      const nowMs = world.monotonicMs();
      cutMs = Math.min(cutMs, nowMs + random() * options.delayMs.max);
      for (const side of Object.values(sides))
        world.after(cutMs - nowMs + random() * 20, () => end(side, 'connection reset'));
    },
    dead: () => void (isDead = true),
    processGone: (name) => {
      const gone = sides[name];
      const other = name === 'agent' ? sides.ingest : sides.agent;
      gone.over = true;
      // What it said before may still arrive.
      carry(other, () => end(other, 'connection reset'));
      if (other.over) options.over();
    },
    isOver: () => sides.agent.over && sides.ingest.over,
  };
};
