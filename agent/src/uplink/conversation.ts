/**
 * One conversation with ingest after the other, as a state machine: which phase the agent is in, and what to do about what happened. It
 * knows no socket and no timer. A missing acknowledgement never ends a conversation, silence does; a refusal that a person must mend
 * is told once and tried again slowly; the agent never gives up.
 *
 *   waiting → connecting → greeting (hello) → declaring (dictionary, if asked for) → open → waiting → …
 */
import { explain, nextOf, type Refusal } from '@thrum/actors/wire/refusal';
import { backoffMs, politeBackoffMs, slowBackoffMs } from './backoff.ts';
import { blaming } from './poison.ts';

/** A connection, then an answer, must come within this; longer means longer until the next address is tried. */
const connectMs = 4000;
const answerMs = 6000;
/** Silence of a peer whose handshake did not tell how often it pings. */
const silenceMs = 8000;
const maxSilenceMs = 30_000;
/** A conversation that was open this long was a good one: the next failure is the first again. */
const goodMs = 5000;
/** So many refusals of what is sent in a row are tried again soon: one record of all may be to blame, and is to be found. */
const soonAttempts = 10;
/** A lasting fault is told again this often. */
const tellAgainMs = 60_000;

type Phase = 'waiting' | 'connecting' | 'greeting' | 'declaring' | 'open' | 'stopped';

export type Conversation = {
  readonly phase: Phase;
  /** When something must have happened; in `open`, when the peer has been silent for too long. */
  readonly deadlineMs: number;
  /** Failures in a row. */
  readonly attempt: number;
  readonly url: number;
  readonly urls: readonly string[];
  readonly openedMs: number;
  readonly silenceMs: number;
  /** Connections that were opened. */
  readonly opened: number;
  /** The last fault told, so that the same is not told every few seconds. */
  readonly told: { readonly what: string; readonly atMs: number } | undefined;
};

export type Happening =
  | { readonly type: 'time' }
  | { readonly type: 'connected'; readonly pingEveryMs: number | undefined }
  | { readonly type: 'welcomed'; readonly node: string; readonly needDictionary: boolean }
  | { readonly type: 'declared' }
  | { readonly type: 'heard' }
  | { readonly type: 'refused'; readonly refusal: Refusal }
  | { readonly type: 'lost'; readonly reason: string }
  | { readonly type: 'renew'; readonly reason: string }
  | { readonly type: 'stop' };

export type Effect =
  | { readonly type: 'connect'; readonly url: string }
  | { readonly type: 'hello' }
  | { readonly type: 'declare' }
  | { readonly type: 'open' }
  | { readonly type: 'disconnect' }
  | {
      readonly type: 'tell';
      readonly level: 'info' | 'warn' | 'error';
      readonly fields: object;
      readonly message: string;
    };

export type Step = { readonly state: Conversation; readonly effects: readonly Effect[] };

export const beginConversation = (urls: readonly string[], nowMs: number): Conversation => ({
  phase: 'waiting',
  deadlineMs: nowMs,
  attempt: 0,
  url: 0,
  urls,
  openedMs: 0,
  silenceMs,
  opened: 0,
  told: undefined,
});

const urlOf = (state: Conversation): string => state.urls[state.url % state.urls.length] ?? '';

type Now = { readonly nowMs: number; readonly random: number };

/** Ends what is under way and waits. `what` names the fault; the same fault is told again only after a minute. */
const retreat = (
  state: Conversation,
  now: Now,
  waitMs: number,
  next: Partial<Conversation>,
  tell: { level: 'info' | 'warn' | 'error'; what: string; message: string; fields?: object },
): Step => {
  const isNews = state.told?.what !== tell.what || now.nowMs - state.told.atMs >= tellAgainMs;
  const effects: Effect[] = [{ type: 'disconnect' }];
  if (isNews)
    effects.push({
      type: 'tell',
      level: tell.level,
      fields: { url: urlOf(state), again: `in ${waitMs} ms`, ...tell.fields },
      message: tell.message,
    });
  return {
    state: {
      ...state,
      phase: 'waiting',
      deadlineMs: now.nowMs + waitMs,
      url: (state.url + 1) % state.urls.length,
      attempt: state.attempt + 1,
      told: isNews ? { what: tell.what, atMs: now.nowMs } : state.told,
      ...next,
    },
    effects,
  };
};

/** Failures in a row, counted once per round of all addresses; a good conversation begins the count again. */
const attemptsOf = (state: Conversation, nowMs: number): number =>
  state.phase === 'open' && nowMs - state.openedMs >= goodMs ? 0 : state.attempt;

const lose = (state: Conversation, now: Now, reason: string): Step => {
  const attempt = attemptsOf(state, now.nowMs);
  const waitMs = backoffMs(Math.floor(attempt / state.urls.length), now.random);
  const message =
    state.phase === 'open'
      ? 'connection to ingest lost; measuring goes on and nothing is dropped'
      : 'no connection to ingest; measuring goes on and trying goes on';
  return retreat(
    state,
    now,
    waitMs,
    { attempt: attempt + 1 },
    { level: 'warn', what: state.phase, message, fields: { reason } },
  );
};

