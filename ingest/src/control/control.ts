/**
 * The HTTP a node speaks with machines: is it alive, may agents be sent here, and what does it measure of itself. Read only. The port is open to
 * all agents, perhaps to the world: what names other nodes or counts the fleet is for programs on this machine and for who shows the agents' token.
 *
 * A node whose store is away is healthy: it serves agents and the live view, and says in the body what is missing. Turning a balancer
 * away from it would only take the live view away as well.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { isLoopbackAddress, isLoopbackHost } from './loopback.ts';
import type { Log } from '@thrum/actors/system/log';
import { tokenCheck } from '../intake/token-check.ts';

export type ControlOptions = {
  readonly log: Log;
  /** What `/healthz` says; `ready` false while the node starts or stops. */
  readonly health: () => { readonly ready: boolean; readonly body: object };
  readonly metrics: () => string;
  /** Of the agents. */
  readonly token: string;
  /** TCP connections altogether, agents' included. */
  readonly maxConnections: number;
};

type Answer = { readonly status: number; readonly type: string; readonly body: string };

const json = (status: number, body: object): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(body)}\n`,
});

/** Answers a request; exported for its test. `maySeeAll`: it comes from a program on this machine, or shows the token. */
export const answer = (
  method: string,
  url: string,
  options: Pick<ControlOptions, 'health' | 'metrics'>,
  maySeeAll: boolean,
): Answer => {
  if (method !== 'GET' && method !== 'HEAD') return json(405, { error: 'only GET is answered here' });
  const path = url.split('?', 1)[0];
  if (path === '/alive') return json(200, { alive: true });
  if (path === '/healthz' || path === '/ready') {
    const { ready, body } = options.health();
    return json(ready ? 200 : 503, maySeeAll ? body : { ready });
  }
  if (path === '/metrics' && !maySeeAll)
    return json(401, { error: "figures are for programs on this machine, or with the agents' token as bearer token" });
  if (path === '/metrics')
    return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: options.metrics() };
  return json(404, { error: 'no such path; there are /alive, /healthz, /ready and /metrics' });
};

const isForOthers = (headers: IncomingHttpHeaders): boolean =>
  ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'].some((name) => name in headers);

/** The server agents connect to as well: the intake adds itself to it. It does not listen yet. */
export const createControlServer = (options: ControlOptions): Server => {
  const isOurToken = tokenCheck(options.token);
  const maySeeAll = ({ headers, socket }: IncomingMessage): boolean =>
    (isLoopbackAddress(socket.remoteAddress ?? '') && isLoopbackHost(headers.host ?? '') && !isForOthers(headers)) ||
    isOurToken(/^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '');
  const server = createServer(
    {
      // Whoever sends his request slower than this is no machine of ours. Sockets of agents are not concerned once they are open.
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      connectionsCheckingInterval: 2_000,
      keepAliveTimeout: 5_000,
      maxHeaderSize: 16 * 1024,
    },
    (request: IncomingMessage, response: ServerResponse) => {
      let result: Answer;
      try {
        result = answer(request.method ?? 'GET', request.url ?? '/', options, maySeeAll(request));
      } catch (error) {
        options.log.error({ error, url: request.url?.slice(0, 200) }, 'A request could not be answered');
        result = json(500, { error: 'this node failed to answer' });
      }
      const { status, type, body } = result;
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : body);
    },
  );
  server.maxConnections = options.maxConnections;
  return server;
};
