/**
 * A whole mesh in virtual time: hosts, what runs on each, the network between them, and what is done to them. Knows the truth that the nodes can
 * only guess: who lives, who reaches whom, since when nothing has been wrong.
 */
import { hostName, nodeId, startNode } from '../testing/start-node.ts';
import type { NodeOptions, TestNode } from '../testing/start-node.ts';
import { loopbackNetwork } from '../testing/loopback-network.ts';
import type { LoopbackNetwork } from '../testing/loopback-network.ts';
import { seededRandom } from '../testing/random.ts';
import type { Log } from '../system/log.ts';
import { bootMs } from './plan.ts';
import type { Fault, Plan } from './plan.ts';
import type { Life, VirtualTime } from './virtual-time.ts';
import { simDisk } from './sim-disk.ts';
import type { SimDisk } from './sim-disk.ts';
import { lossy, ofDoor, ofNode, ofPair, Troubles, veryLossy } from './troubles.ts';
import { unrulyLinks } from './unruly-links.ts';
import type { WrongRules } from './mutant.ts';

/** One start of a node. */
export type SimNode = {
  readonly index: number;
  readonly id: string;
  /** Counts the starts of all nodes. */
  readonly start: number;
  readonly life: Life;
  readonly startedMs: number;
  /** There when it has started. */
  rooms: TestNode | undefined;
  leaving: boolean;
  /** Set when it ended, with how. */
  ended: { readonly atMs: number; readonly how: 'kill' | 'vanish' | 'leave' } | undefined;
};

export type MeshEvents = {
  started(node: SimNode): void;
  /** It has told everybody that it leaves, and still runs for a moment. */
  left(node: SimNode): void;
  ended(node: SimNode): void;
};

/** Rooms that must bear messages twice and late. */
const unrulyEndpoints: readonly string[] = ['membership', 'presence', 'sessions'];

const seededBytes = (seed: number): ((count: number) => Uint8Array) => {
  const random = seededRandom(seed);
  return (count) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256));
};

/** Up to here the mesh promises not to take anybody for dead. */
const littleLoss = 0.2;
/** Longer than any frame travels: it was lost before, and its connection waits to send it again. */
const stuckMs = 150;

const roles = ['ingest', 'web', 'web', 'ingest', 'web'] as const;
export const roleOf = (index: number): 'ingest' | 'web' => roles[index % roles.length] ?? 'ingest';

export class Mesh {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly network: LoopbackNetwork;
  /** What runs now, or stands still, by index. */
  readonly running = new Map<number, SimNode>();
  readonly all: SimNode[] = [];
  /** When a host was last given a new disk. */
  readonly diskLostMs = new Map<number, number>();
  readonly troubles: Troubles;
  readonly #events: MeshEvents;
  readonly #options: { log?: Log; rules: WrongRules };
  readonly #disks = new Map<number, SimDisk>();
  readonly #random: () => number;
  #unrulyRate: number;
  #linkedSinceMs: number | undefined;

  constructor(plan: Plan, time: VirtualTime, events: MeshEvents, options: { log?: Log; rules: WrongRules }) {
    this.plan = plan;
    this.time = time;
    this.#events = events;
    this.#random = seededRandom(plan.seed + 17);
    this.#unrulyRate = plan.unrulyRate;
    this.#options = options;
    this.troubles = new Troubles(() => time.nowMs());
    for (let index = 0; index < plan.nodes; index += 1) this.troubles.begin(ofNode(index));
    this.network = loopbackNetwork(plan.seed, { clock: time.world.clock, delayMs: plan.delayMs, tries: true });
  }

  /** Messages come once and in order from here on. */
  calm(): void {
    this.#unrulyRate = 0;
  }

  /** Nodes that run, do not stand still and are not about to leave. */
  awake(): SimNode[] {
    return [...this.running.keys()].flatMap((index) => this.at(index) ?? []);
  }

  at(index: number): SimNode | undefined {
    const node = this.running.get(index);
    return node?.rooms && !node.life.isPaused() && !node.leaving ? node : undefined;
  }

