/**
 * Signing in, setting up and setting a password anew: each takes what a page sent, after it was parsed, and answers with a session or with a refusal
 * in words for people. Order matters in all of them: what costs nothing is judged first, a password is hashed last and only within the limits.
 */
import type { Links } from '@thrum/actors/link/links';
import { SessionsError, type Session, type Sessions } from '@thrum/actors/sessions/sessions';
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import { refuse, type Refusal, type RefusalCode } from '@thrum/actors/wire/refusal';
import type { ResetBody, SetUpBody, SignInBody } from '@thrum/actors/wire/sign-in';
import { createAccountAttempts, createAddressAttempts } from './attempts.ts';
import { nameHelp, passwordFault, userKey } from './credentials.ts';
import { createHashing, type Hashing } from './hashing.ts';
import { rules as ownRules, type SignInRules } from './rules.ts';
import { shareAttempts } from './shared-attempts.ts';
import { isToken, userOfResetToken } from './tokens.ts';
import { createUsers, type User, type UserDocuments, type Users } from './users.ts';

/** Whether the installation has no user yet; unknown until the store has answered once. */
export type SetUpState = 'unknown' | 'needed' | 'done';

export type Entry = { readonly ok: true; readonly sid: string; readonly session: Session };
export type Denial = Refusal & { readonly retryAfterMs?: number };

/** What is known of who asks, besides the message. */
export type Asker = { readonly address: string; readonly session: Session | undefined };

export type SignIn = {
  signIn(body: SignInBody, asker: Asker): Promise<Entry | Denial>;
  setUp(body: SetUpBody, asker: Asker): Promise<Entry | Denial>;
  reset(body: ResetBody, asker: Asker): Promise<Entry | Denial>;
  setUpState(): SetUpState;
  /** Called once, when it is known. */
  onSetUpKnown(listener: (state: 'needed' | 'done') => void): void;
  /** May have changed at another node: asks the store again, at most every few seconds. */
  refreshSetUp(): void;
  readonly users: Users;
  counters(): Record<string, number>;
  close(): void;
};

export type SignInOptions = {
  documents: UserDocuments;
  sessions: Pick<Sessions, 'open' | 'endBefore' | 'revoke'>;
  links: Pick<Links, 'self' | 'peers' | 'ask' | 'tell' | 'serve'>;
  clock: Clock;
  log: Log;
  /** Of the one-time link; without it nobody can be set up by a link. */
  setUpToken: string | undefined;
  hashing?: Hashing;
  rules?: Partial<SignInRules>;
};

/** Waits between questions whether there are users, until the store has answered. */
const askAgainMs = { first: 100, most: 2000 };
/** How old an answer "there is no user" may be while somebody looks at the sign-in page. */
const setUpStaleMs = 3000;
const noRoomRetryMs = 2000;
/** Refusals of one code are logged this often, with how many were left out. */
const quietMs = 60_000;

/** What the store's refusal means for somebody who wants to come in. */
const away = (refusal: Refusal): Denial =>
  refusal.code === 'no-ingest'
    ? refuse(
        'no-ingest',
        'This web node is linked to no ingest node and cannot ask the store, so nobody can sign in at the moment; who is signed in stays so.',
      )
    : refusal.code === 'store-away' || refusal.code === 'deadline'
      ? refuse(
          'store-away',
          'The store does not answer, so nobody can sign in at the moment; who is signed in stays so.',
        )
      : refusal;

