/**
 * One run: a mesh behind its balancer with an Elasticsearch of its own and agents on hosts of their own; faults by the schedule; then no
 * faults, until every queue is empty; then the comparison of everything the agents had with everything the store keeps.
 */
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@thrum/actors/testing/random';
import type { Settings } from '../../infra/local/programs.ts';
import type { RoleEvent } from '../../infra/local/role.ts';
import { startMesh, type Mesh } from '../../infra/local/start-mesh.ts';
import { startBreaking, type World } from './breaking.ts';
import { startChaosAgent, type ChaosAgent } from './chaos-agent.ts';
import { startChaosStore, type ChaosStore } from './chaos-store.ts';
import { compareAll, type Comparison } from './comparison.ts';
import { accountOf, type OwnAccount } from './own-account.ts';
import { fakeClockLibrary } from '../../infra/local/fake-clock-library.ts';
import { makeFakedClock, sweepFakedClocks, type FakedClock } from './faked-clock.ts';
import { mutantSettings } from './mutant-settings.ts';
import { drawSchedule, type Planned } from './schedule.ts';
import { noSmallDisks } from './small-disk.ts';
import type { Done } from './breaking.ts';

export type RunOptions = {
  readonly directory: string;
  readonly seed: number;
  readonly forMs: number;
  readonly perMinute: number;
  readonly agents: number;
  readonly periodMs: number;
  /** Clocks of ingest nodes are set, too. */
  readonly ingestClocks: boolean;
  /** A wrong product, by the name of what is wrong with it. */
  readonly mutant?: string | undefined;
  readonly say: (line: string) => void;
  /** Gives up: what runs is ended, disks are taken away. */
  readonly abort?: AbortSignal;
};

export type RunReport = {
  readonly plan: readonly Planned[];
  readonly done: readonly Done[];
  readonly beganMs: number;
  readonly notTried: readonly string[];
  readonly drainedMs: number | undefined;
  /** How long starting everything took, and comparing. */
  readonly tookMs: { readonly start: number; readonly compare: number };
  readonly agents: readonly ChaosAgent[];
  readonly comparison: Comparison;
};

const prefix = 'chaos';
/** With nothing measured any more; a balancer and a store have to be found up again first. */
const drainWithinMs = 60_000;
/**
 * So long that nothing is measured for minutes after the first tick, and not so long that its time, which lies on the period, is further
 * ahead than ingest takes.
 */
const idlePeriodMs = 480_000;
const emptyLooks = 2;

/** Agents of a run that differ from the others, by number. The first two have disks to fill. */
const shortAgeAgent = 3;
const smallQueueAgent = 4;
/** Fills the smallest queue there can be within a minute and a half. */
const fastPeriodMs = 100;
const settingsOfAgent = (n: number): Settings => {
  if (n === shortAgeAgent) return { THRUM_QUEUE_AGE_HOURS: '1' };
  return n === smallQueueAgent ? { THRUM_QUEUE_BYTES: String(1024 ** 2) } : {};
};

