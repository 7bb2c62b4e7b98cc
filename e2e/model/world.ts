/** The installation of one run: hosts with their agents, ingest nodes, the network and the server, and what a plan does to them. */
import type { VirtualTime } from '@thrum/actors/simulation/virtual-time';
import type { Log } from '@thrum/actors/system/log';
import { seededRandom } from '@thrum/actors/testing/random';
import { newAgentHost, type AgentHost } from './agent-host.ts';
import { startAgentLife, type AgentLife } from './agent-life.ts';
import { Balancer, type Line } from './balancer.ts';
import { startIngest, type IngestLife } from './ingest-life.ts';
import { accountProblem, type KeptRecord, type Ledger } from './ledger.ts';
import { LiveCheck } from './live-check.ts';
import type { WrongRules } from './mutant.ts';
import type { Fault, Plan } from './plan.ts';
import { SimulatedElasticsearch } from './simulated-elasticsearch.ts';
import { storeClient } from './store-client.ts';

export type WorldOptions = {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly ledger: Ledger;
  readonly rules: WrongRules;
  readonly broken: (what: string, detail: string) => void;
  readonly log?: Log | undefined;
};

/** Beside the way there. */
const liveWithinMs = 500;
const dayMs = 86_400_000;
/** A little less than what the wire allows. */
const maxAheadMs = 4 * 60_000;
/** What one write may bring over the bound. */
const maxBatchHeldBytes = 256 * 1024;

export class World {
  readonly server: SimulatedElasticsearch;
  readonly balancer: Balancer;
  readonly hosts: readonly AgentHost[];
  readonly agents = new Map<number, AgentLife>();
  readonly ingests = new Map<number, IngestLife>();
  readonly #options: WorldOptions;
  readonly #random: () => number;
  readonly #live: LiveCheck;
  readonly #wallAheadMs: { agents: number[]; ingests: number[] };
  /** Agents that died at least once; `mayKnow`: the last time with a disk that worked. */
  readonly #ends = new Map<number, { readonly mayKnow: boolean }>();
  readonly #hadDiskFaults = new Set<number>();
  /** Agents whose next batch no node can read. */
  readonly #measuresNonsense = new Set<number>();
  #numbers = 0;
  #starts = 0;
  #isCalm = false;
  #resumedMs = -Infinity;
  isQuiet = false;

  constructor(options: WorldOptions) {
    const { plan, time, ledger } = options;
    this.#options = options;
    const random = seededRandom(Math.imul(plan.seed, 0x85ebca6b) ^ 0x1b56c4e9);
    this.#random = random;
    this.#wallAheadMs = { agents: [...plan.wallAheadMs.agents], ingests: [...plan.wallAheadMs.ingests] };
    this.server = new SimulatedElasticsearch({
      random,
      wallMs: () => time.world.clock.wallMs(),
      stored: (document) => ledger.wrote(document),
      isPoison: (source) => ((source['m'] as { mood?: number } | undefined)?.mood ?? 0) < 0,
    });
    this.balancer = new Balancer({ world: time.world.clock, random, delayMs: plan.delayMs });
    this.#live = new LiveCheck({ broken: options.broken, withinMs: liveWithinMs + 4 * plan.delayMs.max });
    this.hosts = Array.from({ length: plan.agents }, (_, index) => newAgentHost(index, random));
  }

  startAll(): void {
    const { plan } = this.#options;
    for (let ingest = 0; ingest < plan.ingests; ingest += 1) this.#startIngest(ingest);
    for (let agent = 0; agent < plan.agents; agent += 1) this.#startAgent(agent);
  }

  apply(fault: Fault): void {
    switch (fault.kind) {
      case 'agent-kill':
        return this.#endAgent(fault.agent, true);
      case 'agent-power':
        return this.#endAgent(fault.agent, false);
      case 'agent-stop':
        return this.#stopAgent(fault.agent);
      case 'agent-start':
        return this.#startAgent(fault.agent);
      case 'agent-pause':
        this.#spoil(({ agent }) => agent === fault.agent);
        return this.agents.get(fault.agent)?.life.pause();
      case 'agent-resume':
        this.#resumedMs = this.#options.time.nowMs();
        return this.agents.get(fault.agent)?.life.resume();
      case 'disk-full':
        this.#hadDiskFaults.add(fault.agent);
        return this.hosts[fault.agent]?.disk.fill(fault.bytesFree);
      case 'disk-fails':
        this.#hadDiskFaults.add(fault.agent);
        return this.hosts[fault.agent]?.disk.failNext({ ...fault, code: 'EIO' });
      case 'disk-well':
        return this.#healDisk(fault.agent);
      case 'agent-clock':
        this.#wallAheadMs.agents[fault.agent] = (this.#wallAheadMs.agents[fault.agent] ?? 0) + fault.ms;
        this.agents.get(fault.agent)?.life.stepWall(fault.ms);
        return;
      case 'ingest-kill':
        return this.#endIngest(fault.ingest);
      case 'ingest-leave':
        return this.#leaveIngest(fault.ingest);
      case 'ingest-start':
        return this.#startIngest(fault.ingest);
      case 'ingest-pause':
        this.#spoil(({ ingest }) => ingest === fault.ingest);
        this.ingests.get(fault.ingest)?.life.pause();
        return;
      case 'ingest-resume':
        this.#resumedMs = this.#options.time.nowMs();
        return this.ingests.get(fault.ingest)?.life.resume();
      case 'ingest-clock':
        this.#wallAheadMs.ingests[fault.ingest] = (this.#wallAheadMs.ingests[fault.ingest] ?? 0) + fault.ms;
        this.ingests.get(fault.ingest)?.life.stepWall(fault.ms);
        return;
      case 'cut':
      case 'dead-line':
        this.#spoil(({ agent }) => agent === fault.agent);
        for (const line of [...this.balancer.lines])
          if (line.agent === fault.agent) {
            if (fault.kind === 'cut') line.wire.cut();
            else line.wire.dead();
          }
        return;
      case 'cut-off':
        this.balancer.cutOff.set(fault.agent, fault.how);
        return;
      case 'reachable':
        this.balancer.cutOff.delete(fault.agent);
        return;
      case 'store':
        this.server.trouble = fault.trouble;
        return;
      case 'unreadable':
        this.#measuresNonsense.add(fault.agent);
        return;
      case 'delete-index':
        this.#options.ledger.removed(this.server.deleteIndex(fault.draw));
    }
  }

