/**
 * The cookie that carries a session's id. Over https it is called `__Host-thrum`, which a browser only takes with Secure, Path=/ and no
 * Domain, so that nobody on the way and no neighboring site can plant one; on plain http it is called `thrum`, which anybody on the way can
 * read. Invariant: a cookie of the plain name is never believed on a request that came over https.
 */
import { rules } from './rules.ts';
import { cookieNames, type Scheme } from './scheme.ts';

/** 256 bits as base64url. */
const sidPattern = /^[A-Za-z0-9_-]{43}$/;
/** Browsers send at most a few KB of cookies; more is no browser. */
const maxHeaderChars = 8192;
/** Other sites on the same name may have set some of the same name; each is looked at, up to this many. */
const maxCandidates = 4;

/** Session ids that the header offers, in the order they may be believed: the one with the prefix first. */
export const sidsIn = (
  header: string | undefined,
  scheme: Scheme,
  believesPlainCookie = rules.believesPlainCookie,
): readonly string[] => {
  if (header === undefined || header.length > maxHeaderChars) return [];
  const safe: string[] = [];
  const plain: string[] = [];
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    const value = part.slice(equals + 1).trim();
    if (equals < 0 || !sidPattern.test(value)) continue;
    const name = part.slice(0, equals).trim();
    if (name === cookieNames.https) safe.push(value);
    else if (name === cookieNames.http && believesPlainCookie(scheme)) plain.push(value);
  }
  return [...safe, ...plain].slice(0, maxCandidates);
};

const attributes = (scheme: Scheme): string =>
  `Path=/; HttpOnly; SameSite=Strict${scheme === 'https' ? '; Secure' : ''}`;

/** The header that gives a browser the session until `maxAgeS` seconds from now. */
export const setCookie = (sid: string, scheme: Scheme, maxAgeS: number): string =>
  `${cookieNames[scheme]}=${sid}; ${attributes(scheme)}; Max-Age=${Math.max(0, Math.floor(maxAgeS))}`;

/** The headers that take it away again, under either name that may be there. */
export const clearCookies = (scheme: Scheme): readonly string[] =>
  (scheme === 'https' ? (['https', 'http'] as const) : (['http'] as const)).map(
    (one) => `${cookieNames[one]}=; ${attributes(one)}; Max-Age=0`,
  );
