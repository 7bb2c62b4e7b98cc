/**
 * The truth of a run: every sample and every event that agents put into their queues, and what became of each. It watches while things happen
 * (twice in the store, acknowledged and not there) and judges at the end (lost, stuck, a wrong account). It believes nobody but the server's
 * documents, and takes from an agent only what it appended to its queue and when its queue said that this is safe.
 */
import type { Ack } from '@thrum/actors/wire/ingest-to-agent';
import type { AgentEvent } from '@thrum/actors/wire/events';
import type { StoredDocument } from './simulated-elasticsearch.ts';

export type ProducedSample = {
  readonly number: number;
  readonly mood: number;
  readonly target: string;
  readonly device: string | undefined;
  readonly timeMs: number;
};

/** `offered`: on its way into the queue. `weak`: in memory only, for a disk that takes nothing. `safe`: promised. `void`: never promised, and its agent died. */
type Strength = 'offered' | 'weak' | 'safe' | 'void';

export type KeptRecord = {
  readonly host: string;
  readonly epoch: number;
  readonly seq: number;
  readonly samples: readonly ProducedSample[];
  readonly events: readonly AgentEvent[];
  strength: Strength;
};

type Gap = {
  readonly host: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly samples: number;
};

const keyOf = (host: string, epoch: number, seq: number): string => `${host}:${epoch}:${seq}`;

export class Ledger {
  readonly #broken: (what: string, detail: string) => void;
  readonly records = new Map<string, KeptRecord>();
  readonly #samples = new Map<number, { readonly record: KeptRecord; readonly sample: ProducedSample }>();
  /** Samples in the store by number, and those that were there before an operator deleted them. */
  readonly stored = new Set<number>();
  readonly #deleted = new Set<number>();
  readonly #places = new Map<string, number>();
  readonly deadLetters = new Set<string>();
  readonly #events = new Map<string, number>();
  readonly #gaps: Gap[] = [];

  constructor(broken: (what: string, detail: string) => void) {
    this.#broken = broken;
  }

  offered(record: Omit<KeptRecord, 'strength'>): KeptRecord {
    const key = keyOf(record.host, record.epoch, record.seq);
    const known = this.records.get(key);
    if (known && known.strength !== 'void') this.#broken('one name', `${key} names two records`);
    const kept: KeptRecord = { ...record, strength: 'offered' };
    this.records.set(key, kept);
    for (const sample of record.samples) this.#samples.set(sample.number, { record: kept, sample });
    return kept;
  }

  /** Its agent is dead: what was not promised may be there or not. */
  died(host: string): void {
    for (const record of this.records.values())
      if (record.host === host && record.strength !== 'safe') record.strength = 'void';
  }

  /** The disk takes everything again. */
  strengthened(host: string): void {
    for (const record of this.records.values())
      if (record.host === host && record.strength === 'weak') record.strength = 'safe';
  }

  wrote(document: StoredDocument): void {
    const { index, id, source } = document;
    if (index.startsWith('thrum-1s-')) this.#wroteSample(source, id);
    else if (index.startsWith('thrum-refused-')) this.deadLetters.add(id);
    else if (index.startsWith('thrum-events-')) this.#wroteEvent(source, id);
  }

  removed(documents: readonly StoredDocument[]): void {
    for (const { index, id, source } of documents) {
      if (!index.startsWith('thrum-1s-')) continue;
      const { number } = source['m'] as { number: number };
      this.stored.delete(number);
      this.#deleted.add(number);
      this.#places.delete(id);
    }
  }

