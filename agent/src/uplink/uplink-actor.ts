/**
 * The uplink: owns the connection to ingest, the timers and the order of what is sent. What to do is decided in `conversation.ts` (the
 * connection) and `delivery.ts` (the batches). Everything that goes out passes one p-queue, one at a time: a batch is emitted when what
 * was emitted before is in the hands of the system, live batches overtake the backlog, and a slow line holds memory for one page of it.
 * Nothing here reads a clock or draws a number of its own: given the same connection, clock and random numbers it does the same.
 */
import PQueue from 'p-queue';
import type { Timer } from '@thrum/actors/system/clock';
import type { Hello } from '@thrum/actors/wire/agent-to-ingest';
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import {
  ackSchema,
  busySchema,
  paceSchema,
  recentRequestSchema,
  refusalSchema,
  welcomeSchema,
  type Ack,
} from '@thrum/actors/wire/ingest-to-agent';
import { gapReasons } from '@thrum/actors/wire/events';
import { protocolVersion, spokenVersions } from '@thrum/actors/wire/version';
import { refuse, refusals } from '@thrum/actors/wire/refusal';
import type { LossReason, Position, QueuedBatch } from '../queue/queue.ts';
import { openConnection, type Connection } from './connection.ts';
import { advance, beginConversation, type Effect, type Happening } from './conversation.ts';
import { createDelivery, type Opening } from './delivery.ts';
import { fullPatience, wait } from './patience.ts';
import { isProbing, noPoison, passedOver, watch, type PoisonEvent } from './poison.ts';
import { rules as allRules, type UplinkRules } from './rules.ts';
import { createSent } from './sent.ts';
import type { Uplink, UplinkCounters, UplinkOptions } from './uplink.ts';

/** The longest any answer is waited for; `conversation.ts` gives up a little earlier. */
const answerMs = 10_000;
const pulseMs = 1000;
const dictionaryAgainMs = 5000;
/** One reading of the queue's backlog, and what of it may wait for the line. */
const pageBytes = 1024 * 1024;
const livePriority = 1;
const backlogPriority = 0;
/** At an orderly stop: for what is on the way to be acknowledged, and for the goodbye. */
const drainMs = 1500;
const byeMs = 500;

