/**
 * One run: a mesh behind its balancer with an Elasticsearch of its own and agents on hosts of their own; faults by the schedule; then no
 * faults, until every queue is empty; then the comparison of everything the agents had with everything the store keeps.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@thrum/actors/testing/random';
import { startMesh, type Mesh } from '../../infra/local/start-mesh.ts';
import { startBreaking, type World } from './breaking.ts';
import { startChaosAgent, type ChaosAgent } from './chaos-agent.ts';
import { startChaosStore, type ChaosStore } from './chaos-store.ts';
import { compareAll, type Comparison } from './comparison.ts';
import { fakeClockLibrary } from '../../infra/local/fake-clock-library.ts';
import { makeFakedClock, type FakedClock } from './faked-clock.ts';
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
  readonly say: (line: string) => void;
};

export type RunReport = {
  readonly plan: readonly Planned[];
  readonly done: readonly Done[];
  readonly beganMs: number;
  readonly notTried: readonly string[];
  readonly drainedMs: number | undefined;
  readonly agents: readonly ChaosAgent[];
  readonly comparison: Comparison;
};

const prefix = 'chaos';
/** With nothing measured any more; a balancer and a store have to be found up again first. */
const drainWithinMs = 60_000;
/** So long that nothing is measured after the first tick. */
const idlePeriodMs = 3_600_000;

export const runChaos = async (options: RunOptions): Promise<RunReport> => {
  const { directory, say } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const clocks = new Map<string, FakedClock>();
  const made: { store?: ChaosStore; mesh?: Mesh; agents: ChaosAgent[] } = { agents: [] };
  const notTried: string[] = [];
  const withoutDisks = noSmallDisks();
  if (withoutDisks !== undefined) notTried.push(withoutDisks);
  const hasClocks = fakeClockLibrary() !== undefined;
  if (!hasClocks) notTried.push('clocks to set need libfaketime');
  const said = (name: string, line: string): void => say(`    ${name}: ${line.slice(0, 400)}`);
  try {
    const store = (made.store = await startChaosStore(join(directory, 'elasticsearch')));
    if (store.kind === 'given') notTried.push('the Elasticsearch that ELASTICSEARCH_URL names is not broken');
    const mesh = (made.mesh = await startMesh({
      directory: join(directory, 'mesh'),
      store: `elasticsearch:${store.url}`,
      ingest: 2,
      web: 1,
      agents: 0,
      settings: { ingest: { THRUM_STORE_PREFIX: prefix } },
      settingsOf: (name) => {
        if (!options.ingestClocks || !name.startsWith('ingest-')) return {};
        const clock = makeFakedClock(join(directory, `${name}-clock`));
        if (clock) clocks.set(name, clock);
        return clock?.settings ?? {};
      },
      onEvent: (name, event) => {
        if (event.kind === 'output' && event.output.from === 'stderr') said(name, event.output.line);
      },
    }));
    for (let n = 1; n <= options.agents; n += 1) {
      const name = `agent-${n}`;
      const agent = await startChaosAgent({
        name,
        directory: join(directory, name),
        agentsUrl: mesh.agentsUrl,
        tokenFile: mesh.tokenFile,
        periodMs: options.periodMs,
        hasSmallDisk: withoutDisks === undefined && n <= 2,
        hasClock: hasClocks && (n === 3 || n === 4),
        onEvent: (from, event) => {
          if (event.kind === 'output' && event.output.from === 'stderr') said(from, event.output.line);
        },
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
      },
    }).filter(({ fault }) => store.kind !== 'given' || fault.of !== 'elasticsearch');
    const beganMs = Date.now();
    const breaking = startBreaking(world, say);
    await breaking.run(plan);
    await sleep(Math.max(0, beganMs + options.forMs - Date.now()));
    say('No more faults: nothing is measured any more, and every queue has to become empty.');
    const drainedMs = await drain(made.agents, say);
    const comparison = await compareAll({ agents: made.agents, store, prefix, done: breaking.done });
    return { plan, done: breaking.done, beganMs, notTried, drainedMs, agents: made.agents, comparison };
  } finally {
    await Promise.all(made.agents.map((agent) => agent.remove()));
    await made.mesh?.stop();
    await made.store?.stop();
  }
};

/** Returns how long it took, `undefined` when it took too long. */
const drain = async (agents: readonly ChaosAgent[], say: (line: string) => void): Promise<number | undefined> => {
  const beganMs = performance.now();
  await Promise.all(agents.map((agent) => agent.restartWith(idlePeriodMs)));
  for (;;) {
    const left = await Promise.all(
      agents.map(async (agent) => (await agent.figures()).get('thrum_agent_queue_batches') ?? Number.NaN),
    );
    const tookMs = performance.now() - beganMs;
    if (left.every((batches) => batches === 0)) return tookMs;
    if (tookMs > drainWithinMs) {
      say(`Not drained: ${agents.map((agent, i) => `${agent.name} keeps ${left[i] ?? '?'} records`).join(', ')}`);
      return undefined;
    }
    await sleep(250);
  }
};
