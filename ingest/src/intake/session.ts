/**
 * The conversation with one agent, from its hello to its end. Runs inside its actor, one message at a time; whatever goes wrong in here
 * ends this connection and nothing else.
 *
 * Invariants
 * - Nothing but a hello is looked at before a good hello.
 * - A batch is shown live before the store is asked, and whatever the store says.
 * - A batch is acknowledged when every sample of it is stored or refused for good, never before.
 * - After `#end` nothing is taken, sent or shown any more.
 */
import type { Timer } from '@thrum/actors/system/clock';
import type { Hello } from '@thrum/actors/wire/agent-to-ingest';
import type { Batch, Shape } from '@thrum/actors/wire/batch';
import type { Welcome } from '@thrum/actors/wire/ingest-to-agent';
import { refuse, type Refusal, type RefusalCode } from '@thrum/actors/wire/refusal';
import { protocolVersion } from '@thrum/actors/wire/version';
import type { Connected } from '../live/live.ts';
import type { Origin } from '../store/store.ts';
import { Acks } from './acks.ts';
import { isForTime, judgeBatch, studyShape, type RefusedSamples, type ShapeFacts } from './batch-check.ts';
import { BatchReader } from './batch-reader.ts';
import { readEvents } from './event-reader.ts';
import { Flights, maxBeyondWindowPerSecond, window, type Name } from './flights.ts';
import { checkHello } from './hello-check.ts';
import type { SeriesCount } from './series-count.ts';
import type { Peer, Surroundings } from './surroundings.ts';

const ackEveryMs = 20;
const maxDeclarations = 64;
const maxUnknownEvents = 64;
/** Until a connection that another node took over is judged: longer than the pause between two pings. */
const supersededAfterMs = 6_000;
const stillHeardAfterMs = 1_500;
const leaveWithinMs = 1_500;
/** The store is asked for the time every two seconds. */
const timeUnsureAfterMs = 2_000;
/** Agents are told of their pace from this version on. */
const pacedFrom = 3;

type Reply = (answer: unknown) => void;

export class Session {
  readonly peer: Peer;
  #around: Surroundings;
  #hello: Hello | undefined;
  #connected: Connected | undefined;
  #reader: BatchReader;
  #declarations = 0;
  #series: SeriesCount | undefined;
  #facts = new WeakMap<Shape, ShapeFacts>();
  #flights: Flights | undefined;
  #acks: Acks;
  /** Its number among those who take turns with their backlogs. */
  #turn: number;
  #backlogTold = 0;
  #backlogSeen = 0;
  #ackTimer: Timer | undefined;
  #timers = new Set<Timer>();
  #unknownEvents = 0;
  #heardMs = -Infinity;
  #loggedCodes = new Set<RefusalCode>();
  #leaving = false;
  #ended = false;

  constructor(around: Surroundings, peer: Peer) {
    this.#around = around;
    this.#acks = new Acks(around.rules);
    this.#turn = around.pacing.enter();
    this.#reader = new BatchReader((hash) => around.dictionaries.find(hash));
    this.peer = peer;
  }

