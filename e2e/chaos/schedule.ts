/**
 * What is broken when: drawn from a seed, before anything runs. Pure. Nothing is broken twice at the same time; different things are, often.
 */
export type Victims = {
  readonly agents: readonly string[];
  readonly ingest: readonly string[];
  readonly balancer: string;
  readonly store: string;
  /** Agents whose data lies on a disk of its own that can be filled. Their clocks are left alone, so that times mean something. */
  readonly smallDisks: readonly string[];
  /** Whose clock can be set. */
  readonly clocks: readonly string[];
  /** Agents whose queue is full after a long outage. */
  readonly smallQueues: readonly string[];
  /** Agents with a clock that give up what is a few hours old. */
  readonly shortAges: readonly string[];
  /** Agents whose queue files may be harmed while they are stopped. */
  readonly harmed: readonly string[];
};

export type Fault =
  | { readonly kind: 'kill'; readonly of: string; readonly downMs: number }
  | { readonly kind: 'pause'; readonly of: string; readonly forMs: number }
  /** All ingest nodes stop in order and start again at once. */
  | { readonly kind: 'restart-ingest'; readonly of: 'ingest' }
  | { readonly kind: 'disk-full'; readonly of: string; readonly forMs: number }
  /** From now on the clock is so far off the right time. */
  | { readonly kind: 'clock'; readonly of: string; readonly offMs: number }
  /** Its connections end, and no other is had. */
  | { readonly kind: 'cut'; readonly of: string; readonly forMs: number }
  /** Cut off for so long, killed, its queue files harmed, started again. */
  | { readonly kind: 'harm'; readonly of: string; readonly how: Harm; readonly cutMs: number; readonly seed: number }
  /** Cut off, killed, and started again hours later by its clock; nothing can be sent until the queue has looked for what is too old. */
  | { readonly kind: 'age'; readonly of: string; readonly cutMs: number; readonly forMs: number }
  /** Cut off on a full disk for so long, then stopped in order: what is in memory only has nowhere to go. */
  | { readonly kind: 'stop-full'; readonly of: string; readonly forMs: number };

/** What is done to the files of a queue. */
export type Harm = 'damage' | 'poison' | 'checkpoint';

export type Planned = { readonly atMs: number; readonly fault: Fault };

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** As long as the smallest queue there can be takes to fill, and longer. */
const longCutMs = [95_000, 150_000] as const;
/** The queue looks once a minute. */
const ageLookMs = 66_000;

/** An agent finds a record that nobody can read while others are taken. */
const findPoisonMs = 40_000;

/** A killed server of that size takes its time to come back; more often it would hardly ever be there. */
const storeKillEveryMs = 75_000;
const storePauseEveryMs = 25_000;

const draw = <T>(random: () => number, list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];

/** How often each kind is drawn; a kind without a victim is left out. */
const weights = {
  'kill agent': 24,
  'pause agent': 14,
  'kill ingest': 18,
  'pause ingest': 12,
  'kill balancer': 6,
  'pause balancer': 5,
  'kill store': 6,
  'pause store': 9,
  'restart ingest': 4,
  'disk full': 7,
  'disk stop': 4,
  clock: 12,
  'cut agent': 8,
  'cut long': 3,
  age: 3,
  'harm damage': 6,
  'harm poison': 4,
  'harm checkpoint': 2,
} as const;
type Kind = keyof typeof weights;

