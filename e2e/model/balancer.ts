/**
 * The network between agents and ingest nodes: a balancer leads each new connection to one of the nodes that take any, and the lines may be cut.
 * Connections to a node that stands still are taken by its kernel and answered by nobody, as with a real one.
 */
import type { Life } from '@thrum/actors/simulation/virtual-time';
import type { Clock } from '@thrum/actors/system/clock';
import type { Connection, Listener } from '../../agent/src/uplink/connection.ts';
import { openWire, type End, type EndEvents, type Wire } from './wire.ts';

export type Door = {
  readonly life: Life;
  /** A connection stands; what is returned hears what comes over it. */
  enter(end: () => End): EndEvents;
};

export type Line = { readonly agent: number; readonly ingest: number; readonly wire: Wire };

/** As the intake sets its server up. */
const pingEveryMs = 4000;
const pingTimeoutMs = 8000;

export class Balancer {
  readonly #world: Clock;
  readonly #random: () => number;
  readonly #delayMs: { readonly min: number; readonly max: number };
  readonly #doors = new Map<number, Door>();
  readonly lines = new Set<Line>();
  /** Agents that reach nobody: connections hang, or are refused. */
  readonly cutOff = new Map<number, 'hangs' | 'refuses'>();

  constructor(options: {
    world: Clock;
    random: () => number;
    delayMs: { readonly min: number; readonly max: number };
  }) {
    this.#world = options.world;
    this.#random = options.random;
    this.#delayMs = options.delayMs;
  }

  open(ingest: number, door: Door): void {
    this.#doors.set(ingest, door);
  }

  /** It takes no more connections. */
  close(ingest: number): void {
    this.#doors.delete(ingest);
  }

  /** The process is gone: all its connections with it. */
  shut(ingest: number): void {
    this.#doors.delete(ingest);
    for (const line of [...this.lines]) if (line.ingest === ingest) line.wire.processGone('ingest');
  }

  /** `told`: its kernel lives on and says so; otherwise the power is gone. */
  agentGone(agent: number, told: boolean): void {
    for (const line of [...this.lines])
      if (line.agent === agent) {
        if (told) line.wire.processGone('agent');
        else line.wire.dead();
      }
  }

  /** What an uplink takes in the place of a real connection. */
  connect(agent: number, life: Life): (url: string, listener: Listener) => Connection {
    return (_url, listener) => this.#connect(agent, life, listener);
  }

  #connect(agent: number, life: Life, listener: Listener): Connection {
    const world = this.#world;
    let isOver = false;
    let end: End | undefined;
    let waiting: ((answer: undefined) => void)[] = [];
    const finish = (): void => {
      isOver = true;
      for (const give of waiting.splice(0)) give(undefined);
    };
    const lose = (reason: string): void => {
      if (isOver) return;
      finish();
      listener.lost(reason);
    };
    const events: EndEvents = {
      heard: () => {
        if (!isOver) listener.heard();
      },
      said: (event, args, reply) => {
        if (!isOver) listener.message(event, args[0], reply);
      },
      ended: lose,
    };
    world.after(this.#delayMs.max * (0.5 + this.#random()), () => {
      const cutOff = this.cutOff.get(agent);
      const doors = [...this.#doors];
      const chosen = doors[Math.floor(this.#random() * doors.length)];
      if (cutOff === 'hangs' || life.hasEnded()) return;
      if (!chosen || cutOff === 'refuses') {
        life.soon(() => lose('connect ECONNREFUSED'));
        return;
      }
      const [ingest, door] = chosen;
      door.life.soon(() => {
        if (isOver || life.hasEnded()) return;
        const line = this.#join(agent, life, events, ingest, door);
        end = line.wire.agentEnd;
        line.wire.ingestEnd.ping();
        life.soon(() => {
          if (!isOver) listener.connected(pingEveryMs);
        });
      });
    });
    return {
      emit: (event, ...payload) => {
        if (!isOver) end?.say(event, payload);
      },
      ask: (event, payload, timeoutMs) =>
        new Promise((resolve) => {
          if (isOver || !end) {
            resolve(undefined);
            return;
          }
          const give = (answer: unknown): void => {
            patience.cancel();
            waiting = waiting.filter((one) => one !== give);
            resolve(answer);
          };
          const patience = life.clock.after(timeoutMs, () => give(undefined));
          waiting.push(give);
          end.say(event, payload, give);
        }),
      written: () => Promise.resolve(),
      close: () => {
        if (isOver) return;
        end?.close('transport close');
        finish();
      },
    };
  }

  #join(agent: number, life: Life, events: EndEvents, ingest: number, door: Door): Line {
    let heardMs = this.#world.monotonicMs();
    const mine: { wire?: Wire } = {};
    const inner = door.enter(() => {
      if (!mine.wire) throw new Error('BUG: a session spoke before its connection stood');
      return mine.wire.ingestEnd;
    });
    const pinging = door.life.clock.every(pingEveryMs, () => {
      if (door.life.clock.monotonicMs() - heardMs > pingEveryMs + pingTimeoutMs) {
        mine.wire?.ingestEnd.close('ping timeout');
        inner.ended('ping timeout');
        pinging.cancel();
      } else mine.wire?.ingestEnd.ping();
    });
    const wire = openWire({
      world: this.#world,
      random: this.#random,
      delayMs: this.#delayMs,
      agent: { life, events },
      ingest: {
        life: door.life,
        events: {
          ...inner,
          heard: () => {
            heardMs = door.life.clock.monotonicMs();
            inner.heard();
          },
          ended: (reason) => {
            pinging.cancel();
            inner.ended(reason);
          },
        },
      },
      over: () => {
        pinging.cancel();
        this.lines.delete(line);
      },
    });
    mine.wire = wire;
    const line: Line = { agent, ingest, wire };
    this.lines.add(line);
    return line;
  }
}
