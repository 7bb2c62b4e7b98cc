/**
 * The time an ingest node judges by: its own clock, unless the store's says that it is wrong. Two nodes that refuse by two clocks would refuse
 * here what is stored there, and agents far off go by what they are told, so a wrong clock of one node must change nothing.
 *
 * The store's clock is heard now and then and goes on by the monotonic clock between. Where the own clock is more than `apartMs` off, the
 * store's counts. After a step of the own clock (or a sleep of the machine, when the monotonic one stands still) nobody knows which is right
 * until the store is heard again: `isSure` says so.
 */
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';

export type RightTime = {
  /** The clock of the machine with `wallMs` made right. */
  readonly clock: Clock;
  /** Whether a sample may be refused for its time now. */
  readonly isSure: () => boolean;
  /** `serverMs`: what the store's clock said between then and now; `undefined` when it does not tell (then the own one counts). */
  readonly heard: (serverMs: number | undefined, askedAtMs: number) => void;
  /** Once the store was heard. */
  readonly told: Promise<unknown>;
  /** How far the own clock is ahead of the time that counts. */
  offMs(): number;
};

/** Clocks kept by NTP differ by less; agents that are off by less are believed too. */
const apartMs = 30_000;
/** The own clock has stepped when it and the monotonic one went on by so much differently. */
const stepMs = 1000;
/** An answer that took longer says too little about when it was given. */
const longestAnswerMs = 2000;

/** `fromStore`: whether the store has a clock of its own; otherwise the own one is right by definition. */
export const createRightTime = (own: Clock, log: Pick<Log, 'warn' | 'info'>, fromStore: boolean): RightTime => {
  /** Of the store's clock and of the own one, less the monotonic one, when the store was heard last. */
  let last: { readonly server: number; readonly own: number } | undefined;
  let isTold = false;
  let wasApart = false;
  const { promise: told, resolve: tell } = Promise.withResolvers<undefined>();
  const know = (): void => {
    isTold = true;
    tell(undefined);
  };
  if (!fromStore) know();

  const ownNow = (): number => own.wallMs() - own.monotonicMs();
  const isApart = (server: number): boolean => Math.abs(ownNow() - server) > apartMs;
  // Whole milliseconds, as every wall clock tells them.
  const wallMs = (): number =>
    last && isApart(last.server) ? Math.floor(own.monotonicMs() + last.server) : own.wallMs();

  return {
    clock: { ...own, wallMs },
    told,
    isSure: () => isTold && (!last || Math.abs(ownNow() - last.own) < stepMs),
    heard: (serverMs, askedAtMs) => {
      const nowMs = own.monotonicMs();
      if (serverMs === undefined) return know();
      if (nowMs - askedAtMs > longestAnswerMs) return;
      last = { server: serverMs - (askedAtMs + nowMs) / 2, own: ownNow() };
      know();
      const apart = isApart(last.server);
      if (apart === wasApart) return;
      wasApart = apart;
      const offSeconds = Math.round((ownNow() - last.server) / 1000);
      if (apart)
        log.warn(
          { offSeconds },
          'the clock of this node is off: it goes by the clock of the store. Set it right (NTP)',
        );
      else log.info({ offSeconds }, 'the clock of this node is right again');
    },
    offMs: () => (last ? ownNow() - last.server : 0),
  };
};