  /** Faults are over: whatever is down starts, whatever stands still goes on. */
  calm(): void {
    this.#isCalm = true;
    this.#resumedMs = this.#options.time.nowMs();
    this.server.trouble = {};
    this.balancer.cutOff.clear();
    for (const { life } of this.ingests.values()) life.resume();
    for (const { life } of this.agents.values()) life.resume();
    for (const { index } of this.hosts) this.#healDisk(index);
    for (let ingest = 0; ingest < this.#options.plan.ingests; ingest += 1) this.#startIngest(ingest);
    for (const { index } of this.hosts) this.#startAgent(index);
  }

  get samples(): number {
    return this.#numbers;
  }

  /** What has not come to its end yet, in words. */
  unsettled(): string | undefined {
    for (const host of this.hosts) {
      const agent = this.agents.get(host.index);
      if (!agent?.queue) return `agent ${host.index} does not run`;
      const { batches } = agent.queue.size();
      if (batches > 0) return `agent ${host.index} still keeps ${batches} records`;
      if (agent.queue.nextGap()) return `agent ${host.index} has a gap to tell`;
    }
    return undefined;
  }

  /** What is wrong when everything has come to its end. */
  *judge(): Generator<{ guarantee: string; detail: string }> {
    const { ledger } = this.#options;
    const lost = ledger.open();
    const [first] = lost;
    if (first)
      yield {
        guarantee: 'nothing is lost',
        detail: `${lost.length} records, the first is ${first.host}:${first.epoch}:${first.seq} with samples ${first.samples.map(({ number }) => number).join(', ')}`,
      };
    for (const host of this.hosts) {
      const agent = this.agents.get(host.index);
      if (!agent?.queue) continue;
      const unclean = ledger.gapsTold(host.id, 'unclean');
      const end = this.#ends.get(host.index);
      if (end?.mayKnow === true && unclean === 0)
        yield { guarantee: 'an end is told', detail: `agent ${host.index} died, and no gap says so` };
      if (!end && unclean > 0 && !this.#hadDiskFaults.has(host.index))
        yield { guarantee: 'an end is told', detail: `a gap says that agent ${host.index} died, which it did not` };
      const problem = accountProblem(agent.queue.account(), ledger.tally(host.id));
      if (problem !== undefined) yield { guarantee: 'the account', detail: `of agent ${host.index}, ${problem}` };
    }
  }

  #healDisk(index: number): void {
    const disk = this.hosts[index]?.disk;
    disk?.heal();
    disk?.freeSpace();
  }

  /** Its agents are sent elsewhere, what is on the way may end; then it is gone. */
  #leaveIngest(index: number): void {
    const ingest = this.ingests.get(index);
    if (!ingest) return;
    this.#spoil((line) => line.ingest === index);
    this.balancer.close(index);
    ingest.life.soon(() => {
      void ingest.leave().then(() => {
        if (this.ingests.get(index) !== ingest) return;
        this.#endIngest(index);
        if (this.#isCalm) this.#startIngest(index);
      });
    });
  }

  #startAgent(index: number): void {
    const host = this.hosts[index];
    if (!host || this.agents.has(index)) return;
    const { time, ledger, broken, plan, rules, log } = this.#options;
    this.#starts += 1;
    const life = time.live(`agent ${index} start ${this.#starts}`, {
      wallAheadMs: this.#wallAheadMs.agents[index] ?? 0,
    });
    life.soon(() => {
      const agent = startAgentLife({
        ...{
          host,
          life,
          ledger,
          rules,
          limits: plan.queue,
          log: log?.child({ life: life.name }),
          random: this.#random,
        },
        connect: this.balancer.connect(index, life),
        offered: (record) => {
          if (record.samples.length > 0 && this.#measuresNonsense.delete(index)) ledger.unreadable(record);
        },
        kept: (record) => this.#kept(index, record),
        measure: {
          next: () => (this.#numbers += 1),
          random: this.#random,
          isQuiet: () => this.isQuiet && !this.#hasOnlyUnreadable(index),
        },
        failed: (what, error) =>
          broken('no surprise', `${what}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`),
      });
      this.agents.set(index, agent);
    });
  }

  /** What alone is left and never taken nobody can tell from an ingest that takes nothing: something else has to be measured. */
  #hasOnlyUnreadable(index: number): boolean {
    const left = this.agents.get(index)?.queue?.size().batches ?? 0;
    return left <= 1 && this.#options.ledger.waitsForOthers(this.hosts[index]?.id ?? '');
  }

  /** If its agent has an open conversation, it must be shown soon. */
  #kept(index: number, record: KeptRecord): void {
    // While a record that nobody can read is looked for, records go one at a time.
    if (this.#options.ledger.waitsForOthers(record.host)) return;
    const line = [...this.balancer.lines].findLast(({ agent }) => agent === index);
    const ingest = line && this.ingests.get(line.ingest);
    if (!ingest || ingest.life.isPaused() || this.agents.get(index)?.uplink?.isOpen() !== true) return;
    const aheadMs = (record.samples[0]?.timeMs ?? 0) - ingest.life.clock.wallMs();
    // What the node refuses it does not show.
    if (aheadMs < maxAheadMs && aheadMs > -dayMs) this.#live.kept(record, line, this.#options.time.nowMs());
  }

  /** What must hold at every moment. */
  look(): void {
    const { time, broken, ledger, plan } = this.#options;
    for (const [index, { queue, recording }] of this.agents) {
      if ((recording?.counters.ticksLost ?? 0) > 0) broken('no surprise', `agent ${index} lost a tick`);
      if (queue?.durability().state === 'durable') ledger.strengthened(this.hosts[index]?.id ?? '');
    }
    this.#live.look(time.nowMs());
    for (const [index, { store }] of this.ingests) {
      const held = store.room().heldBytes;
      if (held > plan.storeBytes + maxBatchHeldBytes)
        broken('bounds', `the store of ingest ${index} holds ${held} bytes, it may ${plan.storeBytes}`);
    }
  }

  #spoil(which: (line: Line) => boolean): void {
    for (const line of this.balancer.lines) if (which(line)) this.#live.spoil(line);
  }

