/** Reads both sides of the ledger, the kept queue files of all agents and all documents of the store, and judges them. */
import { inspectQueue, type InspectedEvent } from './inspection.ts';
import { Ledger, noSums, rangesByEpoch, type Findings, type GapRange, type HostSums } from './ledger.ts';
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
  /** Events given up in a gap. */
  readonly eventsInGaps: number;
  /** Dead letters by the code of their reason. */
  readonly refusedFor: ReadonlyMap<string, number>;
};

/** Faults that end an agent without asking. */
const killing: ReadonlySet<Done['fault']['kind']> = new Set(['kill', 'harm', 'age'] as const);
/** The disk may take nothing for a while longer, because the agent tries again only now and then. */
const afterDiskMs = 15_000;
const beforeDiskMs = 2000;

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
    const fills = fault.kind === 'disk-full' || fault.kind === 'stop-full';
    const host = fills ? named.find(({ agent }) => agent.name === fault.of)?.host : undefined;
    return host === undefined ? [] : [{ host, fromMs: fromMs - beforeDiskMs, toMs: (toMs ?? fromMs) + afterDiskMs }];
  });
  const isDiskFull = (host: string, timeMs: number): boolean =>
    fullDisks.some((one) => one.host === host && timeMs >= one.fromMs && timeMs <= one.toMs);
  const ledger = new Ledger({ memoryOnly: isDiskFull });
  const events = new Map<string, KeptEvent>();
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
        for (const event of line.events) {
          const id = `${host}:${event.id}`;
          const at = { host, epoch: line.epoch, seq: line.seq };
          events.set(id, { event, places: [...(events.get(id)?.places ?? []), at] });
        }
      }
    }
  }

  const told = new Map<string, RawDocument>();
  for await (const document of allDocuments(store.url, `${prefix}-events-*`)) {
    if (told.has(document._id)) complaints.push(`the event ${document._id} is stored twice: ${document._index}`);
    told.set(document._id, document);
  }
  const isFromMemory = (host: string): boolean => fullDisks.some((one) => one.host === host);
  const gaps = gapsOf([...told.values()]);
  const fates = eventFates({ events, told, gaps, isFromMemory });
  complaints.push(...fates.complaints);

  const refused = new Map<string, string>();
  const refusedFor = new Map<string, number>();
  for await (const { _id, _source } of allDocuments(store.url, `${prefix}-refused-*`)) {
    refused.set(_id, [_source['code'], _source['detail']].filter((part) => typeof part === 'string').join(' '));
    const code = String(_source['code']);
    refusedFor.set(code, (refusedFor.get(code) ?? 0) + 1);
  }
  for await (const document of storedSamples(store.url, prefix)) ledger.stored(document);
  const findings = ledger.finish(refused, gaps);

  const lines: AgentLine[] = [];
  for (const [i, { agent, host }] of named.entries()) {
    const sums = findings.hosts.get(host) ?? noSums;
    const account = options.accounts[i];
    const missedSegments = agent.keeper.missedMs().filter((ms) => !isDiskFull(host, ms)).length;
    lines.push({ name: agent.name, host, sums, account, missedSegments, damages: damages.get(host) ?? 0 });
    const own = gaps.filter((gap) => gap.host === host);
    const toldMissing = own.reduce((sum, gap) => sum + gap.samples, 0);
    complaints.push(...complaintsOf(agent.name, sums, account, { isExact: !isFromMemory(host), toldMissing }));
    const kills = options.done.filter(({ fault }) => fault.of === agent.name && killing.has(fault.kind)).length;
    const unclean = own.filter(({ reason }) => reason === 'unclean').length;
    if (unclean < kills && !isFromMemory(host))
      complaints.push(`${agent.name} was killed ${kills} times and told ${unclean} unclean ends`);
    if (missedSegments > 0)
      complaints.push(`${agent.name}: ${missedSegments} queue files were gone before they were kept`);
  }
  return {
    findings,
    agents: lines,
    complaints,
    samples,
    events: events.size,
    gaps,
    ...{ refusedFor, eventsInGaps: fates.inGaps },
  };
};

const factsText = (facts: unknown): string =>
  JSON.stringify(Object.entries(facts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));

/** An event and every record it was found in. */
type KeptEvent = {
  readonly event: InspectedEvent;
  readonly places: readonly { readonly host: string; readonly epoch: number; readonly seq: number }[];
};

/**
 * Events by `host:id`, as they were on disk and as they are stored. One may be given up with the records around it, but not one that tells a
 * gap: without it samples would be missing unsaid.
 */
const eventFates = (of: {
  readonly events: ReadonlyMap<string, KeptEvent>;
  readonly told: ReadonlyMap<string, RawDocument>;
  readonly gaps: readonly GapRange[];
  readonly isFromMemory: (host: string) => boolean;
}): { complaints: string[]; inGaps: number } => {
  const { events, told } = of;
  const complaints: string[] = [];
  const inGap = rangesByEpoch(of.gaps);
  let inGaps = 0;
  for (const [id, { event, places }] of events) {
    const source = told.get(id)?._source;
    if (source) {
      if (source['kind'] !== event.kind || factsText(source['facts']) !== factsText(event.facts))
        complaints.push(
          `the event ${id} is stored with other facts: ${factsText(source['facts'])}, not ${factsText(event.facts)}`,
        );
    } else if (event.kind !== 'gap' && places.every(({ host, epoch, seq }) => inGap(host, epoch, seq))) inGaps += 1;
    else complaints.push(`the event ${id} (${event.kind} at ${event.timeMs}) is not stored`);
  }
  for (const [id, { _source }] of told)
    if (!events.has(id) && !of.isFromMemory(String(_source['host_id'])))
      complaints.push(`the event ${id} was on no disk`);
  return { complaints, inGaps };
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
        samples: Number(facts['samples']),
        reason: String(facts['reason']),
      },
    ];
  });
