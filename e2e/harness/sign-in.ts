/**
 * Signing in as people do, by the real door: the first time with the token of the set-up link, which makes the user, later with name and password.
 * A mesh tells its addresses and its token here when it starts; whoever opens one of them comes with a session, made once for each mesh.
 */
import type { BrowserContext } from 'playwright-core';

export const person = { name: 'ada', password: 'a lovelace of engines' } as const;

type Door = { readonly token: string; cookie: Promise<string> | undefined };
const doors = new Map<string, Door>();

/** A store that has just been started may take its time. */
const openWithinMs = 60_000;
const pauseMs = 100;

/** These addresses lead to one installation, whose set-up link has this token. */
export const knowDoor = (urls: readonly string[], token: string): void => {
  const door: Door = { token, cookie: undefined };
  for (const url of urls) doors.set(new URL(url).origin, door);
};

/** The same installation at another address, as after a restart: what was a session at the one is a session at the other. */
export const sameDoor = (known: string, other: string): void => {
  const door = doors.get(new URL(known).origin);
  if (door) doors.set(new URL(other).origin, door);
};

export type Answered = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly ok?: boolean; readonly code?: string; readonly detail?: string; readonly user?: string };
  /** `name=value` of the session, when one was given. */
  readonly cookie: string | undefined;
};

/** One request to `/api/<path>`, as the page makes it. */
export const post = async (
  url: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> => {
  const { origin } = new URL(url);
  const response = await fetch(`${origin}/api/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin, ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answered['body'],
    cookie: /^([^=]+=[^;]+);/.exec(response.headers.getSetCookie()[0] ?? '')?.[1],
  };
};

const enter = async (url: string, token: string): Promise<string> => {
  const untilMs = performance.now() + openWithinMs;
  for (;;) {
    const tried = await post(url, 'set-up', { token, ...person }).catch((error: unknown) => error as Error);
    const outcome =
      tried instanceof Error || tried.body.code !== 'bad-link'
        ? tried
        : await post(url, 'sign-in', person).catch((error: unknown) => error as Error);
    if (!(outcome instanceof Error) && outcome.cookie !== undefined) return outcome.cookie;
    if (performance.now() > untilMs)
      throw new Error(
        `Nobody could sign in at ${url}: ${outcome instanceof Error ? outcome.message : JSON.stringify(outcome.body)}`,
      );
    await new Promise((again) => setTimeout(again, pauseMs));
  }
};

/** A session's cookie for this address; empty for an address that no mesh told. */
export const cookieFor = (url: string): Promise<string> => {
  const door = doors.get(new URL(url).origin);
  if (!door) return Promise.resolve('');
  return (door.cookie ??= enter(url, door.token));
};

/** Every page of the context opens this address signed in. */
export const signInto = async (context: BrowserContext, url: string): Promise<void> => {
  const cookie = await cookieFor(url);
  if (cookie !== '') await useCookie(context, url, cookie);
};

export const useCookie = async (context: BrowserContext, url: string, cookie: string): Promise<void> => {
  const [name = '', value = ''] = cookie.split('=', 2);
  await context.addCookies([{ name, value, url: new URL(url).origin, httpOnly: true, sameSite: 'Strict' }]);
};

/** Who a session belongs to, as a web node says; `null` for nobody. */
export const meOf = async (url: string, cookie: string): Promise<string | null> => {
  const response = await fetch(`${url}/api/me`, { headers: { cookie } });
  return ((await response.json()) as { user: string | null }).user;
};

/** A new session of the person who set this up. */
export const signIn = async (url: string, password: string = person.password): Promise<string> => {
  const { cookie, body } = await post(url, 'sign-in', { name: person.name, password });
  if (cookie === undefined) throw new Error(`Nobody could sign in at ${url}: ${JSON.stringify(body)}`);
  return cookie;
};

/** The token in what `npm start` or `npm run mesh` printed; `undefined` when it printed no set-up link. */
export const printedToken = (printed: string): string | undefined => /\/set-up#([A-Za-z0-9_-]+)/.exec(printed)?.[1];
