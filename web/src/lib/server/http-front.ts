/**
 * Plain HTTP of a web node: the page's files, `/api/` (sign-in), `/metrics`, and for balancers `/alive`, `/ready` and `/healthz`. Every answer carries the
 * security headers; every request but a balancer's (it asks by address) must name us by a name we go by. Pages are all the same static shell, which holds
 * no data: the browser decides what it shows.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { checkNames, isLoopbackHost, type AllowedNames } from './hosts.ts';
import { isLoopbackAddress } from './sign-in/client-address.ts';
import { apiPrefix, type HttpApi } from './sign-in/http-api.ts';

export const frontLimits = {
  /** Of all kinds, tabs included (`gatewayLimits.maxTabs`): whoever opens more must not take the descriptors the mesh needs. */
  maxConnections: 10_000,
  /** Whoever sends a request slower than this is no browser of ours. Sockets are not concerned once they are open. */
  headersWithinMs: 5_000,
  requestWithinMs: 10_000,
  checkEveryMs: 2_000,
} as const;

/** It does not listen yet. */
export const createFrontServer = (front: RequestListener): Server => {
  const { headersWithinMs, requestWithinMs, checkEveryMs, maxConnections } = frontLimits;
  const server = createServer(
    { headersTimeout: headersWithinMs, requestTimeout: requestWithinMs, connectionsCheckingInterval: checkEveryMs },
    front,
  );
  server.maxConnections = maxConnections;
  return server;
};

/** SvelteKit's built handler. */
export type PageHandler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

const headers: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/**
 * The policy that stands in the head of the built page, where SvelteKit names its one inline script by hash, as a header: there it also
 * holds for what is no page, and can forbid frames. Nothing is allowed when the page has none.
 */
export const policyOf = (html: string): string => {
  const inHead = /<meta http-equiv="content-security-policy" content="([^"]+)"/.exec(html)?.[1] ?? "default-src 'none'";
  return `${inHead}; frame-ancestors 'none'`;
};

/** True for a path that is a page of the app: no file of the build has such a name. */
export const isPagePath = (path: string): boolean => !path.startsWith('/_app/') && !/\.[a-z0-9]{1,8}$/i.test(path);

/** The built shell of `/` asks ahead for the code of the list of hosts, which no other page needs; that of this address for next to nothing. */
const leanShell = '/sign-in';

const plain = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(text.endsWith('\n') ? text : `${text}\n`);
};

export type FrontParts = {
  names: AllowedNames;
  page: PageHandler;
  /** Content-Security-Policy of every answer. */
  policy: string;
  isReady(): boolean;
  /** Sign-in; `undefined` until the node has started. */
  api(): HttpApi | undefined;
  isSignedIn(request: IncomingMessage): boolean;
  /** The node's own measurements, for `/metrics`. */
  figures(): string;
};

/** True when a program on this machine asks for itself. A proxy on it says that it asks for others, or at least by which name they asked. */
const isFromThisMachine = ({ socket, headers }: IncomingMessage): boolean =>
  isLoopbackAddress(socket.remoteAddress ?? '') &&
  isLoopbackHost(headers.host ?? '') &&
  !['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'].some((name) => name in headers);

export const httpFront = (parts: FrontParts): RequestListener => {
  return (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.setHeader('content-security-policy', parts.policy);
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (path === '/alive') return plain(response, 200, 'ok');
    if (path === '/healthz' || path === '/ready')
      return plain(response, parts.isReady() ? 200 : 503, parts.isReady() ? 'ok' : 'starting');
    const verdict = checkNames(parts.names, { host: request.headers.host, origin: request.headers.origin });
    if (!verdict.ok)
      return plain(
        response,
        verdict.header === 'Host' ? 421 : 403,
        `wrong-origin: this dashboard is not reached as ${verdict.name} (see THRUM_ORIGINS)`,
      );
    if (path.startsWith(apiPrefix)) {
      const api = parts.api();
      return api ? api(request, response) : plain(response, 503, 'starting');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return plain(response, 405, 'only GET and HEAD');
    }
    if (path === '/metrics')
      return isFromThisMachine(request) || parts.isSignedIn(request)
        ? plain(response, 200, parts.figures())
        : plain(response, 401, 'signed-out: figures are for programs on this machine and for who is signed in');
    if (isPagePath(path)) {
      request.url = path === '/' ? '/' : leanShell;
      // A new version must be seen at the next load; the files it names are immutable.
      response.setHeader('cache-control', 'no-cache');
    }
    parts.page(request, response, () => plain(response, 404, 'no such file'));
  };
};