export const drawSchedule = (options: {
  readonly random: () => number;
  readonly forMs: number;
  readonly perMinute: number;
  readonly victims: Victims;
}): Planned[] => {
  const { random, forMs, victims } = options;
  const between = (from: number, to: number): number => Math.round(from + random() * (to - from));
  const busyUntil = new Map<string, number>();
  const plan: Planned[] = [];

  const faultOf = (kind: Kind, atMs: number): Fault | undefined => {
    const free = (list: readonly string[]): string | undefined =>
      draw(
        random,
        list.filter((name) => (busyUntil.get(name) ?? 0) <= atMs),
      );
    const [verb, what] = kind.split(' ');
    if (kind === 'restart ingest') {
      if (victims.ingest.some((name) => (busyUntil.get(name) ?? 0) > atMs)) return undefined;
      return { kind: 'restart-ingest', of: 'ingest' };
    }
    const groups = {
      agent: victims.agents,
      ingest: victims.ingest,
      balancer: [victims.balancer],
      store: [victims.store],
    };
    const among: Partial<Record<Kind, readonly string[]>> = {
      clock: victims.clocks,
      age: victims.shortAges,
      'disk full': victims.smallDisks,
      'disk stop': victims.smallDisks,
      'cut long': victims.smallQueues,
      'harm damage': victims.harmed,
      'harm poison': victims.harmed,
      'harm checkpoint': victims.harmed,
    };
    const of = free(among[kind] ?? groups[what as keyof typeof groups]);
    if (of === undefined) return undefined;
    if (kind === 'clock')
      return {
        kind: 'clock',
        of,
        offMs: (draw(random, [-dayMs, -hourMs, 0, hourMs, dayMs]) ?? 0) + between(-1500, 1500),
      };
    if (kind === 'disk full') return { kind: 'disk-full', of, forMs: between(2000, 10_000) };
    if (kind === 'disk stop') return { kind: 'stop-full', of, forMs: between(3000, 6000) };
    if (kind === 'cut long') return { kind: 'cut', of, forMs: between(...longCutMs) };
    if (kind === 'age') return { kind: 'age', of, cutMs: between(2500, 6000), forMs: ageLookMs };
    if (verb === 'cut') return { kind: 'cut', of, forMs: between(1000, 15_000) };
    if (verb === 'harm')
      return { kind: 'harm', of, how: what as Harm, cutMs: between(2500, 6000), seed: between(1, 1e9) };
    if (verb === 'pause') return { kind: 'pause', of, forMs: between(1000, 8000) };
    return { kind: 'kill', of, downMs: between(0, 4000) };
  };

  const occupy = (fault: Fault, atMs: number): void => {
    const until = (ms: number): Map<string, number> => busyUntil.set(fault.of, atMs + ms);
    if (fault.kind === 'restart-ingest') for (const name of victims.ingest) busyUntil.set(name, atMs + 6000);
    else if (fault.of === victims.store) until(fault.kind === 'kill' ? storeKillEveryMs : storePauseEveryMs);
    else if (fault.kind === 'kill') until(fault.downMs + 4000);
    else if (fault.kind === 'clock') until(2000);
    else if (fault.kind === 'harm') until(fault.cutMs + 6000);
    else if (fault.kind === 'age') until(fault.cutMs + fault.forMs + 5000);
    else if (fault.kind === 'stop-full') until(fault.forMs + 6000);
    else until(fault.forMs + 1000);
  };

  const kinds = Object.keys(weights) as Kind[];
  const sum = kinds.reduce((total, kind) => total + weights[kind], 0);
  const drawKind = (): Kind => {
    let at = random() * sum;
    for (const kind of kinds) {
      at -= weights[kind];
      if (at < 0) return kind;
    }
    return 'kill agent';
  };

  const everyMs = 60_000 / options.perMinute;
  for (let atMs = everyMs * random(); atMs < forMs; atMs += everyMs * (0.5 + random())) {
    for (let tries = 0; tries < 50; tries += 1) {
      const fault = faultOf(drawKind(), atMs);
      // What takes long must end before the run does: the drain is not for what is still broken.
      if (!fault || (lastsMs(fault) > 20_000 && atMs + lastsMs(fault) > forMs)) continue;
      occupy(fault, atMs);
      plan.push({ atMs: Math.round(atMs), fault });
      break;
    }
  }
  return plan;
};

const lastsMs = (fault: Fault): number => {
  if (fault.kind === 'age') return fault.cutMs + fault.forMs;
  if (fault.kind === 'harm' && fault.how === 'poison') return fault.cutMs + findPoisonMs;
  return fault.kind === 'cut' ? fault.forMs : 0;
};

const harms: Readonly<Record<Harm, string>> = {
  damage: 'some bytes of a segment overwritten',
  poison: 'a batch made unreadable under right checksums',
  checkpoint: 'a checkpoint damaged',
};

export const describeFault = (fault: Fault): string => {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  if (fault.kind === 'kill') return `kill -9 ${fault.of}, started again after ${seconds(fault.downMs)}`;
  if (fault.kind === 'pause') return `pause ${fault.of} for ${seconds(fault.forMs)}`;
  if (fault.kind === 'restart-ingest') return 'restart all ingest nodes at once';
  if (fault.kind === 'disk-full') return `fill the disk of ${fault.of} for ${seconds(fault.forMs)}`;
  if (fault.kind === 'cut') return `cut off ${fault.of} for ${seconds(fault.forMs)}`;
  if (fault.kind === 'harm')
    return `cut off ${fault.of} for ${seconds(fault.cutMs)}, kill -9, ${harms[fault.how]}, started again`;
  if (fault.kind === 'age')
    return `cut off ${fault.of}, kill -9 after ${seconds(fault.cutMs)}, started again two hours later by its clock, cut off for ${seconds(fault.forMs)} more`;
  if (fault.kind === 'stop-full')
    return `cut off ${fault.of} on a full disk for ${seconds(fault.forMs)}, stopped in order, started again with room`;
  return `set the clock of ${fault.of} ${seconds(fault.offMs)} off`;
};
