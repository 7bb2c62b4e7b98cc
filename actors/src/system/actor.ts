/**
 * One actor: a nact actor plus our bounded mailbox, asks and orderly end. Invariants:
 * - at most one wake-up waits in nact's mailbox (`#woken`); messages wait in ours;
 * - `receive` never runs twice at once, and never after `stop` of its state began;
 * - every ask is settled exactly once: by its reply, its deadline, the crash on its message, or the end of the actor;
 * - nothing a handler throws, returns or hangs on leaves this file: nact ends the process on an exception in `onCrash` or `afterStop`.
 */
import { dispatch, spawn as spawnNact, stop as stopNact } from 'nact';
import type { ActorCounts } from './actor-counts.ts';
import type { ActorRef, ActorSpec, AskOutcome, Self, StopReason, TellOutcome } from './actor-ref.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { Mailbox } from './mailbox.ts';
import { asReply } from './reply.ts';
import { afterFailure } from './restart-policy.ts';

/** Told messages handled in one go before others get their turn of the event loop: enough to make a turn's cost disappear. */
const maxPerTurn = 10_000;
const maxTurnMs = 4;
/** How long the end of an actor waits for a handler or `stop` that hangs. */
const graceMs = 2000;
const logEveryMs = 1000;

type Lost = 'full' | 'stopped' | 'failed' | 'deadline' | 'lost';
class Ask<M> {
  readonly message: M;
  readonly lose: (reason: Lost) => void;
  constructor(message: M, lose: (reason: Lost) => void) {
    this.message = message;
    this.lose = lose;
  }
}

/** nact's types say nothing of a reference but that it is one. */
type NactRef = object;

/** The state of one life; nact makes a new one on every reset. */
type Life<S> = { begun: { state: S } | undefined };
const isPromise = <S>(value: S | Promise<S>): value is Promise<S> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

const wakeUp = { wake: true } as const;

type Member = { readonly stopped: Promise<StopReason>; stop(): void };

/** Siblings. A name is free again as soon as its actor is told to stop; the actor is a member until it has stopped. */
export type Family = { readonly names: Set<string>; readonly members: Set<Member> };
export const newFamily = (): Family => ({ names: new Set(), members: new Set() });

/** Stops all of them and waits for each. */
export const stopFamily = async (family: Family): Promise<void> => {
  const all = [...family.members];
  for (const member of all) member.stop();
  await Promise.all(all.map((member) => member.stopped));
};

export type Surroundings = {
  readonly clock: Clock;
  readonly log: Log;
  readonly counts: ActorCounts;
  readonly family: Family;
  readonly above: string;
  readonly nactParent: () => NactRef;
};

let sequence = 0;

export class Actor<M, S> implements Self<M> {
  readonly path: string;
  readonly clock: Clock;
  readonly stopped: Promise<StopReason>;
  readonly #spec: ActorSpec<M, S>;
  readonly #around: Surroundings;
  readonly #mailbox: Mailbox<M | Ask<M>>;
  readonly #ref: NactRef;
  #log: Log | undefined;
  #life: Life<S> = { begun: undefined };
  #children: Family | undefined;
  #nursery: NactRef | undefined;
  #asks: Set<Ask<M>> | undefined;
  #restartsMs: readonly number[] = [];
  #woken = false;
  #busy: Promise<void> | undefined;
  #ending: StopReason | undefined;
  #resolveStopped: (reason: StopReason) => void = () => undefined;
  #quietUntilMs = -Infinity;
  #unlogged = 0;

