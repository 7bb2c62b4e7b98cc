/** Reads both sides of the ledger, the kept queue files of all agents and all documents of the store, and judges them. */
import { inspectQueue, type InspectedEvent } from './inspection.ts';
import { Ledger, type Findings, type GapRange, type HostSums } from './ledger.ts';
import { itemOf } from './stored-values.ts';
import { allDocuments, storedSamples, type RawDocument } from './stored.ts';
import type { Done } from './breaking.ts';
import type { ChaosAgent } from './chaos-agent.ts';
import type { ChaosStore } from './chaos-store.ts';

/** What an agent says of itself at the end. */
export type OwnAccount = {
  readonly produced: number;
  readonly stored: number;
  readonly refused: number;
  readonly gap: number;
  readonly queued: number;
};

export type AgentLine = {
  readonly name: string;
  readonly host: string;
  readonly sums: HostSums;
  readonly account: OwnAccount | undefined;
  readonly missedSegments: number;
  readonly damages: number;
};

export type Comparison = {
  readonly findings: Findings;
  readonly agents: readonly AgentLine[];
  /** Faults of events and accounts, in words. */
  readonly complaints: readonly string[];
  readonly samples: number;
  readonly events: number;
  readonly gaps: readonly GapRange[];
};

/** The disk may take nothing for a while longer, because the agent tries again only now and then. */
const afterDiskMs = 15_000;
const beforeDiskMs = 2000;
const none: HostSums = { durable: 0, stored: 0, storedFromMemory: 0, refused: 0, gap: 0 };

export const compareAll = async (options: {
  readonly agents: readonly ChaosAgent[];
  readonly store: ChaosStore;
  readonly prefix: string;
  readonly done: readonly Done[];
}): Promise<Comparison> => {
  const { agents, store, prefix } = options;
  const complaints: string[] = [];
  const named = agents.map((agent) => ({ agent, host: agent.host() }));
  const fullDisks = options.done.flatMap(({ fault, fromMs, toMs }) => {
    const host = fault.kind === 'disk-full' ? named.find(({ agent }) => agent.name === fault.of)?.host : undefined;
    return host === undefined ? [] : [{ host, fromMs: fromMs - beforeDiskMs, toMs: (toMs ?? fromMs) + afterDiskMs }];
  });
  const ledger = new Ledger({
    memoryOnly: (host, timeMs) =>
      fullDisks.some((one) => one.host === host && timeMs >= one.fromMs && timeMs <= one.toMs),
  });
  const events = new Map<string, InspectedEvent>();
  const damages = new Map<string, number>();
  let samples = 0;
  for (const { agent, host } of named) {
    agent.keeper.look();
    for (const directory of agent.keeper.directories()) {
      let segment = '';
      for await (const line of inspectQueue(directory)) {
        if (line.type === 'segment') segment = line.name;
        if (line.type === 'damage') damages.set(host, (damages.get(host) ?? 0) + 1);
        if (line.type !== 'record') continue;
        for (const [index, item] of line.items.entries()) {
          ledger.produced({ ...itemOf(host, item), epoch: line.epoch, seq: line.seq, index, segment });
          samples += 1;
        }
        for (const event of line.events) events.set(`${host}:${event.id}`, event);
      }
    }
  }

  const told = new Map<string, RawDocument>();
  for await (const document of allDocuments(store.url, `${prefix}-events-*`)) {
    if (told.has(document._id)) complaints.push(`the event ${document._id} is stored twice: ${document._index}`);
    told.set(document._id, document);
  }
  for (const [id, event] of events)
    if (!told.has(id)) complaints.push(`the event ${id} (${event.kind} at ${event.timeMs}) is not stored`);
  const gaps = gapsOf([...told.values()]);

  const refused = new Map<string, string>();
  for await (const { _id, _source } of allDocuments(store.url, `${prefix}-refused-*`))
    refused.set(_id, [_source['code'], _source['detail']].filter((part) => typeof part === 'string').join(' '));
  for await (const document of storedSamples(store.url, prefix)) ledger.stored(document);
  const findings = ledger.finish(refused, gaps);

  const lines: AgentLine[] = [];
  for (const { agent, host } of named) {
    const sums = findings.hosts.get(host) ?? none;
    const account = accountOf(await agent.figures());
    const missedSegments = agent.keeper.missed();
    lines.push({ name: agent.name, host, sums, account, missedSegments, damages: damages.get(host) ?? 0 });
    complaints.push(...complaintsOf(agent.name, sums, account));
    if (missedSegments > 0)
      complaints.push(`${agent.name}: ${missedSegments} queue files were gone before they were kept`);
  }
  return { findings, agents: lines, complaints, samples, events: events.size, gaps };
};

const accountOf = (figures: ReadonlyMap<string, number>): OwnAccount | undefined => {
  const of = (name: string): number =>
    figures.get(`thrum_agent_samples_${name}`) ?? figures.get(`thrum_agent_samples_${name}_total`) ?? Number.NaN;
  const account = {
    produced: of('produced'),
    stored: of('stored'),
    refused: of('refused'),
    gap: of('gap'),
    queued: of('queued'),
  };
  return Object.values(account).some(Number.isNaN) ? undefined : account;
};

/** What an agent says of itself against what was found. */
export const complaintsOf = (name: string, sums: HostSums, account: OwnAccount | undefined): string[] => {
  if (!account) return [`${name} told no account`];
  const complaints: string[] = [];
  const { produced, stored, refused, gap, queued } = account;
  if (produced !== stored + refused + gap + queued)
    complaints.push(
      `${name}: produced ${produced} is not stored ${stored} + refused ${refused} + gap ${gap} + queued ${queued}`,
    );
  const expect = (what: string, says: number, found: number): void => {
    if (says !== found) complaints.push(`${name} says ${says} ${what}, found were ${found}`);
  };
  expect('queued', queued, 0);
  // A sample that only its memory knew is in its account as long as it was not killed.
  if (sums.storedFromMemory === 0) {
    expect('produced', produced, sums.durable);
    expect('stored', stored, sums.stored);
  }
  expect('refused', refused, sums.refused);
  if (sums.storedFromMemory === 0) expect('in gaps', gap, sums.gap);
  return complaints;
};

const gapsOf = (documents: readonly RawDocument[]): GapRange[] =>
  documents.flatMap(({ _source }) => {
    if (_source['kind'] !== 'gap') return [];
    const facts = (_source['facts'] ?? _source) as Record<string, unknown>;
    return [
      {
        host: String(_source['host_id']),
        epoch: Number(facts['epoch']),
        firstSeq: Number(facts['first_seq']),
        lastSeq: Number(facts['last_seq']),
        reason: String(facts['reason']),
      },
    ];
  });
