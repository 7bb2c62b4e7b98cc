/**
 * Who may talk to this web node, by the names a browser used. A page of another site must not open our WebSocket with a visitor's
 * browser (its Origin betrays it), and a name of another site that was made to point at this machine (DNS rebinding) must not be
 * answered (the Host header betrays it). Loop-back names pass as Host with any port, everything else must be in THRUM_ORIGINS; a page of a loop-back name
 * must be our own, name and port: cookies know no ports, so a page of any other program on this machine would come with ours.
 *
 * A missing Origin passes: browsers always send one with a WebSocket and with a POST, other programs need not.
 */
import { isIPv4 } from 'node:net';

export type AllowedNames = {
  /** Origins in the form a browser sends: scheme, host, port unless it is the scheme's own. */
  readonly origins: ReadonlySet<string>;
  /** Host headers that go with these origins. */
  readonly hosts: ReadonlySet<string>;
};

export type NameVerdict = { ok: true } | { ok: false; header: 'Host' | 'Origin'; name: string };

/** `origins` are URLs; everything behind the port is ignored. */
export const allowedNames = (origins: readonly string[]): AllowedNames => {
  const parsed = origins.map((origin) => new URL(origin));
  return {
    origins: new Set(parsed.map((url) => url.origin)),
    hosts: new Set(parsed.map((url) => url.host)),
  };
};

/** True for `localhost`, `127.x.x.x` and `::1`, in brackets or not. */
export const isLoopbackName = (name: string): boolean =>
  name === 'localhost' || name === '[::1]' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));

/** The name in a Host header, without its port; `undefined` for anything that is no host. */
const hostName = (host: string): string | undefined =>
  /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/.exec(host.toLowerCase())?.[1];

/** True for a Host header that means this very machine. */
export const isLoopbackHost = (host: string): boolean => {
  const name = hostName(host);
  return name !== undefined && isLoopbackName(name);
};

const originAllowed = (allowed: AllowedNames, origin: string, host: string): boolean => {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false;
  return allowed.origins.has(url.origin) || (isLoopbackName(url.hostname) && url.host === host.toLowerCase());
};

/** The verdict on one request or upgrade. `name` is what was refused, cut to a length that may be logged. */
export const checkNames = (
  allowed: AllowedNames,
  headers: { host: string | undefined; origin: string | undefined },
): NameVerdict => {
  const host = headers.host ?? '';
  const name = hostName(host);
  if (name === undefined || !(isLoopbackName(name) || allowed.hosts.has(host.toLowerCase())))
    return { ok: false, header: 'Host', name: host.slice(0, 200) };
  if (headers.origin !== undefined && !originAllowed(allowed, headers.origin, host))
    return { ok: false, header: 'Origin', name: headers.origin.slice(0, 200) };
  return { ok: true };
};