  #endAgent(index: number, told: boolean, isOrderly = false): void {
    const agent = this.agents.get(index);
    if (!agent) return;
    this.agents.delete(index);
    if (!isOrderly) this.#ends.set(index, { mayKnow: agent.queue?.durability().state === 'durable' });
    agent.life.end();
    this.#spoil((line) => line.agent === index);
    if (told) this.hosts[index]?.disk.kill();
    else this.hosts[index]?.disk.powerFailure();
    this.balancer.agentGone(index, told);
    this.#options.ledger.died(this.hosts[index]?.id ?? '');
  }

  #stopAgent(index: number): void {
    const agent = this.agents.get(index);
    if (!agent) return;
    agent.life.soon(() => {
      void agent.stop().then(() => {
        if (this.agents.get(index) !== agent) return;
        this.#endAgent(index, true, true);
        if (this.#isCalm) this.#startAgent(index);
      });
    });
  }

  #startIngest(index: number): void {
    if (this.ingests.has(index)) return;
    const { time, ledger, plan, rules, broken, log } = this.#options;
    this.#starts += 1;
    const life = time.live(`ingest ${index} start ${this.#starts}`, {
      wallAheadMs: this.#wallAheadMs.ingests[index] ?? 0,
    });
    const random = this.#random;
    const { min, max } = plan.delayMs;
    life.soon(() => {
      const ingest = startIngest({
        ...{
          life,
          random,
          rules,
          name: life.name,
          maxHeldBytes: plan.storeBytes,
          log: log?.child({ life: life.name }),
        },
        client: storeClient({
          server: this.server,
          life,
          world: time.world.clock,
          random,
          delayMs: { min, max: max / 2 + min },
        }),
        watch: {
          // Whoever stood still does what was due before it reads what it was told.
          ...{ broken, roundTripMs: () => (time.nowMs() < this.#resumedMs + 1000 ? Infinity : 2 * max + 50) },
          acknowledged: (host, ack) => ledger.acknowledged(host, ack),
          isUnreadable: (host, { epoch, seq }) => {
            const isNonsense = ledger.isUnreadable(host, epoch, seq);
            if (isNonsense) this.#spoil(({ agent }) => this.hosts[agent]?.id === host);
            return isNonsense;
          },
          shown: (host, batch) => this.#live.shown(host, batch),
        },
      });
      this.ingests.set(index, ingest);
      this.balancer.open(index, ingest.door);
    });
  }

  #endIngest(index: number): void {
    const ingest = this.ingests.get(index);
    if (!ingest) return;
    this.ingests.delete(index);
    ingest.life.end();
    this.balancer.shut(index);
  }
}