  byId(id: string): SimNode | undefined {
    return [...this.running.values()].find((node) => node.id === id);
  }

  /** Since when all nodes that run have been linked to each other, with nothing stuck on its way; undefined: they are not. */
  get linkedSinceMs(): number | undefined {
    return this.#linkedSinceMs;
  }

  /** To be called often. */
  look(): void {
    if (this.unlinked() !== undefined || this.network.waitMs() > stuckMs) this.#linkedSinceMs = undefined;
    else this.#linkedSinceMs ??= this.time.nowMs();
  }

  /** Why not all nodes that run are linked to each other and to nobody else; undefined when they are. */
  unlinked(): string | undefined {
    for (const node of this.running.values()) {
      const peers = new Map(node.rooms?.links.peers().map((peer) => [peer.id, peer.incarnation]));
      for (const other of this.running.values()) {
        if (other === node) continue;
        const incarnation = other.rooms?.links.self.incarnation;
        if (incarnation === undefined || peers.get(other.id) !== incarnation)
          return `${node.life.name} is not linked to ${other.life.name}`;
        peers.delete(other.id);
      }
      if (peers.size > 0) return `${node.life.name} is linked to ${[...peers.keys()].join(', ')}, gone`;
    }
    return undefined;
  }

  /**
   * Since so long it runs, does not stand still, reaches everybody and is reached, and the network loses little: whatever happened to others,
   * nobody may doubt it.
   */
  isSound(index: number, forMs: number): boolean {
    const { troubles } = this;
    return (
      this.running.has(index) &&
      troubles.wasFine(ofNode(index), forMs) &&
      troubles.wasFine(veryLossy, forMs) &&
      this.#indexes().every((other) => troubles.wasFine(ofPair(index, other), forMs))
    );
  }

  /** Since so long nothing has been wrong anywhere, but for nodes that are down and stayed so; and all are linked. */
  isHealthy(forMs: number): boolean {
    const { troubles } = this;
    return (
      troubles.wasFine(lossy, forMs) &&
      [...this.running.keys()].every((index) => this.isSound(index, forMs)) &&
      this.all.every(({ ended }) => !ended || this.time.nowMs() - ended.atMs > forMs) &&
      this.#linkedSinceMs !== undefined &&
      this.time.nowMs() - this.#linkedSinceMs > forMs
    );
  }