  #wroteSample(source: StoredDocument['source'], id: string): void {
    const { number, mood } = source['m'] as { number: number; mood: number };
    const known = this.#samples.get(number);
    if (!known) {
      this.#broken('own values', `the store has a sample ${number} that nobody made`);
      return;
    }
    const { record, sample } = known;
    const isOwn =
      source['host_id'] === record.host &&
      source['@timestamp'] === sample.timeMs &&
      source['device'] === sample.device &&
      mood === sample.mood;
    if (!isOwn) this.#broken('own values', `sample ${number} is stored as ${JSON.stringify(source)}`);
    if (this.stored.has(number))
      this.#broken('never twice', `sample ${number} (${keyOf(record.host, record.epoch, record.seq)}) is stored twice`);
    if (this.#places.has(id)) this.#broken('never twice', `${id} is stored in two indices`);
    if (this.deadLetters.has(this.#letterOf(record, sample)))
      this.#broken('never twice', `sample ${number} is a dead letter and stored`);
    this.#places.set(id, number);
    this.stored.add(number);
  }

  #letterOf(record: KeptRecord, sample: ProducedSample): string {
    return `${keyOf(record.host, record.epoch, record.seq)}:${record.samples.indexOf(sample)}`;
  }

  #wroteEvent(source: StoredDocument['source'], id: string): void {
    const times = (this.#events.get(id) ?? 0) + 1;
    this.#events.set(id, times);
    if (times > 1) this.#broken('never twice', `the event ${id} is stored twice`);
    const facts = (source['facts'] ?? {}) as Record<string, number>;
    if (source['kind'] !== 'gap') return;
    const host = String(source['host_id']);
    const [epoch = 0, from = 0, to = 0, samples = 0] = ['epoch', 'first_seq', 'last_seq', 'samples'].map((key) =>
      Number(facts[key]),
    );
    this.#gaps.push({ host, epoch, from, to, samples });
  }

  #isTerminal(record: KeptRecord, sample: ProducedSample): boolean {
    const { number } = sample;
    return this.stored.has(number) || this.#deleted.has(number) || this.deadLetters.has(this.#letterOf(record, sample));
  }

  isInGap({ host, epoch, seq }: KeptRecord): boolean {
    return this.#gaps.some((gap) => gap.host === host && gap.epoch === epoch && gap.from <= seq && seq <= gap.to);
  }

  /** A node says so: whatever it names must be in the store by now, or among the dead letters. */
  acknowledged(host: string, ack: Ack): void {
    for (const [from, to] of ack.ranges)
      for (let seq = from; seq <= to; seq += 1) {
        const record = this.records.get(keyOf(host, ack.epoch, seq));
        if (!record) {
          this.#broken('ack means terminal', `${keyOf(host, ack.epoch, seq)} is acknowledged and was never made`);
          continue;
        }
        const open = record.samples.find((sample) => !this.#isTerminal(record, sample));
        if (open)
          this.#broken(
            'ack means terminal',
            `${keyOf(host, ack.epoch, seq)} is acknowledged, its sample ${open.number} is nowhere`,
          );
        const untold = record.events.find(({ id }) => !this.#events.has(`${host}:${id}`));
        if (untold)
          this.#broken('ack means terminal', `the event ${untold.id} of ${host} is acknowledged and not kept`);
      }
  }

  /** How many promised records have an end; what has none yet. */
  open(): KeptRecord[] {
    return [...this.records.values()].filter(
      (record) =>
        record.strength === 'safe' &&
        !this.isInGap(record) &&
        (record.samples.some((sample) => !this.#isTerminal(record, sample)) ||
          record.events.some(({ id }) => !this.#events.has(`${record.host}:${id}`))),
    );
  }

  /** What became of the samples of one host. `both`: stored or refused, and within a gap as well. */
  tally(host: string): { stored: number; refused: number; gap: number; both: number; told: number } {
    const tally = { stored: 0, refused: 0, gap: 0, both: 0, told: 0 };
    for (const record of this.records.values()) {
      if (record.host !== host) continue;
      const isInGap = this.isInGap(record);
      for (const sample of record.samples) {
        const isStored = this.stored.has(sample.number) || this.#deleted.has(sample.number);
        const isRefused = this.deadLetters.has(this.#letterOf(record, sample));
        if (isStored) tally.stored += 1;
        if (isRefused) tally.refused += 1;
        if (isInGap) tally.gap += 1;
        if (isInGap && (isStored || isRefused)) tally.both += 1;
      }
    }
    for (const gap of this.#gaps) if (gap.host === host) tally.told += gap.samples;
    return tally;
  }
}