  /** Something came over this connection, if only the answer to a ping. */
  heard(): void {
    if (this.#ended) return;
    this.#heardMs = this.#around.clock.monotonicMs();
    this.#connected?.heard();
  }

  said(event: string, args: readonly unknown[]): void {
    if (this.#ended || this.#leaving) return;
    this.heard();
    const last = args.at(-1);
    // Whatever stands in the place of the acknowledgement function is only called when it is one.
    const reply = typeof last === 'function' ? (last as Reply) : undefined;
    if (event === 'hello') this.#onHello(args[0], reply);
    else if (!this.#hello || !this.#connected || !this.#flights)
      this.#refuse(refuse('hello-first', event.slice(0, 40)), reply);
    else if (event === 'batch') this.#onBatch(this.#hello, this.#connected, this.#flights, args[0], args[1]);
    else if (event === 'events') this.#onEvents(this.#hello, this.#flights, args[0]);
    else if (event === 'dictionary') this.#onDictionary(args[0], reply);
    else if (event === 'bye') this.#onBye(reply);
    else this.#onUnknown();
  }

  /** The time for a hello is over. */
  overdue(): void {
    if (!this.#hello) this.#refuse(refuse('hello-first', 'nothing was said in time'));
  }

  /** Another connection of this host said hello on this node; `quietly` when it is the same agent, which must not be told to stop. */
  replaced(quietly: boolean): void {
    if (this.#ended) return;
    if (!quietly) {
      this.#refuse(refuse('replaced', this.peer.address));
      return;
    }
    this.#around.counts.sessionsReplacedQuietly += 1;
    this.#end(false);
    this.peer.close();
  }

  /** Another node took the host over. Its agent moved, or there are two of them: the one that goes on talking here is one too many. */
  superseded(): void {
    const sinceMs = this.#around.clock.monotonicMs();
    this.#later(supersededAfterMs, () => {
      if (this.#connected?.isSuperseded() === true) this.replaced(this.#heardMs < sinceMs + stillHeardAfterMs);
    });
  }

  /** This node stops: nothing more is taken, what is on the way to the store may still be acknowledged. */
  leave(): void {
    if (this.#ended || this.#leaving) return;
    this.#leaving = true;
    this.#later(leaveWithinMs, () => this.#left());
    if ((this.#flights?.size ?? 0) === 0) this.#left();
  }

  /** Tells the agent how much of its backlog it may send, if that is another number than it was told last. */
  pace(): void {
    const backlog = this.#around.pacing.backlogOf(this.#turn);
    if (this.#ended || this.#leaving || backlog === this.#backlogTold) return;
    if (!this.#hello || this.#hello.protocol < pacedFrom) return;
    this.#backlogTold = backlog;
    this.#around.counts.pacesTold += 1;
    this.peer.send('pace', { backlog });
  }

  /** The connection is gone, or the actor ends. `unheard`: because nothing came any more. */
  gone(unheard: boolean): void {
    this.#end(unheard);
  }

  #onHello(message: unknown, reply: Reply | undefined): void {
    if (this.#hello) return this.#refuse(refuse('malformed', 'a second hello'), reply);
    const { clock, counts, dictionaries, live, nodeName, pacing, seriesCounts, sessions, isOurToken } = this.#around;
    const checked = checkHello(message, isOurToken);
    if (!checked.ok) return this.#refuse(checked, reply);
    const { hello } = checked;
    this.#hello = hello;
    counts.hellos += 1;
    this.peer.greeted();
    const known = dictionaries.find(hello.dictionary);
    if (known) this.#reader.know(known);
    this.#series = seriesCounts.hold(hello.host, clock.monotonicMs());
    this.#flights = this.#newFlights(hello);
    sessions.add(hello.host, hello, this.peer);
    const serverMs = clock.wallMs();
    const about = { hostId: hello.host, boot: hello.boot, dictionary: hello.dictionary, machine: hello.machine };
    const order = { epoch: hello.epoch, attempt: hello.attempt };
    const labels = { cluster: hello.cluster, labels: hello.labels, agentVersion: hello.agentVersion };
    const times = { periodMs: hello.periodMs, clockOffsetMs: Math.round(serverMs - hello.clockMs) };
    this.#connected = live.greet({ ...about, ...order, ...labels, ...times }, () => this.peer.superseded());
    const protocol = Math.min(protocolVersion, hello.protocol);
    this.#backlogTold = pacing.backlogOf(this.#turn);
    const welcome: Welcome = {
      ok: true,
      protocol,
      node: nodeName,
      window,
      ...(protocol >= pacedFrom && { backlog: this.#backlogTold }),
      needDictionary: known === undefined,
      serverMs,
    };
    reply?.(welcome);
  }

  #onDictionary(message: unknown, reply: Reply | undefined): void {
    this.#declarations += 1;
    if (this.#declarations > maxDeclarations) return this.#refuse(refuse('too-fast', 'dictionaries'), reply);
    const declared = this.#around.dictionaries.declare(message);
    if (!declared.ok) return this.#refuse(declared, reply);
    this.#reader.know(declared.dictionary);
    reply?.({ ok: true });
  }

  #onBatch(hello: Hello, connected: Connected, flights: Flights, bytes: unknown, notLive: unknown): void {
    const { counts } = this.#around;
    if (!(bytes instanceof Uint8Array)) return this.#refuse(refuse('malformed', 'batch: not bytes'));
    counts.batches += 1;
    counts.batchBytes += bytes.length;
    const batch = this.#reader.read(bytes);
    if ('code' in batch) return this.#refuse(batch);
    const again = notLive === true;
    if (again) {
      counts.resends += 1;
      this.#backlogSeen = this.#around.pacing.sawBacklog(this.#backlogSeen);
      this.pace();
    }
    if (flights.has(batch)) counts.batchesInFlightAgain += 1;
    else this.#take(hello, connected, flights, batch, again);
  }

  #take(hello: Hello, connected: Connected, flights: Flights, batch: Batch, again: boolean): void {
    const { clock, counts, isTimeSure, retentionMs, rules, store } = this.#around;
    const { epoch, seq } = batch;
    const judged = judgeBatch(batch, this.#factsOf(batch.shape), { nowMs: clock.wallMs(), retentionMs });
    counts.samples += batch.timesMs.length;
    counts.values += batch.values.length;
    counts.valuesBad += batch.badValues;
    const { accepted, acceptedCount, refused } = judged;
    if (!again && acceptedCount > 0) connected.accept(batch, accepted);
    if (!rules.asksStore(acceptedCount)) return this.#done({ epoch, seq }, refused);
    const isLeft = refused.some(isForTime) && !rules.mayRefuseForTime(isTimeSure());
    if (isLeft) counts.batchesLeftForTime += 1;
    flights.take({ epoch, seq }, again, refused, () =>
      isLeft
        ? { ok: false, reason: 'full', afterMs: timeUnsureAfterMs }
        : store.write({
            origin: originOf(hello, epoch, seq),
            batch,
            accepted,
            ...(judged.whyNot && { refused: judged.whyNot }),
          }),
    );
  }

  #onEvents(hello: Hello, flights: Flights, bytes: unknown): void {
    const { clock, counts, eventAllowance, store } = this.#around;
    counts.eventMessages += 1;
    const read = readEvents(bytes);
    if (!read.ok) return this.#refuse(read);
    const { epoch, seq, events } = read.message;
    if (flights.has(read.message)) {
      counts.batchesInFlightAgain += 1;
      return;
    }
    flights.take({ epoch, seq }, true, [], () => {
      const nowMs = clock.monotonicMs();
      const afterMs = eventAllowance.waitMs(hello.host, events.length, nowMs);
      if (afterMs !== undefined) {
        counts.eventMessagesHeldBack += 1;
        return { ok: false, reason: 'full', afterMs };
      }
      const outcome = store.writeEvents({ origin: originOf(hello, epoch, seq), events });
      if (!outcome.ok) return outcome;
      counts.events += events.length;
      eventAllowance.took(hello.host, events.length, nowMs);
      return outcome;
    });
  }

  #newFlights(hello: Hello): Flights {
    const { clock, counts, log, rules, underWay } = this.#around;
    return new Flights({
      hostId: hello.host,
      clock,
      counts,
      underWay,
      rules,
      ack: (name, refused) => this.#done(name, refused),
      busy: ({ epoch, seq }, afterMs) => {
        counts.batchesBusy += 1;
        this.peer.send('busy', { epoch, seq, afterMs: Math.min(600_000, Math.max(0, afterMs)) });
      },
      tooFast: () =>
        this.#refuse(refuse('too-fast', `${maxBeyondWindowPerSecond} batches in a second beyond the window`)),
      broke: (error) => {
        log.error({ error, host: hello.host }, 'BUG: a write ended with an exception; the connection is closed');
        this.#refuse(refuse('try-later', 'this node failed'));
      },
      landed: () => {
        if (this.#leaving) this.#left();
      },
    });
  }

  #factsOf(shape: Shape): ShapeFacts {
    let facts = this.#facts.get(shape);
    if (!facts) {
      const { clock, dictionaries } = this.#around;
      const tooMany = this.#series?.admit(shape, clock.monotonicMs());
      facts = studyShape(shape, (name) => dictionaries.isKnownTarget(name), tooMany);
      this.#facts.set(shape, facts);
    }
    return facts;
  }

  #done({ epoch, seq }: Name, refused: readonly RefusedSamples[]): void {
    if (this.#ended) return; // nobody to tell: the agent sends it again and is told then
    const { counts, clock, log } = this.#around;
    counts.refuseSamples(refused);
    for (const one of refused) {
      this.#connected?.refused(one.code);
      if (this.#loggedCodes.has(one.code)) continue;
      this.#loggedCodes.add(one.code);
      log.warn({ host: this.#hello?.host, ...one }, 'Samples are refused; said once per connection and reason');
    }
    counts.batchesAcknowledged += 1;
    this.#acks.add(epoch, seq, refused);
    this.#ackTimer ??= clock.after(ackEveryMs, () => this.#sendAcks());
  }

  #sendAcks(): void {
    this.#ackTimer?.cancel();
    this.#ackTimer = undefined;
    for (const ack of this.#acks.drain()) this.peer.send('ack', ack);
  }

  #onBye(reply: Reply | undefined): void {
    this.#sendAcks();
    this.#connected?.left();
    reply?.({ ok: true });
  }

  #onUnknown(): void {
    this.#around.counts.eventsUnknown += 1;
    this.#unknownEvents += 1;
    if (this.#unknownEvents > maxUnknownEvents) this.#refuse(refuse('malformed', 'events nobody knows'));
  }

  #left(): void {
    if (this.#ended) return;
    this.#sendAcks();
    this.peer.send('refused', refuse('leaving', this.#around.nodeName));
    this.#end(false);
    this.peer.close();
  }

  #refuse(refusal: Refusal, reply?: Reply): void {
    if (this.#ended) return;
    this.#around.counts.refuse(refusal.code);
    this.#logRefusal(refusal);
    reply?.(refusal);
    this.#sendAcks();
    this.peer.send('refused', refusal);
    this.#end(false);
    this.peer.close();
  }

  /** An agent that said hello gets a line of its own; of strangers there may be any number. */
  #logRefusal({ code, detail }: Refusal): void {
    const { clock, counts, log, strangerLog } = this.#around;
    const line = this.#hello ? { host: this.#hello.host } : strangerLog.worthLogging(code, clock.monotonicMs());
    if (line) log.warn({ code, detail, ...line, address: this.peer.address }, 'A connection is refused and closed');
    else counts.refusalsNotLogged += 1;
  }

  #later(ms: number, run: () => void): void {
    const timer = this.#around.clock.after(ms, () => {
      this.#timers.delete(timer);
      if (!this.#ended) run();
    });
    this.#timers.add(timer);
  }

  #end(unheard: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ackTimer?.cancel();
    for (const timer of this.#timers) timer.cancel();
    if (this.#hello) this.#around.sessions.remove(this.#hello.host, this.peer);
    if (this.#hello && this.#series)
      this.#around.seriesCounts.release(this.#hello.host, this.#around.clock.monotonicMs());
    this.#connected?.lost(unheard);
  }
}

const originOf = (hello: Hello, epoch: number, seq: number): Origin => ({
  hostId: hello.host,
  hostName: hello.machine.name,
  cluster: hello.cluster,
  labels: hello.labels,
  epoch,
  seq,
});
