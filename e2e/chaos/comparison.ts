/** Reads both sides of the ledger, the kept queue files of all agents and all documents of the store, and judges them. */
import { inspectQueue, type InspectedEvent } from './inspection.ts';
import { Ledger, type Findings, type GapRange, type HostSums } from './ledger.ts';
import { itemOf } from './stored-values.ts';
import { allDocuments, storedSamples, type RawDocument } from './stored.ts';
import type { Done } from './breaking.ts';
import { complaintsOf, type OwnAccount } from './own-account.ts';
import type { ChaosAgent } from './chaos-agent.ts';
import type { ChaosStore } from './chaos-store.ts';

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
  /** What each of them says of itself. */
  readonly accounts: readonly (OwnAccount | undefined)[];
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
      for await (const line of inspectQueue(directory)) {
        if (line.type === 'damage') damages.set(host, (damages.get(host) ?? 0) + 1);
        if (line.type !== 'record') continue;
        const { segment } = line;
        if (line.unreadable !== undefined)
          complaints.push(
            `${agent.name}: record ${line.epoch}:${line.seq} in ${segment} cannot be read: ${line.unreadable}`,
          );
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
  const isFromMemory = (host: string): boolean => fullDisks.some((one) => one.host === host);
  complaints.push(...eventComplaints(events, told, isFromMemory));
  const gaps = gapsOf([...told.values()]);

  const refused = new Map<string, string>();
  for await (const { _id, _source } of allDocuments(store.url, `${prefix}-refused-*`))
    refused.set(_id, [_source['code'], _source['detail']].filter((part) => typeof part === 'string').join(' '));
  for await (const document of storedSamples(store.url, prefix)) ledger.stored(document);
  const findings = ledger.finish(refused, gaps);

  const lines: AgentLine[] = [];
  for (const [i, { agent, host }] of named.entries()) {
    const sums = findings.hosts.get(host) ?? none;
    const account = options.accounts[i];
    const missedSegments = agent.keeper.missed();
    lines.push({ name: agent.name, host, sums, account, missedSegments, damages: damages.get(host) ?? 0 });
    complaints.push(...complaintsOf(agent.name, sums, account, !isFromMemory(host)));
    if (missedSegments > 0)
      complaints.push(`${agent.name}: ${missedSegments} queue files were gone before they were kept`);
  }
  return { findings, agents: lines, complaints, samples, events: events.size, gaps };
};

const factsText = (facts: unknown): string =>
  JSON.stringify(Object.entries(facts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Events by `host:id`, as they were on disk and as they are stored. */
const eventComplaints = (
  events: ReadonlyMap<string, InspectedEvent>,
  told: ReadonlyMap<string, RawDocument>,
  isFromMemory: (host: string) => boolean,
): string[] => {
  const complaints: string[] = [];
  for (const [id, event] of events) {
    const source = told.get(id)?._source;
    if (!source) complaints.push(`the event ${id} (${event.kind} at ${event.timeMs}) is not stored`);
    else if (source['kind'] !== event.kind || factsText(source['facts']) !== factsText(event.facts))
      complaints.push(
        `the event ${id} is stored with other facts: ${factsText(source['facts'])}, not ${factsText(event.facts)}`,
      );
  }
  for (const [id, { _source }] of told)
    if (!events.has(id) && !isFromMemory(String(_source['host_id']))) complaints.push(`the event ${id} was on no disk`);
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
