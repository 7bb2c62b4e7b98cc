/**
 * One simulated agent: a real connection with the real messages. It connects again after any loss, with a random wait below a
 * limit that doubles; a refusal that only a person can mend ends it.
 */
import type { Clock } from '@thrum/actors/system/clock';
import type { Hello } from '@thrum/actors/wire/agent-to-ingest';
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import type { Ack, Busy, Pace, Welcome } from '@thrum/actors/wire/ingest-to-agent';
import { nextOf, refusals, type Refusal, type RefusalCode } from '@thrum/actors/wire/refusal';
import { AgentSocket, type Reply } from './agent-socket.ts';
import type { BatchSlots, Slot } from './batch-slots.ts';
import { Delivery, type Waiting } from './delivery.ts';
import type { FleetCounts } from './fleet-counts.ts';
import type { Latencies } from './latency.ts';
import type { Signals } from './signals.ts';

export type AgentParts = {
  readonly url: string;
  readonly hello: Omit<Hello, 'clockMs' | 'attempt'>;
  readonly dictionary: Dictionary;
  readonly signals: Signals;
  readonly slots: BatchSlots;
  readonly counts: FleetCounts;
  readonly latencies: Latencies;
  readonly clock: Clock;
};

const answerWithinMs = 10_000;
const byeWithinMs = 2_000;
const firstWaitMs = 100;
const longestWaitMs = 30_000;

const isRefusal = (answer: unknown): answer is Refusal =>
  typeof answer === 'object' && answer !== null && 'code' in answer && String(answer.code) in refusals;
const isWelcome = (answer: unknown): answer is Welcome =>
  typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === true && 'window' in answer;

