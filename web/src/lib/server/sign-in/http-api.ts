/**
 * `/api/` over HTTP: JSON in, JSON out, never cached, no CORS. Names (Host, Origin) were checked before a request comes here; here it must also
 * come from a page of our own, as far as the browser says. The session's id leaves in a cookie and nowhere else.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { idOf } from '@thrum/actors/sessions/session-record';
import type { Sessions } from '@thrum/actors/sessions/sessions';
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import { refuse, type Refusal, type RefusalCode } from '@thrum/actors/wire/refusal';
import { resetSchema, setUpSchema, signInSchema, type Me } from '@thrum/actors/wire/sign-in';
import type { ZodType } from 'zod';
import { readJson } from './body.ts';
import { clientAddress } from './client-address.ts';
import { clearCookies, setCookie, sidsIn } from './cookie.ts';
import { rules } from './rules.ts';
import type { Asker, Denial, Entry, SignIn } from './sign-in.ts';
import { schemeOfRequest, visitorOf } from './visitor.ts';

export const apiPrefix = '/api/';

const statuses: Partial<Record<RefusalCode, number>> = {
  'wrong-password': 401,
  'bad-link': 410,
  'weak-password': 422,
  'bad-question': 422,
  malformed: 400,
  'too-large': 413,
  'wrong-origin': 403,
  'try-later': 429,
  'store-away': 503,
  'no-ingest': 503,
};

export type HttpApi = (request: IncomingMessage, response: ServerResponse) => void;

export type HttpApiOptions = {
  signIn: SignIn;
  sessions: Pick<Sessions, 'check' | 'revoke'>;
  origins: ReadonlySet<string>;
  proxies: ReadonlySet<string>;
  clock: Clock;
  log: Log;
};

const send = (response: ServerResponse, status: number, body: unknown): void => {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
};

const deny = (response: ServerResponse, denial: Denial, status = statuses[denial.code] ?? 503): void => {
  if (denial.retryAfterMs !== undefined) response.setHeader('retry-after', Math.ceil(denial.retryAfterMs / 1000));
  send(response, status, denial);
};

export const createHttpApi = (options: HttpApiOptions): HttpApi => {
  const { signIn, sessions, origins, proxies, clock, log } = options;

  const askerOf = (request: IncomingMessage): Asker => {
    const forwarded = request.headers['x-forwarded-for'];
    return {
      address: clientAddress(
        {
          peer: request.socket.remoteAddress,
          forwardedFor: Array.isArray(forwarded) ? forwarded.at(-1) : forwarded,
        },
        proxies,
      ),
      session: visitorOf(request.headers, origins, sessions)?.session,
    };
  };

  const letIn = (request: IncomingMessage, response: ServerResponse, entry: Entry): void => {
    const { session, sid } = entry;
    const scheme = schemeOfRequest(request.headers, origins);
    response.setHeader('set-cookie', setCookie(sid, scheme, (session.expiresMs - clock.wallMs()) / 1000));
    send(response, 200, { ok: true, user: session.user });
  };

  /** The parsed body, or `undefined` after the request was answered. */
  const bodyOf = async <T>(
    request: IncomingMessage,
    response: ServerResponse,
    schema: ZodType<T>,
  ): Promise<{ value: T } | undefined> => {
    const body = await readJson(request, clock);
    if (!body.ok) {
      response.setHeader('connection', 'close');
      deny(response, refuse(body.status === 413 ? 'too-large' : 'malformed', body.detail), body.status);
      return undefined;
    }
    const parsed = schema.safeParse(body.value);
    if (parsed.success) return { value: parsed.data };
    // Never the value: it may be a password in the wrong place.
    deny(response, refuse('malformed', 'the body has not the members that are expected here'));
    return undefined;
  };

  const entering =
    <T>(schema: ZodType<T>, enter: (body: T, asker: Asker) => Promise<Entry | Denial>) =>
    async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const body = await bodyOf(request, response, schema);
      if (!body) return;
      const outcome = await enter(body.value, askerOf(request));
      if (outcome.ok) letIn(request, response, outcome);
      else deny(response, outcome);
    };

  const signOut = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const scheme = schemeOfRequest(request.headers, origins);
    // Also what this node has not heard of: another may have it.
    await Promise.all(sidsIn(request.headers.cookie, scheme).map((sid) => sessions.revoke(idOf(sid))));
    response.setHeader('set-cookie', [...clearCookies(scheme)]);
    send(response, 200, { ok: true });
  };

  const me = (request: IncomingMessage, response: ServerResponse): void => {
    signIn.refreshSetUp();
    const answer: Me = {
      ok: true,
      user: visitorOf(request.headers, origins, sessions)?.session.user ?? null,
      needsSetUp: signIn.setUpState() === 'needed',
    };
    send(response, 200, answer);
  };

  const posts: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>> = {
    'sign-in': entering(signInSchema, (body, asker) => signIn.signIn(body, asker)),
    'sign-out': signOut,
    'set-up': entering(setUpSchema, (body, asker) => signIn.setUp(body, asker)),
    reset: entering(resetSchema, (body, asker) => signIn.reset(body, asker)),
  };

  return (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0]?.slice(apiPrefix.length) ?? '';
    const isMe = path === 'me';
    const post = Object.hasOwn(posts, path) ? posts[path] : undefined;
    const fetchSite = request.headers['sec-fetch-site'];
    const turnDown = (status: number, refusal: Refusal): void => {
      response.setHeader('connection', 'close');
      deny(response, refusal, status);
    };
    if (!isMe && !post) return turnDown(404, refuse('malformed', 'there is no such path'));
    if (!rules.isOwnPage(fetchSite?.toString()))
      return turnDown(403, refuse('wrong-origin', 'only pages of this dashboard may ask this'));
    if (request.method !== (isMe ? 'GET' : 'POST')) {
      response.setHeader('allow', isMe ? 'GET' : 'POST');
      return turnDown(405, refuse('malformed', `only ${isMe ? 'GET' : 'POST'}`));
    }
    if (!post) return me(request, response);
    post(request, response).catch((error: unknown) => {
      log.error({ path, error }, 'a request failed');
      deny(response, refuse('try-later', 'This failed on the web node: try again.'), 500);
    });
  };
};