  #indexes(): number[] {
    return Array.from({ length: this.plan.nodes }, (_, index) => index);
  }

  start(index: number): void {
    if (this.running.has(index)) return;
    const { plan, time } = this;
    const host = hostName(index);
    const start = this.all.length;
    const life = time.live(`${nodeId(index)}#${start}`, { wallAheadMs: plan.wallAheadMs[index] ?? 0 });
    const node: SimNode = {
      ...{
        index,
        id: nodeId(index),
        start,
        life,
        startedMs: time.nowMs(),
        rooms: undefined,
        leaving: false,
        ended: undefined,
      },
    };
    this.running.set(index, node);
    this.all.push(node);
    this.network.revive(host);
    const turn = (run: () => void): void => life.soon(run);
    const options: NodeOptions = {
      ...{ clock: life.clock, transport: this.network.transport(host, turn), role: roleOf(index) },
      ...(plan.seeds === 'all' && { seeds: Array.from({ length: plan.nodes }, (_, seed) => seed) }),
      links: {
        random: seededRandom(plan.seed * 1000 + start),
        ...(plan.maxOutboxBytes !== undefined && { maxOutboxBytes: plan.maxOutboxBytes }),
      },
      rules: this.#options.rules,
      randomBytes: seededBytes(plan.seed * 1000 + start),
      above: (links) =>
        unrulyLinks(links, {
          ...{ clock: life.clock, rate: () => this.#unrulyRate, random: seededRandom(plan.seed * 7000 + start) },
          endpoints: unrulyEndpoints,
        }),
      ...(roleOf(index) === 'web' && { disk: this.#diskOf(index).open(life.clock) }),
      ...(this.#options.log && { log: this.#options.log.child({ node: life.name }) }),
    };
    life.soon(() => {
      void startNode(index, options).then((rooms) => {
        node.rooms = rooms;
        // At boot all meet before the first fault comes: from then on nobody has a reason to doubt anybody.
        if (time.nowMs() < bootMs / 2) this.troubles.pardon(ofNode(index));
        else this.troubles.end(ofNode(index));
        this.#events.started(node);
      });
    });
  }

  /** The process is gone at once; `vanish` says so to nobody. */
  end(node: SimNode, how: 'kill' | 'vanish' | 'leave'): void {
    if (node.ended) return;
    const host = hostName(node.index);
    if (how === 'vanish') {
      this.network.vanish(host);
      this.#diskOf(node.index).fail(this.#random);
    } else this.network.kill(host);
    node.life.end();
    node.ended = { atMs: this.time.nowMs(), how };
    this.running.delete(node.index);
    this.troubles.begin(ofNode(node.index));
    this.#events.ended(node);
  }

  /** With all that is on it, at once. */
  lose(node: SimNode): void {
    this.end(node, 'vanish');
    this.#loseDisk(node.index);
  }

  apply(fault: Fault): void {
    switch (fault.kind) {
      case 'kill':
      case 'vanish': {
        const node = this.running.get(fault.node);
        if (node) this.end(node, fault.kind);
        break;
      }
      case 'leave':
        this.#leave(fault.node);
        break;
      case 'start':
        if (!this.running.has(fault.node) && fault.disk === 'lost') this.#loseDisk(fault.node);
        this.start(fault.node);
        break;
      case 'pause':
        if (!this.running.has(fault.node)) break;
        this.troubles.begin(ofNode(fault.node));
        this.running.get(fault.node)?.life.pause();
        break;
      case 'resume':
        if (!this.running.get(fault.node)?.life.isPaused()) break;
        this.troubles.end(ofNode(fault.node));
        this.running.get(fault.node)?.life.resume();
        break;
      case 'split':
        for (const one of fault.some) for (const other of fault.others) this.troubles.begin(ofPair(one, other));
        this.network.split(fault.some.map(hostName), fault.others.map(hostName));
        break;
      case 'cut':
        this.troubles.begin(ofPair(fault.from, fault.to));
        this.network.splitOneWay(hostName(fault.from), hostName(fault.to));
        break;
      case 'refuse':
        this.troubles.begin(ofDoor(fault.node));
        for (const other of fault.some) {
          this.troubles.begin(ofDoor(other));
          this.troubles.begin(ofPair(fault.node, other));
          this.network.refuse(hostName(fault.node), hostName(other));
        }
        break;
      case 'heal':
        for (const index of this.#indexes()) this.troubles.end(ofDoor(index));
        for (const one of this.#indexes()) for (const other of this.#indexes()) this.troubles.end(ofPair(one, other));
        this.network.heal();
        break;
      case 'loss':
        this.#lossSince(lossy, fault.rate > 0);
        this.#lossSince(veryLossy, fault.rate > littleLoss);
        this.network.setLoss(fault.rate);
        break;
      case 'step-wall':
        this.running.get(fault.node)?.life.stepWall(fault.ms);
        break;
    }
  }

  /** Orderly: the rooms close, then the process ends. */
  #leave(index: number): void {
    const node = this.at(index);
    const rooms = node?.rooms;
    if (!node || !rooms) return;
    node.leaving = true;
    this.troubles.begin(ofNode(index));
    node.life.soon(() => {
      void rooms.membership.leave().then(async () => {
        this.#events.left(node);
        await rooms.close();
        this.end(node, 'leave');
      });
    });
  }

  #loseDisk(index: number): void {
    this.#diskOf(index).lose();
    this.diskLostMs.set(index, this.time.nowMs());
  }

  #diskOf(index: number): SimDisk {
    const disk = this.#disks.get(index) ?? simDisk();
    this.#disks.set(index, disk);
    return disk;
  }

  #lossSince(what: string, isSo: boolean): void {
    if (isSo) this.troubles.begin(what);
    else this.troubles.end(what);
  }
}