export const startUplink = (options: UplinkOptions): Uplink => {
  const { clock, log, queue, connect: dial = openConnection } = options;
  const rules: UplinkRules = { ...allRules, ...options.rules };
  const counters: UplinkCounters = {
    sent: 0,
    resent: 0,
    acknowledged: 0,
    samplesRefused: 0,
    busy: 0,
    unanswered: 0,
    nonsense: 0,
    connections: 0,
  };
  const delivery = createDelivery({ epoch: options.facts().epoch, seq: -1 }, rules);
  const sent = createSent();
  const sends = new PQueue({ concurrency: 1 });
  let conversation = beginConversation(options.urls, clock.monotonicMs());
  let connection: Connection | undefined;
  let poison = noPoison;
  let patience = fullPatience;
  /** Dictionaries the node of this connection knows. */
  let declared = new Set<string>();
  let opening: Opening = { window: 1, protocol: 0 };
  /** Hellos of this start, so that nodes know which connection is the newest. */
  let hellos = 0;
  /** Bytes of the backlog that were read and wait for the line. */
  let waitingBytes = 0;
  let isReading = false;
  let isUnreadable = false;
  let isAnswering = false;
  let timer: Timer | undefined;
  let onAcknowledged: (() => void) | undefined;
  const toldRefusals = new Map<string, number>();

  const giveUp = async (at: Position, reason: LossReason): Promise<void> => {
    const { epoch, seq } = at;
    const isLost = await queue.lose({ epoch, seq }, reason).catch((error: unknown) => {
      log.error({ error, epoch, seq }, 'a record could not be given up, because the queue could not be read');
      return false;
    });
    if (isLost)
      log.error(
        { epoch, seq, why: gapReasons[reason] },
        'a record of the queue was given up: its samples are a gap now',
      );
  };

  /** Looks for a record that ends connections. */
  const judge = (event: PoisonEvent): void => {
    const wasProbing = isProbing(poison);
    const step = watch(poison, event, rules);
    poison = step.state;
    delivery.oneAtATime(isProbing(poison));
    delivery.passOver(passedOver(poison));
    if (isProbing(poison) && !wasProbing)
      log.warn({}, 'ingest closes the connection over something that is sent: one record at a time, to find which');
    if (step.giveUp) void giveUp(step.giveUp, 'unreadable');
  };

  const happen = (happening: Happening): void => {
    if (happening.type === 'refused' && conversation.phase === 'open')
      judge({ type: 'refused', code: happening.refusal.code });
    const step = advance(conversation, happening, { nowMs: clock.monotonicMs(), random: options.random() });
    conversation = step.state;
    for (const effect of step.effects) act(effect);
    if (conversation.phase !== 'open' || happening.type !== 'heard') arm();
  };

  /** While open the pulse looks at the deadline; before that a timer of its own does. */
  const arm = (): void => {
    timer?.cancel();
    timer = undefined;
    if (conversation.phase === 'stopped' || conversation.phase === 'open') return;
    const waitMs = Math.max(0, conversation.deadlineMs - clock.monotonicMs());
    timer = clock.after(waitMs, () => happen({ type: 'time' }));
  };

  const nonsense = (what: string): void => {
    counters.nonsense += 1;
    const times = (toldRefusals.get(what) ?? 0) + 1;
    toldRefusals.set(what, times);
    if (times === 1) log.warn({ what }, 'ingest sent something that makes no sense; it is ignored');
  };

  const act = (effect: Effect): void => {
    switch (effect.type) {
      case 'connect':
        return connect(effect.url);
      case 'hello':
        return void greet(connection);
      case 'declare':
        return void declareCurrent(connection);
      case 'open':
        counters.connections += 1;
        toldRefusals.clear();
        delivery.opened(opening);
        return pump();
      case 'disconnect':
        connection?.close();
        connection = undefined;
        sends.clear();
        waitingBytes = 0;
        judge({ type: 'closed' });
        return delivery.closed();
      case 'tell':
        return log[effect.level](effect.fields, effect.message);
    }
  };

  const connect = (url: string): void => {
    // What an earlier connection still says is nobody's business.
    const mine = (run: () => void): void => {
      if (made === connection) run();
    };
    const made: Connection = dial(url, {
      connected: (pingEveryMs) => mine(() => happen({ type: 'connected', pingEveryMs })),
      heard: () => mine(() => happen({ type: 'heard' })),
      lost: (reason) => mine(() => happen({ type: 'lost', reason })),
      message: (event, payload, reply) => mine(() => receive(event, payload, reply)),
    });
    connection = made;
    declared = new Set();
  };

  const greet = async (to: Connection | undefined): Promise<void> => {
    if (!to) return;
    hellos = rules.nextAttempt(hellos);
    const hello: Hello = {
      ...options.facts(),
      protocol: protocolVersion,
      attempt: hellos,
      clockMs: clock.wallMs(),
      dictionary: options.dictionary.hash,
    };
    const askedMs = clock.monotonicMs();
    const answer = await to.ask('hello', [hello], answerMs);
    if (to !== connection || answer === undefined) return; // over, or the conversation's own deadline judges it
    const welcome = welcomeSchema.safeParse(answer);
    if (!welcome.success) return happen(asRefusal(answer, 'its answer to hello'));
    if (!spokenVersions.includes(welcome.data.protocol))
      return happen({ type: 'refused', refusal: refuse('protocol-version', `ingest speaks ${welcome.data.protocol}`) });
    const { window, backlog: pace, protocol } = welcome.data;
    opening = { window, pace, protocol };
    const onTheWayMs = (clock.monotonicMs() - askedMs) / 2;
    options.onServerClock?.(welcome.data.serverMs + onTheWayMs - clock.wallMs());
    if (!welcome.data.needDictionary) declared.add(options.dictionary.hash);
    happen({ type: 'welcomed', node: welcome.data.node, needDictionary: welcome.data.needDictionary });
  };

  const asRefusal = (answer: unknown, what: string): Happening => {
    const refusal = refusalSchema.safeParse(answer);
    if (refusal.success) return { type: 'refused', refusal: refusal.data };
    nonsense(what);
    return { type: 'lost', reason: `${what} made no sense` };
  };

  /** True when the node took it. Otherwise the conversation has been told. */
  const declare = async (to: Connection, dictionary: Dictionary): Promise<boolean> => {
    const answer = await to.ask('dictionary', [dictionary], answerMs);
    if (to !== connection) return false;
    if (typeof answer === 'object' && answer !== null && Reflect.get(answer, 'ok') === true) {
      declared.add(dictionary.hash);
      return true;
    }
    happen(
      answer === undefined
        ? { type: 'lost', reason: 'no answer to a dictionary' }
        : asRefusal(answer, 'its answer to a dictionary'),
    );
    return false;
  };

  const declareCurrent = async (to: Connection | undefined): Promise<void> => {
    if (to && (await declare(to, options.dictionary))) happen({ type: 'declared' });
  };

  const receive = (event: string, payload: unknown, reply: ((answer: unknown) => void) | undefined): void => {
    if (event === 'ack') {
      const ack = ackSchema.safeParse(payload);
      return ack.success ? acknowledge(ack.data) : nonsense('an ack');
    }
    if (event === 'busy') {
      const busy = busySchema.safeParse(payload);
      if (!busy.success) return nonsense('a busy');
      counters.busy += 1;
      judge({ type: 'busy', at: busy.data });
      delivery.busy(busy.data, busy.data.afterMs, clock.monotonicMs());
      if (!rules.keepsOnBusy(busy.data)) queue.ack(busy.data.epoch, [[busy.data.seq, busy.data.seq]]);
      return pump();
    }
    if (event === 'pace') {
      const pace = paceSchema.safeParse(payload);
      if (!pace.success) return nonsense('a pace');
      opening = { ...opening, pace: pace.data.backlog };
      delivery.paced(pace.data.backlog);
      return pump();
    }
    if (event === 'recent') {
      const request = recentRequestSchema.safeParse(payload);
      return request.success && reply ? void answerRecent(request.data.sinceMs, reply) : nonsense('a recent');
    }
    if (event === 'refused') return happen(asRefusal(payload, 'a refused'));
    nonsense('an event of an unknown name');
  };

  /** One at a time: an answer is megabytes, and asking again while one is on its way must not pile them up. */
  const answerRecent = async (sinceMs: number, reply: (answer: unknown) => void): Promise<void> => {
    const to = connection;
    if (isAnswering || !to) return nonsense('a recent before the last was answered');
    isAnswering = true;
    reply(options.recent.answer(sinceMs));
    await to.written();
    isAnswering = false;
  };

  const acknowledge = (ack: Ack): void => {
    const ranges = rules.mayForget(ack.epoch, rules.isAnswered(ack), sent);
    const refused = ack.refused.filter(({ seq }) => ranges.some(([from, to]) => from <= seq && seq <= to));
    sent.remove(ack.epoch, ranges);
    delivery.acknowledged(ack.epoch, ranges);
    judge({ type: 'acknowledged', epoch: ack.epoch, ranges });
    counters.acknowledged += queue.ack(ack.epoch, ranges, refused);
    for (const { code, samples, detail } of refused) {
      counters.samplesRefused += samples;
      if (toldRefusals.has(code)) continue;
      toldRefusals.set(code, 1);
      log.warn({ code, samples, detail }, `ingest refused samples: ${refusals[code].sentence}`);
    }
    if (queue.size().batches === 0) onAcknowledged?.();
    pump();
  };

  /** Sends whatever may go now. Called whenever something changed. */
  const pump = (): void => {
    const to = connection;
    if (conversation.phase !== 'open' || !to) return;
    const nowMs = clock.monotonicMs();
    counters.unanswered += delivery.expire(nowMs);
    for (let batch = delivery.takeLive(nowMs); batch; batch = delivery.takeLive(nowMs)) {
      schedule(to, batch, false);
    }
    if (!isReading && delivery.backlog(nowMs)) void readBacklog(to);
  };

  const readBacklog = async (to: Connection): Promise<void> => {
    isReading = true;
    try {
      while (waitingBytes < pageBytes) {
        const wanted = delivery.backlog(clock.monotonicMs());
        if (!wanted || to !== connection) return;
        const read = await queue.read(wanted.after, { maxBatches: wanted.room, maxBytes: pageBytes });
        isUnreadable = false;
        if (to !== connection) return;
        for (const batch of delivery.takeBacklog(wanted.after, read)) {
          // Here and not in its turn to be sent, where what is new would wait for the answer.
          if (await isKnown(to, batch)) schedule(to, batch, true);
          if (to !== connection) return;
        }
      }
    } catch (error) {
      if (!isUnreadable) log.error({ error }, 'the queue could not be read; trying again every second');
      isUnreadable = true;
    } finally {
      isReading = false;
      // A connection that came up meanwhile has found this reading under way.
      if (to !== connection) pump();
    }
  };

  /** Whether the node can read this record: it is told the dictionary if it does not know it. */
  const isKnown = async (to: Connection, batch: QueuedBatch): Promise<boolean> => {
    if (batch.kind === 'events' || declared.has(batch.dictionary)) return true;
    try {
      const dictionary = await queue.dictionary(batch.dictionary);
      if (to !== connection) return false;
      if (dictionary) {
        judge({ type: 'sent', at: batch });
        return await declare(to, dictionary);
      }
      delivery.forget(batch);
      await giveUp(batch, 'damaged'); // nobody can say what its numbers are
    } catch (error) {
      log.error({ error }, 'a dictionary of the queue cannot be read now; its records go later');
      delivery.busy(batch, dictionaryAgainMs, clock.monotonicMs());
    }
    return false;
  };

  const schedule = (to: Connection, batch: QueuedBatch, isBacklog: boolean): void => {
    const priority = isBacklog ? backlogPriority : livePriority;
    if (isBacklog) waitingBytes += batch.bytes.length;
    sends
      .add(() => transmit(to, batch, isBacklog), { priority })
      .catch((error: unknown) => {
        delivery.forget(batch);
        log.error({ error, epoch: batch.epoch, seq: batch.seq }, 'a batch could not be sent; it stays in the queue');
      });
  };

  const transmit = async (to: Connection, batch: QueuedBatch, isBacklog: boolean): Promise<void> => {
    await to.written();
    if (to !== connection) return;
    if (isBacklog) waitingBytes -= batch.bytes.length;
    else if (!(await isKnown(to, batch))) return;
    judge({ type: 'sent', at: batch });
    if (batch.kind === 'events') to.emit('events', batch.bytes);
    else to.emit('batch', batch.bytes, isBacklog);
    if (sent.has(batch)) counters.resent += 1;
    else counters.sent += 1;
    sent.add(batch);
    delivery.sent(batch, clock.monotonicMs());
    if (sends.size === 0) pump();
  };

  void options.ready.then(() => arm());
  const pulse = clock.every(pulseMs, () => {
    if (conversation.phase !== 'open') return;
    happen({ type: 'time' });
    const hasBacklog = queue.size().batches > opening.window;
    const taken = opening.pace !== 0 ? 'some' : hasBacklog ? 'none' : 'unknown';
    const step = wait(patience, taken, { nowMs: clock.monotonicMs(), random: options.random }, rules);
    patience = step.state;
    if (step.leaves) return happen({ type: 'renew', reason: 'this node takes nothing of what waits' });
    pump();
  });

  return {
    counters,
    isOpen: () => conversation.phase === 'open',
    offer: (batch) => {
      delivery.offer(batch, clock.monotonicMs());
      pump();
    },
    renew: (reason) => happen({ type: 'renew', reason }),
    stop: async () => {
      const to = connection;
      if (conversation.phase === 'open' && to) {
        if (queue.size().batches > 0)
          await new Promise<void>((resolve) => {
            const patience = clock.after(drainMs, resolve);
            onAcknowledged = () => {
              patience.cancel();
              resolve();
            };
          });
        if (to === connection) await to.ask('bye', [], byeMs);
      }
      pulse.cancel();
      happen({ type: 'stop' });
    },
  };
};
