/**
 * Who is signed in, as this page knows it. The session is the browser's (a cookie no script can read), so all its tabs come and go together: one that
 * signs in or out tells the others. What the page shows of the fleet it shows only while `standing` is "in".
 */
import type { Me, SignInAnswer } from '@thrum/actors/wire/sign-in';

export type Standing =
  | { readonly kind: 'asking' }
  /** `user` undefined: the server could not be asked; its socket will tell. */
  | { readonly kind: 'in'; readonly user: string | undefined }
  /** `unheard`: the server did not answer when this browser was to be signed out. */
  | { readonly kind: 'out'; readonly why: 'nobody' | 'ended' | 'left' | 'unheard'; readonly needsSetUp: boolean };

/** Connections fail over and over while a server is away: it is not asked as often. */
const doubtEveryMs = 3000;
/** Another tab may have signed in, or a server that had just started may have learned of the session. */
const lookEveryMs = 10_000;
/** A server that hangs is no answer; the page then says what it knows of its connection. */
const answerWithinMs = 3000;

export class Who {
  standing = $state.raw<Standing>({ kind: 'asking' });
  /** Who was signed in here last, to greet them by name. */
  last = $state('');
  #doubtedMs = Number.NEGATIVE_INFINITY;
  #tabs: BroadcastChannel | undefined;
  /** Between the wish to leave and the server's word every answer that says otherwise is of before. */
  #isLeaving = false;

  /** Asks, and goes on looking while nobody is signed in. Returns what ends it. */
  start(): () => void {
    const tabs = new BroadcastChannel('thrum-session');
    this.#tabs = tabs;
    tabs.onmessage = () => void this.ask();
    const look = (): void => {
      const { standing } = this;
      if (standing.kind === 'out' && standing.why !== 'unheard' && document.visibilityState === 'visible')
        void this.ask();
    };
    const timer = setInterval(look, lookEveryMs);
    document.addEventListener('visibilitychange', look);
    void this.ask();
    return () => {
      tabs.close();
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }

  async ask(): Promise<void> {
    try {
      const signal = AbortSignal.timeout(answerWithinMs);
      const me = (await (await fetch('/api/me', { cache: 'no-store', signal })).json()) as Me;
      if (this.#isLeaving) return;
      if (me.user !== null) this.#enter(me.user);
      else this.#leave(this.standing.kind === 'in' ? 'ended' : undefined, me.needsSetUp);
    } catch {
      // No answer is no sign-out: the page goes on trying to connect.
      if (this.standing.kind === 'asking') this.standing = { kind: 'in', user: undefined };
    }
  }

  /** A connection failed, and a browser does not say why: perhaps the session has ended. */
  doubt(): void {
    const nowMs = performance.now();
    if (nowMs - this.#doubtedMs < doubtEveryMs) return;
    this.#doubtedMs = nowMs;
    void this.ask();
  }

  /** The socket works though the server could not be asked before. */
  confirm(): void {
    if (this.standing.kind === 'in' && this.standing.user === undefined) void this.ask();
  }

  entered(user: string): void {
    this.#enter(user);
    this.#tabs?.postMessage('in');
  }

  /** The server says that the session has ended; another tab of this browser may have begun a new one. */
  ended(): void {
    this.#leave('ended', false);
    void this.ask();
  }

  async signOut(): Promise<void> {
    this.#isLeaving = true;
    this.#leave('left', false);
    try {
      const response = await fetch('/api/sign-out', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
        signal: AbortSignal.timeout(answerWithinMs),
      });
      const answer = (await response.json()) as SignInAnswer;
      if (!answer.ok) throw new Error(answer.code);
      this.#tabs?.postMessage('out');
    } catch {
      this.#leave('unheard', false);
    } finally {
      this.#isLeaving = false;
    }
  }

  #enter(user: string): void {
    this.last = user;
    if (this.standing.kind !== 'in' || this.standing.user !== user) this.standing = { kind: 'in', user };
  }

  #leave(why: 'nobody' | 'ended' | 'left' | 'unheard' | undefined, needsSetUp: boolean): void {
    const before = this.standing;
    if (before.kind !== 'out') this.standing = { kind: 'out', why: why ?? 'nobody', needsSetUp };
    else if ((why !== undefined && why !== before.why) || needsSetUp !== before.needsSetUp)
      this.standing = { kind: 'out', why: why ?? before.why, needsSetUp };
  }
}

export const who = new Who();