export const runChaos = async (options: RunOptions): Promise<RunReport> => {
  const { directory, say } = options;
  const startedMs = Date.now();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const clocks = new Map<string, FakedClock>();
  const made: { store?: ChaosStore; mesh?: Mesh; agents: ChaosAgent[] } = { agents: [] };
  const notTried: string[] = [];
  const withoutDisks = noSmallDisks();
  if (withoutDisks !== undefined) notTried.push(withoutDisks);
  const hasClocks = fakeClockLibrary() !== undefined;
  if (!hasClocks) notTried.push('clocks to set need libfaketime');
  // What the programs say is for whoever looks for a reason.
  const log = createWriteStream(join(directory, 'programs.log'));
  const onEvent = (name: string, event: RoleEvent): void => {
    const at = new Date().toISOString();
    if (event.kind === 'output' && event.output.from === 'stderr') log.write(`${at} ${name}: ${event.output.line}\n`);
    if (event.kind === 'ready') log.write(`${at} ${name} is ready: ${JSON.stringify(event.line)}\n`);
    if (event.kind === 'ended') log.write(`${at} ${name} ended by itself: ${JSON.stringify(event.ending)}\n`);
  };
  const tell = (line: string): void => {
    say(line);
    log.write(`${new Date().toISOString()} ${line}\n`);
  };
  try {
    const store = (made.store = await startChaosStore(join(directory, 'elasticsearch')));
    if (store.kind === 'given') notTried.push('the Elasticsearch that ELASTICSEARCH_URL names is not broken');
    const mesh = (made.mesh = await startMesh({
      directory: join(directory, 'mesh'),
      store: `elasticsearch:${store.url}`,
      ingest: 2,
      web: 1,
      agents: 0,
      settings: { ingest: { THRUM_STORE_PREFIX: prefix, ...mutantSettings(options.mutant, 'ingest') } },
      settingsOf: (name) => {
        if (!options.ingestClocks || !name.startsWith('ingest-')) return {};
        const clock = makeFakedClock(join(directory, `${name}-clock`));
        if (clock) clocks.set(name, clock);
        return clock?.settings ?? {};
      },
      onEvent,
    }));
    for (let n = 1; n <= options.agents; n += 1) {
      const name = `agent-${n}`;
      const agent = await startChaosAgent({
        name,
        directory: join(directory, name),
        agentsUrl: mesh.agentsUrl,
        tokenFile: mesh.tokenFile,
        periodMs: n === smallQueueAgent ? fastPeriodMs : options.periodMs,
        hasSmallDisk: withoutDisks === undefined && n <= 2,
        hasClock: hasClocks && (n === shortAgeAgent || n === smallQueueAgent),
        settings: { ...settingsOfAgent(n), ...mutantSettings(options.mutant, 'agent') },
        onEvent,
      });
      made.agents.push(agent);
      if (agent.clock) clocks.set(name, agent.clock);
    }
    await Promise.all(made.agents.map((agent) => agent.role().ready()));

    const world: World = { mesh, agents: made.agents, store, clocks };
    const plan = drawSchedule({
      random: seededRandom(options.seed),
      forMs: options.forMs,
      perMinute: options.perMinute,
      victims: {
        agents: made.agents.map((agent) => agent.name),
        ingest: mesh.ingest.map((node) => node.name),
        balancer: 'haproxy',
        store: 'elasticsearch',
        smallDisks: made.agents.filter((agent) => agent.disk).map((agent) => agent.name),
        clocks: [...clocks.keys()],
        smallQueues: made.agents.filter((_, i) => i + 1 === smallQueueAgent).map((agent) => agent.name),
        shortAges: made.agents.filter((agent, i) => agent.clock && i + 1 === shortAgeAgent).map((agent) => agent.name),
        harmed: made.agents.filter((agent) => !agent.disk).map((agent) => agent.name),
      },
    }).filter(({ fault }) => store.kind !== 'given' || fault.of !== 'elasticsearch');
    const beganMs = Date.now();
    const breaking = startBreaking(world, tell);
    await Promise.race([breaking.run(plan), untilAborted(options.abort)]);
    options.abort?.throwIfAborted();
    await sleep(Math.max(0, beganMs + options.forMs - Date.now()));
    tell('No more faults: nothing is measured any more, and every queue has to become empty.');
    const { drainedMs, accounts } = await drain(made.agents, tell);
    const drainedAtMs = Date.now();
    const comparison = await compareAll({ agents: made.agents, accounts, store, prefix, done: breaking.done });
    const tookMs = { start: beganMs - startedMs, compare: Date.now() - drainedAtMs };
    return { plan, done: breaking.done, beganMs, notTried, drainedMs, tookMs, agents: made.agents, comparison };
  } finally {
    log.end();
    await Promise.all(made.agents.map((agent) => agent.remove()));
    await made.mesh?.stop();
    await made.store?.stop();
    sweepFakedClocks();
  }
};

const untilAborted = (abort: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => abort?.addEventListener('abort', () => resolve(), { once: true }));

type Drained = {
  /** `undefined`: it took too long. */
  readonly drainedMs: number | undefined;
  /** What each agent said of itself then. */
  readonly accounts: readonly (OwnAccount | undefined)[];
};

const drain = async (agents: readonly ChaosAgent[], say: (line: string) => void): Promise<Drained> => {
  const beganMs = performance.now();
  await Promise.all(agents.map((agent) => agent.restartWith(idlePeriodMs)));
  for (let empty = 0; ; await sleep(250)) {
    const figures = await Promise.all(agents.map((agent) => agent.figures()));
    const left = figures.map((of) => of.get('thrum_agent_queue_batches') ?? Number.NaN);
    const tookMs = performance.now() - beganMs;
    empty = left.every((batches) => batches === 0) ? empty + 1 : 0;
    const isDrained = empty >= emptyLooks;
    if (!isDrained && tookMs <= drainWithinMs) continue;
    if (!isDrained)
      say(`Not drained: ${agents.map(({ name }, i) => `${name} keeps ${left[i] ?? '?'} records`).join(', ')}`);
    return { drainedMs: isDrained ? tookMs : undefined, accounts: figures.map(accountOf) };
  }
};
