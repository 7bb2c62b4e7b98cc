/** Who is behind a request: the living session of its cookie, if there is one. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Session, Sessions } from '@thrum/actors/sessions/sessions';
import { sidsIn } from './cookie.ts';
import { schemeOf, type Scheme } from './scheme.ts';

export type Visitor = {
  readonly session: Session;
  /** True while the session lives; the page that asks is using it, which is noted. */
  isStillIn(): boolean;
};

export const schemeOfRequest = (headers: IncomingHttpHeaders, origins: ReadonlySet<string>): Scheme =>
  schemeOf({ host: headers.host, origin: headers.origin }, origins);

export const visitorOf = (
  headers: IncomingHttpHeaders,
  origins: ReadonlySet<string>,
  sessions: Pick<Sessions, 'check'>,
): Visitor | undefined => {
  for (const sid of sidsIn(headers.cookie, schemeOfRequest(headers, origins))) {
    const session = sessions.check(sid);
    if (session) return { session, isStillIn: () => sessions.check(sid) !== undefined };
  }
  return undefined;
};