export class SimulatedAgent {
  #parts: AgentParts;
  #socket: AgentSocket | undefined;
  #delivery = new Delivery<Slot>();
  #greedy = false;
  #ready = false;
  #over = false;
  #waitMs = firstWaitMs;
  #attempt = 0;
  #lastTimeMs = 0;
  /** When a timer will look again for what is due. */
  #wakeMs = Number.POSITIVE_INFINITY;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  get ready(): boolean {
    return this.#ready;
  }
  get over(): boolean {
    return this.#over;
  }
  get unacknowledged(): number {
    return this.#delivery.unacknowledged;
  }

  connect(): void {
    if (this.#over || this.#socket) return;
    const { url, clock, counts } = this.#parts;
    this.#socket = new AgentSocket({
      url,
      clock,
      withinMs: answerWithinMs,
      onOpen: () => this.#greet(),
      onEvent: (event, message, reply) => this.#told(event, message, reply),
      onClose: (opened) => {
        if (!opened) counts.connectErrors += 1;
        this.#socket = undefined;
        this.#lost();
      },
    });
  }

  /** `true`: a new batch whenever the window has room. `false`: one for each `tick`. */
  setGreedy(greedy: boolean): void {
    this.#greedy = greedy;
    this.#pump();
  }

  /** Goes out at once, for the live view, whether or not the window is full; without a connection it waits like any backlog. */
  tick(): void {
    const delivery = this.#delivery;
    if (this.#ready) this.#sendOne();
    else {
      const { counts } = this.#parts;
      if (delivery.waits(this.#nextTimeMs())) counts.batchesWaited += 1;
      else counts.ticksGivenUp += 1;
    }
    this.#pump();
  }

  /** An orderly end: says goodbye, so that nobody is alarmed. */
  async leave(): Promise<void> {
    this.#over = true;
    this.#greedy = false;
    const socket = this.#socket;
    if (socket && this.#ready)
      await Promise.race([
        new Promise((answered) => socket.ask('bye', undefined, byeWithinMs, answered)),
        new Promise<void>((late) => this.#parts.clock.after(byeWithinMs, late)), // the connection may end first
      ]);
    this.#ready = false;
    this.#socket?.close();
  }

  #greet(): void {
    const { hello, dictionary, clock, counts } = this.#parts;
    this.#attempt += 1;
    const answered =
      (next: (answer: unknown) => void): Reply =>
      (answer) => {
        if (isRefusal(answer)) this.#refused(answer);
        if (isRefusal(answer) || answer === undefined) this.#socket?.close();
        else next(answer);
      };
    const begin = ({ window, backlog }: Welcome): void => {
      counts.connections += 1;
      this.#waitMs = firstWaitMs;
      this.#ready = true;
      this.#delivery.welcomed(window, backlog);
      this.#pump();
    };
    const greeting = { ...hello, attempt: this.#attempt, clockMs: clock.wallMs() };
    const welcomed = answered((welcome) => {
      if (!isWelcome(welcome)) this.#socket?.close();
      else if (!welcome.needDictionary) begin(welcome);
      else
        this.#socket?.ask(
          'dictionary',
          dictionary,
          answerWithinMs,
          answered(() => begin(welcome)),
        );
    });
    this.#socket?.ask('hello', greeting, answerWithinMs, welcomed);
  }

  #told(event: string, message: unknown, reply: Reply): void {
    if (event === 'ack') this.#take(message as Ack);
    else if (event === 'busy') this.#busy(message as Busy);
    else if (event === 'refused') this.#refused(message as Refusal);
    else if (event === 'recent') reply({ dictionary: this.#parts.dictionary.hash, groups: [] });
    else if (event === 'pace') {
      this.#parts.counts.paces += 1;
      this.#delivery.paced((message as Pace).backlog);
      this.#pump();
    }
  }

  #refused(refusal: Refusal): void {
    const code: RefusalCode = refusal.code;
    this.#parts.counts.refuse(code, refusal.detail);
    if (nextOf(code) === 'stop') this.#over = true;
  }

  #lost(): void {
    this.#ready = false;
    this.#delivery.lost();
    if (this.#over) return;
    const waitMs = Math.random() * this.#waitMs;
    this.#waitMs = Math.min(longestWaitMs, this.#waitMs * 2);
    this.#parts.clock.after(waitMs, () => this.connect());
  }

  #take(ack: Ack): void {
    const { counts, latencies, slots, signals, clock, hello } = this.#parts;
    if (ack.epoch !== hello.epoch) return;
    const nowMs = clock.monotonicMs();
    for (const [from, to] of ack.ranges)
      for (let seq = from; seq <= to; seq += 1) {
        const done = this.#delivery.acknowledged(seq);
        if (!done) continue;
        counts.batchesAcknowledged += 1;
        counts.valuesAcknowledged += signals.values.length;
        if (done.first) latencies.add(nowMs - done.sentMs);
        if (done.item) slots.give(done.item);
      }
    for (const { code, samples, detail } of ack.refused) counts.refuseSamples(code, samples, detail);
    this.#pump();
  }

  #busy({ seq, afterMs }: Busy): void {
    const kept = this.#delivery.busy(seq, this.#parts.clock.monotonicMs() + afterMs);
    if (!kept) return;
    if (kept.item) this.#parts.slots.give(kept.item);
    this.#parts.counts.batchesBusy += 1;
    this.#pump();
  }

  /** Sends whatever may be sent now: of the greedy first what waits, then something new for as long as the window has room. */
  #pump(): void {
    if (!this.#ready) return;
    const nowMs = this.#parts.clock.monotonicMs();
    this.#sendBacklog(nowMs);
    while (this.#greedy && this.#delivery.hasRoom) this.#sendOne();
    this.#wakeForDue(nowMs);
  }

  /** Strictly increasing per series. */
  #nextTimeMs(): number {
    this.#lastTimeMs = Math.max(this.#lastTimeMs + 1, this.#parts.clock.wallMs());
    return this.#lastTimeMs;
  }

  #sendOne(): void {
    const { counts, clock } = this.#parts;
    counts.batchesSent += 1;
    const batch = { seq: this.#delivery.nextSeq(), timeMs: this.#nextTimeMs(), item: undefined };
    this.#send(batch, clock.monotonicMs(), true);
  }

  #sendBacklog(nowMs: number): void {
    while (this.#delivery.hasRoomForBacklog) {
      const due = this.#delivery.takeDue(nowMs);
      if (!due) return;
      this.#parts.counts.batchesResent += 1;
      this.#send(due, nowMs, false);
    }
  }

  #send(batch: Omit<Waiting<Slot>, 'dueMs'>, nowMs: number, first: boolean): void {
    const { slots, signals } = this.#parts;
    const { seq, timeMs } = batch;
    if (!batch.item) signals.advance();
    const item = batch.item ?? slots.take(seq, timeMs, signals.values);
    this.#delivery.sent({ seq, timeMs, item }, nowMs, first, batch.item !== undefined);
    this.#socket?.sendBytes('batch', item.bytes, !first);
  }

  #wakeForDue(nowMs: number): void {
    // While its share of the way is full, an acknowledgement or another pace goes on with it.
    const dueMs = this.#delivery.hasRoomForBacklog ? this.#delivery.nextDueMs : undefined;
    if (dueMs === undefined || dueMs >= this.#wakeMs) return;
    this.#wakeMs = dueMs;
    this.#parts.clock.after(Math.max(1, Math.ceil(dueMs - nowMs)), () => {
      this.#wakeMs = Number.POSITIVE_INFINITY;
      this.#pump();
    });
  }
}