const wait = (retryAfterMs: number): Denial => {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const words = seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`;
  return { ...refuse('try-later', `Too many attempts: try again in ${words}.`), retryAfterMs };
};

const noRoom = (): Denial => ({
  ...refuse('try-later', 'Too many people are signing in at this moment: try again in a few seconds.'),
  retryAfterMs: noRoomRetryMs,
});

export const startSignIn = (options: SignInOptions): SignIn => {
  const { sessions, clock, log } = options;
  const hashing = options.hashing ?? createHashing();
  const rules = { ...ownRules, ...options.rules };
  const users = createUsers({ documents: options.documents, clock, rules });
  const accounts = createAccountAttempts(rules);
  const addresses = createAddressAttempts();
  const shared = shareAttempts({ links: options.links, own: accounts, nowMs: () => clock.monotonicMs() });
  const counts = { signIns: 0, signInsRefused: 0, setUps: 0, passwordsReset: 0 };

  let state: SetUpState = 'unknown';
  let askedMs = Number.NEGATIVE_INFINITY;
  let closed = false;
  const listeners: ((state: 'needed' | 'done') => void)[] = [];

  const know = (known: 'needed' | 'done'): void => {
    state = known;
    for (const listener of listeners.splice(0)) listener(known);
  };

  /** False when the store did not answer. */
  const askSetUp = async (): Promise<boolean> => {
    askedMs = clock.monotonicMs();
    const known = await users.all();
    if (known.ok && state !== 'done') know(rules.maySetUp(known.users.length) ? 'needed' : 'done');
    return known.ok;
  };
  const askUntilKnown = async (pauseMs: number): Promise<void> => {
    if (closed || state !== 'unknown' || (await askSetUp())) return;
    clock.after(pauseMs, () => void askUntilKnown(Math.min(askAgainMs.most, pauseMs * 2)));
  };
  void askUntilKnown(askAgainMs.first);

  const enter = async (user: Pick<User, 'name' | 'generation'>, asker: Asker): Promise<Entry | Denial> => {
    try {
      const opened = await sessions.open({ user: user.name, generation: user.generation });
      // The browser has one cookie: the session it had before would live on unused.
      if (asker.session) void sessions.revoke(asker.session.id).catch(() => undefined);
      return { ok: true, ...opened };
    } catch (error) {
      log.warn({ user: user.name, error }, 'a session could not be opened');
      const why = error instanceof SessionsError ? error.message : 'No session could be opened: try again in a moment.';
      return refuse('try-later', why);
    }
  };

  /** The limits on attempts, held while `attempt` is judged. An attempt that was not judged does not count. */
  const limited = async (
    asker: Asker,
    account: string | undefined,
    attempt: () => Promise<Entry | Denial>,
  ): Promise<Entry | Denial> => {
    const byAddress = addresses.begin(asker.address, clock.monotonicMs());
    if (!byAddress.ok) return wait(byAddress.retryAfterMs);
    // Whoever is signed in as this user is not kept out by strangers who guess: their failures count apart.
    const key = account !== undefined && asker.session?.user === account ? `${account}\n${asker.session.id}` : account;
    const byAccount = key === undefined ? ({ ok: true } as const) : await shared.begin(key);
    if (!byAccount.ok) return wait(byAccount.retryAfterMs);
    const outcome = await attempt();
    const isJudged = outcome.ok || outcome.code === 'wrong-password' || outcome.code === 'bad-link';
    if (!isJudged) addresses.takeBack(asker.address);
    if (key !== undefined && outcome.ok) shared.succeeded(key);
    else if (key !== undefined && !isJudged) shared.takeBack(key);
    return outcome;
  };

  const checkPassword = async (body: SignInBody, key: string | undefined, asker: Asker): Promise<Entry | Denial> => {
    const found = key === undefined ? ({ ok: true, user: undefined } as const) : await users.find(key);
    if (!found.ok) return away(found);
    const { user } = found;
    const verdict = await hashing.verify(body.password, user?.password);
    if (!verdict.ok) return noRoom();
    if (!user || !verdict.matches) return refuse('wrong-password');
    if (verdict.outdated) {
      const renewed = await hashing.hash(body.password);
      if (renewed.ok) void users.rehash(user, renewed.phc);
    }
    return enter(user, asker);
  };

  const newPassword = async (password: string): Promise<{ ok: true; phc: string } | Denial> => {
    const hashed = await hashing.hash(password);
    return hashed.ok ? hashed : noRoom();
  };

  const quiet = new Map<RefusalCode, { loggedMs: number; leftOut: number }>();
  /** A wrong password is said each time, for limits and hashing bound those; what costs whoever asks nothing must not fill the log. */
  const sayRefused = (code: RefusalCode, address: string): void => {
    const nowMs = clock.monotonicMs();
    const last = quiet.get(code);
    if (code !== 'wrong-password' && last && nowMs - last.loggedMs < quietMs) {
      last.leftOut += 1;
      return;
    }
    quiet.set(code, { loggedMs: nowMs, leftOut: 0 });
    log.info({ code, address, leftOut: last?.leftOut ?? 0 }, 'a sign-in was refused');
  };

  const signIn: SignIn['signIn'] = async (body, asker) => {
    const key = userKey(body.name);
    const outcome = await limited(asker, key, () => checkPassword(body, key, asker));
    if (outcome.ok) counts.signIns += 1;
    else {
      counts.signInsRefused += 1;
      sayRefused(outcome.code, asker.address);
    }
    return outcome;
  };

  const setUp: SignIn['setUp'] = (body, asker) =>
    limited(asker, undefined, async () => {
      if (options.setUpToken === undefined || !isToken(body.token, options.setUpToken))
        return refuse('bad-link', 'This set-up link is wrong or from an earlier start: open the one printed last.');
      const known = await users.all();
      if (!known.ok) return away(known);
      if (!rules.maySetUp(known.users.length))
        return refuse('bad-link', 'Thrum has been set up already: this link was used. Sign in instead.');
      const name = userKey(body.name);
      if (name === undefined) return refuse('bad-question', nameHelp);
      const fault = passwordFault(body.password, name);
      if (fault !== undefined) return refuse('weak-password', fault);
      const hashed = await newPassword(body.password);
      if (!hashed.ok) return hashed;
      const created = await users.createFirst(name, hashed.phc);
      if (!created.ok) return away(created);
      counts.setUps += 1;
      know('done');
      log.info({ user: name }, 'the first user was set up');
      return enter(created.user, asker);
    });

  const reset: SignIn['reset'] = (body, asker) =>
    limited(asker, undefined, async () => {
      const key = userOfResetToken(body.token);
      if (key === undefined || userKey(key) !== key) return refuse('bad-link', 'This is no link that Thrum gave out.');
      // Judged before the password is: a link that does not work must say so, and a password that is refused must not use it up.
      const checked = await users.checkReset(key, body.token);
      if (!checked.ok) return away(checked);
      const fault = passwordFault(body.password, key);
      if (fault !== undefined) return refuse('weak-password', fault);
      const hashed = await newPassword(body.password);
      if (!hashed.ok) return hashed;
      const done = await users.reset(key, body.token, hashed.phc);
      if (!done.ok) return away(done);
      counts.passwordsReset += 1;
      log.info({ user: key }, 'a password was set anew by a link; all sessions of before end');
      await sessions.endBefore(key, done.user.generation);
      return enter(done.user, asker);
    });

  return {
    signIn,
    setUp,
    reset,
    users,
    setUpState: () => state,
    onSetUpKnown: (listener) => {
      if (state === 'unknown') listeners.push(listener);
      else listener(state);
    },
    refreshSetUp: () => {
      if (state === 'needed' && clock.monotonicMs() - askedMs >= setUpStaleMs) void askSetUp();
    },
    counters: () => ({ ...counts, ...hashing.counters(), ...accounts.counters(), ...addresses.counters() }),
    close: () => {
      closed = true;
      shared.close();
    },
  };
};