  constructor(spec: ActorSpec<M, S>, around: Surroundings) {
    if (around.family.names.has(spec.name))
      throw new Error(`${around.above}/${spec.name}: an actor of this name is alive`);
    this.#spec = spec;
    this.#around = around;
    this.clock = around.clock;
    this.path = `${around.above}/${spec.name}`;
    this.#mailbox = new Mailbox(spec.mailbox);
    this.stopped = new Promise((resolve) => (this.#resolveStopped = resolve));
    // nact finds actors by path: a name of its own for each keeps a message to a dead actor from reaching its namesake.
    sequence += 1;
    this.#ref = spawnNact(around.nactParent(), (life: Life<S>) => this.#turn(life), `a${sequence}`, {
      initialStateFunc: () => (this.#life = { begun: undefined }),
      onCrash: async (_message, error, context) => ((await this.#onCrash(error)) ? context.reset : context.resume),
    });
    around.family.names.add(spec.name);
    around.family.members.add(this);
    around.counts.actors += 1;
    this.#wake();
  }

  get log(): Log {
    return (this.#log ??= this.#around.log.child({ actor: this.path }));
  }

  mailboxSize(): number {
    return this.#mailbox.size;
  }

  tell(message: M): TellOutcome {
    return this.#offer(message);
  }

  ask<R>(make: (reply: (value: R) => void) => M, options: { deadlineMs: number }): Promise<AskOutcome<R>> {
    return new Promise((resolve) => {
      let done: () => void = () => undefined;
      const settle = (outcome: AskOutcome<R>): void => {
        done();
        resolve(outcome);
      };
      const reply = asReply((value: R) => settle({ ok: true, value }), this.clock.monotonicMs() + options.deadlineMs);
      const ask = new Ask(make(reply), (reason) => settle({ ok: false, reason }));
      const offered = this.#offer(ask);
      if (!offered.ok) {
        ask.lose(offered.reason);
        return;
      }
      const asks = (this.#asks ??= new Set());
      const timer = this.clock.after(options.deadlineMs, () => ask.lose('deadline'));
      asks.add(ask);
      done = () => {
        timer.cancel();
        asks.delete(ask);
      };
    });
  }

  spawn<N, T>(spec: ActorSpec<N, T>): ActorRef<N> {
    if (this.#ending) throw new Error(`${spec.name}: its parent ${this.path} is stopped`);
    const family = (this.#children ??= newFamily());
    const nactParent = (): NactRef => (this.#nursery ??= spawnNact(this.#ref, () => undefined, `n${(sequence += 1)}`));
    return new Actor(spec, { ...this.#around, family, above: this.path, nactParent });
  }

  stop(): void {
    this.#end({ kind: 'stopped' });
  }

  #offer(item: M | Ask<M>): TellOutcome {
    if (this.#ending) {
      this.#deadLetters(1);
      return { ok: false, reason: 'stopped' };
    }
    const offer = this.#mailbox.offer(item);
    if (offer.kind === 'refused') {
      this.#dropped('mailbox full: a message is refused');
      return { ok: false, reason: 'full' };
    }
    if (offer.kind === 'displaced') {
      this.#dropped('mailbox full: the oldest message is dropped');
      if (offer.oldest instanceof Ask) offer.oldest.lose('full');
    }
    this.#wake();
    return { ok: true };
  }

  #wake(): void {
    if (this.#woken || this.#ending) return;
    this.#woken = true;
    dispatch(this.#ref, wakeUp);
  }

  /** What nact runs for a wake-up: begin this life if it has not begun, then handle what waits. Only what is a promise is waited for. */
  async #turn(life: Life<S>): Promise<Life<S>> {
    let finished: () => void = () => undefined;
    this.#busy = new Promise((resolve) => (finished = resolve));
    try {
      if (!life.begun && !this.#ending) life.begun = { state: await this.#spec.start(this) };
      const untilMs = this.clock.monotonicMs() + maxTurnMs;
      for (let handled = 0; handled < maxPerTurn && life.begun && !this.#hasEnded(); handled += 1) {
        const item = this.#mailbox.take();
        if (item === undefined) break;
        const next = this.#receive(life.begun.state, item);
        life.begun.state = isPromise(next) ? await this.#settled(next, item) : next;
        if (this.clock.monotonicMs() > untilMs) break;
      }
      return life;
    } finally {
      this.#busy = undefined;
      this.#woken = false;
      if (this.#mailbox.size > 0) this.#wake();
      finished();
    }
  }

  #receive(state: S, item: M | Ask<M>): S | Promise<S> {
    try {
      return this.#spec.receive(state, item instanceof Ask ? item.message : item, this);
    } catch (error) {
      this.#lost(item);
      throw error;
    }
  }

  async #settled(next: Promise<S>, item: M | Ask<M>): Promise<S> {
    try {
      return await next;
    } catch (error) {
      this.#lost(item);
      throw error;
    }
  }

  /** The message that crashed its actor. */
  #lost(item: M | Ask<M>): void {
    this.#around.counts.dropped += 1;
    if (item instanceof Ask) item.lose('failed');
  }

  /** True when a new life shall begin now. Never throws: nact would end the process. */
  async #onCrash(error: unknown): Promise<boolean> {
    this.#around.counts.failures += 1;
    if (this.#ending) {
      this.log.warn({ error }, 'failed while it was being stopped');
      return false;
    }
    const verdict = afterFailure(this.#spec.restart, this.#restartsMs, this.clock.monotonicMs());
    if (verdict.kind === 'stop') {
      this.log.error({ error, restarts: this.#restartsMs.length }, 'failed too often and is stopped');
      this.#end({ kind: 'failed', error });
      return false;
    }
    this.#restartsMs = verdict.restartsMs;
    this.log.warn({ error, pauseMs: verdict.pauseMs }, 'failed and starts anew');
    await this.#renew(error, verdict.pauseMs);
    if (this.#hasEnded()) return false;
    // nact's reset stops the nact actors below; ours end with them, also one that code of the old life spawned in the pause.
    for (const child of this.#children?.members ?? []) child.stop();
    this.#nursery = undefined;
    this.#around.counts.restarts += 1;
    this.#wake();
    return true;
  }

  #hasEnded(): boolean {
    return this.#ending !== undefined;
  }

  /** Frees the old life and waits out the pause; `#busy` meanwhile, so that a `stop` waits for it. */
  async #renew(error: unknown, pauseMs: number): Promise<void> {
    const free = async (): Promise<void> => {
      await this.#stopChildren();
      await this.#release({ kind: 'failed', error });
    };
    this.#busy = free();
    await this.#busy;
    this.#busy = undefined;
    await new Promise<void>((resolve) => this.clock.after(pauseMs, resolve));
  }

  async #stopChildren(): Promise<void> {
    if (this.#children) await stopFamily(this.#children);
  }

  #end(reason: StopReason): void {
    if (this.#ending) return;
    this.#ending = reason;
    this.#around.family.names.delete(this.#spec.name);
    const queued = this.#mailbox.takeAll();
    if (queued.length > 0) this.#deadLetters(queued.length);
    void this.#finish(reason);
  }

  async #finish(reason: StopReason): Promise<void> {
    await this.#withinGrace(Promise.all([this.#busy, this.#stopChildren()]), 'a handler still runs');
    await this.#withinGrace(this.#release(reason), 'its stop still runs');
    for (const ask of this.#asks ?? []) ask.lose('stopped');
    stopNact(this.#ref);
    this.#around.family.members.delete(this);
    this.#around.counts.actors -= 1;
    this.#resolveStopped(reason);
  }

  /** Frees the state of this life, once. */
  async #release(reason: StopReason): Promise<void> {
    const { begun } = this.#life;
    this.#life.begun = undefined;
    if (!begun) return;
    try {
      await this.#spec.stop?.(begun.state, reason);
    } catch (error) {
      this.#around.counts.failures += 1;
      this.log.warn({ error }, 'failed to stop in order');
    }
  }

  async #withinGrace(work: Promise<unknown>, what: string): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.clock.after(graceMs, () => {
        this.log.error({ graceMs }, `stopped without waiting any longer: ${what}`);
        resolve();
      });
      void work.finally(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #deadLetters(count: number): void {
    this.#around.counts.deadLetters += count;
    this.#logSometimes(count, 'told after its end: dead letters');
  }

  #dropped(message: string): void {
    this.#around.counts.dropped += 1;
    this.#logSometimes(1, message);
  }

  /** At most one line a second for each actor, with how many it stands for. */
  #logSometimes(count: number, message: string): void {
    this.#unlogged += count;
    const nowMs = this.clock.monotonicMs();
    if (nowMs < this.#quietUntilMs) return;
    this.#quietUntilMs = nowMs + logEveryMs;
    this.log.warn({ messages: this.#unlogged }, message);
    this.#unlogged = 0;
  }
}
