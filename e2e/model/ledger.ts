/**
 * The truth of a run: every sample and every event that agents put into their queues, and what became of each. It watches while things happen
 * (twice in the store, acknowledged and not there) and judges at the end (lost, stuck, a wrong account). It believes nobody but the server's
 * documents, and takes from an agent only what it appended to its queue and when its queue said that this is safe.
 */
import type { Ack } from '@thrum/actors/wire/ingest-to-agent';
import type { AgentEvent } from '@thrum/actors/wire/events';
import type { Account } from '../../agent/src/queue/queue.ts';
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
  readonly reason: string;
};

/** One series and time. */
const placeOf = (host: string, { target, device, timeMs }: ProducedSample): string =>
  `${host} ${target} ${device ?? ''} at ${timeMs}`;
const isWithin = (gaps: readonly Gap[], { host, epoch, seq }: KeptRecord): boolean =>
  gaps.some((gap) => gap.host === host && gap.epoch === epoch && gap.from <= seq && seq <= gap.to);
type Facts = Readonly<Record<string, unknown>>;
const gapOf = (host: string, facts: Facts): Gap => {
  const [epoch = 0, from = 0, to = 0, samples = 0] = ['epoch', 'first_seq', 'last_seq', 'samples'].map((key) =>
    Number(facts[key]),
  );
  return { host, epoch, from, to, samples, reason: String(facts['reason']) };
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
  /** Why, by host, epoch, sequence number and place in the batch. */
  readonly deadLetters = new Map<string, string>();
  readonly #events = new Map<string, number>();
  readonly #told = new Map<string, Gap>();
  /** Records that no node can read. */
  readonly #unreadable = new Set<string>();

  readonly #mayRepeatTimes: boolean;

  /** `mayRepeatTimes`: clocks were set in ways that nobody can make good again. */
  constructor(options: { broken: (what: string, detail: string) => void; mayRepeatTimes: boolean }) {
    this.#broken = options.broken;
    this.#mayRepeatTimes = options.mayRepeatTimes;
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

  unreadable({ host, epoch, seq }: KeptRecord): void {
    this.#unreadable.add(keyOf(host, epoch, seq));
  }
  isUnreadable(host: string, epoch: number, seq: number): boolean {
    return this.#unreadable.has(keyOf(host, epoch, seq));
  }

  /** Has a record that nobody can read and that is not told as a gap yet: it is found only while others are taken. */
  waitsForOthers(host: string): boolean {
    const gaps = this.#gaps();
    return [...this.#unreadable].some((key) => {
      const record = this.records.get(key);
      return record?.host === host && record.strength !== 'void' && !isWithin(gaps, record);
    });
  }

  /** Its queue says that it is as safe as it can be. */
  kept(record: KeptRecord, state: 'durable' | 'degraded'): void {
    record.strength = state === 'durable' ? 'safe' : 'weak';
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
    if (index.startsWith('thrum-1s-')) this.#wroteSample(source);
    else if (index.startsWith('thrum-refused-')) this.#wroteLetter(source, id);
    else if (index.startsWith('thrum-events-')) this.#wroteEvent(source, id);
  }

  removed(documents: readonly StoredDocument[]): void {
    for (const { index, id, source } of documents) {
      if (index.startsWith('thrum-events-')) this.#events.set(id, 0);
      if (!index.startsWith('thrum-1s-')) continue;
      const { number } = source['m'] as { number: number };
      this.stored.delete(number);
      this.#deleted.add(number);
    }
  }

  #wroteLetter(source: StoredDocument['source'], id: string): void {
    const { host_id: host, epoch, seq, index, code, detail } = source as Readonly<Record<string, string | number>>;
    const record = this.records.get(keyOf(String(host), Number(epoch), Number(seq)));
    const sample = record?.samples[Number(index)];
    if (!record || !sample) {
      this.#broken('refused for a reason', `${id} is a dead letter of nothing that was made`);
      return;
    }
    this.deadLetters.set(id, String(code));
    // A clock decides that; all else must be the fault of the sample.
    if (String(code).startsWith('time-')) return;
    const other = this.#places.get(placeOf(record.host, sample));
    const isPoison = sample.mood < 0;
    if (isPoison) return;
    if (other === undefined || other === sample.number)
      this.#broken('refused for a reason', `sample ${sample.number} is refused, ${String(code)}: ${String(detail)}`);
    // What was in memory alone when an agent died, its next start knows nothing of: not even the time.
    else if (!this.#mayRepeatTimes && this.#samples.get(other)?.record.strength !== 'void')
      this.#broken('times only grow', `${placeOf(record.host, sample)} are the samples ${other} and ${sample.number}`);
  }

  #wroteSample(source: StoredDocument['source']): void {
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
    const place = placeOf(record.host, sample);
    const there = this.#places.get(place);
    if (there !== undefined && this.stored.has(there))
      this.#broken('never twice', `${place} is stored as sample ${there} and as ${number}`);
    this.#places.set(place, number);
    this.stored.add(number);
  }

  #letterOf(record: KeptRecord, sample: ProducedSample): string {
    return `${keyOf(record.host, record.epoch, record.seq)}:${record.samples.indexOf(sample)}`;
  }

  #wroteEvent(source: StoredDocument['source'], id: string): void {
    const times = (this.#events.get(id) ?? 0) + 1;
    this.#events.set(id, times);
    if (times > 1) this.#broken('never twice', `the event ${id} is stored twice`);
    if (source['kind'] !== 'gap') return;
    const host = String(source['host_id']);
    const gap = gapOf(host, (source['facts'] ?? {}) as Facts);
    this.#told.set(id, gap);
    if (gap.reason !== 'unreadable') return;
    for (let seq = gap.from; seq <= gap.to; seq += 1)
      if (!this.isUnreadable(host, gap.epoch, seq))
        this.#broken('given up alone', `${keyOf(host, gap.epoch, seq)} was given up as unreadable, and is not`);
  }

  #isTerminal(record: KeptRecord, sample: ProducedSample): boolean {
    const { number } = sample;
    return this.stored.has(number) || this.#deleted.has(number) || this.deadLetters.has(this.#letterOf(record, sample));
  }

  /** What is missing, as events say that are in the store. */
  #gaps(): readonly Gap[] {
    return [...this.#told.values()];
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
        const untold = record.events.find((event) => !this.#isKept(record, event));
        if (untold)
          this.#broken('ack means terminal', `the event ${untold.id} of ${host} is acknowledged and not kept`);
      }
  }

  #isKept(record: KeptRecord, { id }: AgentEvent): boolean {
    return this.#events.has(`${record.host}:${id}`);
  }

  /** Promised records that have no end yet. What a gap event tells must be told, though the record it was in was given up. */
  open(): KeptRecord[] {
    const gaps = this.#gaps();
    return [...this.records.values()].filter(
      (record) =>
        record.strength === 'safe' &&
        (isWithin(gaps, record)
          ? record.events.some((event) => event.kind === 'gap' && !this.#isKept(record, event))
          : record.samples.some((sample) => !this.#isTerminal(record, sample)) ||
            record.events.some((event) => !this.#isKept(record, event))),
    );
  }

  /** How many gaps of this reason were told of a host. */
  gapsTold(host: string, reason: string): number {
    return this.#gaps().filter((gap) => gap.host === host && gap.reason === reason).length;
  }

  /** What became of the samples of one host, for its account. */
  tally(host: string): Tally {
    const gaps = this.#gaps();
    const tally = { offered: 0, safe: 0, stored: 0, refused: 0, doubtful: 0, told: 0 };
    for (const record of this.records.values()) {
      if (record.host !== host) continue;
      const isInGap = isWithin(gaps, record);
      tally.offered += record.samples.length;
      if (record.strength === 'safe') tally.safe += record.samples.length;
      for (const sample of record.samples) {
        const isStored = this.stored.has(sample.number) || this.#deleted.has(sample.number);
        const whyRefused = this.deadLetters.get(this.#letterOf(record, sample));
        const isRefused = whyRefused !== undefined;
        if (isStored) tally.stored += 1;
        if (isRefused) tally.refused += 1;
        if (this.stored.has(sample.number) && whyRefused?.startsWith('time-'))
          this.#broken('one time for all', `sample ${sample.number} is stored, and a dead letter as ${whyRefused}`);
        // Stored, and given up before its agent heard of that; or its agent died with it.
        if ((isStored && isRefused) || (isInGap && (isStored || isRefused)) || record.strength !== 'safe')
          tally.doubtful += 1;
      }
    }
    for (const gap of gaps) if (gap.host === host) tally.told += gap.samples;
    return tally;
  }
}

export type Tally = {
  /** Samples that came before the queue; those it called safe. */
  readonly offered: number;
  readonly safe: number;
  readonly stored: number;
  readonly refused: number;
  /** Of the stored and the refused, those that the agent may know as something else. */
  readonly doubtful: number;
  /** Samples that the gap events speak of. */
  readonly told: number;
};

/** What is wrong with an account, in words. */
export const accountProblem = (account: Account, tally: Tally): string | undefined => {
  const { produced, stored, refused, gap, queued } = account;
  const isNear = (own: number, truth: number): boolean => own <= truth && own >= truth - tally.doubtful;
  const wrong =
    produced !== stored + refused + gap + queued
      ? 'it does not add up'
      : produced < tally.safe || produced > tally.offered
        ? 'produced'
        : !isNear(stored, tally.stored)
          ? 'stored'
          : !isNear(refused, tally.refused)
            ? 'refused'
            : gap !== tally.told
              ? 'gap'
              : undefined;
  return wrong && `${wrong}: the account is ${JSON.stringify(account)}, the truth ${JSON.stringify(tally)}`;
};