const beRefused = (state: Conversation, now: Now, refusal: Refusal): Step => {
  const fields = { code: refusal.code };
  // Who says hello first whenever there is a connection was too late with it: one of the two stood still.
  const wasLate = refusal.code === 'hello-first';
  if (nextOf(refusal.code) === 'stop' && !wasLate) {
    const isOfOneMessage = state.phase === 'open' && blaming.includes(refusal.code) && state.attempt < soonAttempts;
    const message = `ingest refused this agent: ${explain(refusal)} ${isOfOneMessage ? 'Trying again.' : 'Trying again every minute.'}`;
    const hasFurther = (state.url % state.urls.length) + 1 < state.urls.length;
    const soonMs = isOfOneMessage ? politeBackoffMs(state.attempt, now.random) : backoffMs(state.attempt, now.random);
    const waitMs = isOfOneMessage || hasFurther ? soonMs : slowBackoffMs(now.random);
    return retreat(state, now, waitMs, {}, { level: 'error', what: refusal.code, message, fields });
  }
  const attempt = attemptsOf(state, now.nowMs);
  const isGoodbye = refusal.code === 'leaving';
  const waitMs = isGoodbye ? backoffMs(0, now.random) : politeBackoffMs(attempt, now.random);
  const message = isGoodbye
    ? 'the ingest node is stopping; going to another'
    : `ingest sent the agent away: ${explain(refusal)}`;
  return retreat(
    state,
    now,
    waitMs,
    { attempt: attempt + 1 },
    { level: isGoodbye ? 'info' : 'warn', what: refusal.code, message, fields },
  );
};

const none: readonly Effect[] = [];

/** What follows from a happening. One that does not fit the phase (an answer that came too late) changes nothing. */
export const advance = (state: Conversation, happening: Happening, now: Now): Step => {
  const { nowMs } = now;
  if (state.phase === 'stopped') return { state, effects: none };
  switch (happening.type) {
    case 'time':
      if (nowMs < state.deadlineMs) return { state, effects: none };
      if (state.phase === 'waiting')
        return {
          state: { ...state, phase: 'connecting', deadlineMs: nowMs + connectMs },
          effects: [{ type: 'connect', url: urlOf(state) }],
        };
      if (state.phase === 'open') return lose(state, now, `silent for ${state.silenceMs} ms`);
      return lose(state, now, `no answer while ${state.phase}`);
    case 'connected': {
      if (state.phase !== 'connecting') return { state, effects: none };
      const { pingEveryMs } = happening;
      const quiet =
        pingEveryMs === undefined ? silenceMs : Math.min(maxSilenceMs, Math.max(silenceMs, pingEveryMs + 3000));
      return {
        state: { ...state, phase: 'greeting', deadlineMs: nowMs + answerMs, silenceMs: quiet },
        effects: [{ type: 'hello' }],
      };
    }
    case 'welcomed':
      if (state.phase !== 'greeting') return { state, effects: none };
      if (happening.needDictionary)
        return {
          state: { ...state, phase: 'declaring', deadlineMs: nowMs + answerMs },
          effects: [{ type: 'declare' }],
        };
      return open(state, nowMs);
    case 'declared':
      return state.phase === 'declaring' ? open(state, nowMs) : { state, effects: none };
    case 'heard':
      return state.phase === 'open'
        ? { state: { ...state, deadlineMs: nowMs + state.silenceMs }, effects: none }
        : { state, effects: none };
    case 'refused':
      return state.phase === 'waiting' ? { state, effects: none } : beRefused(state, now, happening.refusal);
    case 'lost':
      return state.phase === 'waiting' ? { state, effects: none } : lose(state, now, happening.reason);
    case 'renew':
      if (state.phase !== 'open') return { state, effects: none };
      return {
        state: { ...state, phase: 'waiting', deadlineMs: nowMs },
        effects: [
          { type: 'disconnect' },
          { type: 'tell', level: 'info', fields: { reason: happening.reason }, message: 'greeting ingest anew' },
        ],
      };
    case 'stop':
      return {
        state: { ...state, phase: 'stopped', deadlineMs: Number.POSITIVE_INFINITY },
        effects: [{ type: 'disconnect' }],
      };
  }
};

const open = (state: Conversation, nowMs: number): Step => ({
  state: {
    ...state,
    phase: 'open',
    deadlineMs: nowMs + state.silenceMs,
    openedMs: nowMs,
    opened: state.opened + 1,
    told: undefined,
  },
  effects: [
    { type: 'open' },
    { type: 'tell', level: 'info', fields: { url: urlOf(state) }, message: 'connected to ingest' },
  ],
});
