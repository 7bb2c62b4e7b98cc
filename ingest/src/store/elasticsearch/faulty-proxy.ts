/**
 * Something between an ingest node and the real Elasticsearch of the tests that has ideas of its own, as balancers and firewalls have: it answers
 * by itself, cuts the connection, or keeps an answer back.
 */
import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export type Passing = {
  readonly path: string;
  readonly bodyBytes: number;
  /** Of requests of this path, from 0. */
  readonly n: number;
};

/** What is done with a request; without any it passes. */
export type Fault =
  /** Answered here, after the whole request was read. */
  | { readonly kind: 'answer'; readonly status: number }
  /** Answered here as soon as its head was read, and the connection closed, however much is still to come. */
  | { readonly kind: 'hang up'; readonly status: number }
  /** The server takes it; its answer comes later. */
  | { readonly kind: 'answer later'; readonly afterMs: number }
  /** The server takes it; its answer never comes, and the connection ends. */
  | { readonly kind: 'lose the answer' };

export type FaultyProxy = { readonly url: string; readonly bulks: () => number; close(): Promise<void> };

const page = '<html><head><title>no</title></head><body>the proxy says no</body></html>';

export const startFaultyProxy = async (
  behind: string,
  faultOf: (passing: Passing) => Fault | undefined,
): Promise<FaultyProxy> => {
  const { hostname, port } = new URL(behind);
  const seen = new Map<string, number>();
  const pass = async (request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status, { 'content-type': 'text/html' }).end(page);
      return;
    }
    const { method, url, headers } = request;
    const asked = ask({ hostname, port, method, path: url, headers });
    asked.end(Buffer.concat(parts));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const answered: Buffer[] = [];
    for await (const part of answer) answered.push(part as Buffer);
    if (fault?.kind === 'lose the answer') return void response.destroy();
    if (fault?.kind === 'answer later') await pause(fault.afterMs);
    response.writeHead(answer.statusCode ?? 502, answer.headers).end(Buffer.concat(answered));
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const n = seen.get(path) ?? 0;
    seen.set(path, n + 1);
    const fault = faultOf({ path, bodyBytes: Number(request.headers['content-length'] ?? 0), n });
    if (fault?.kind === 'hang up') {
      response.writeHead(fault.status, { 'content-type': 'text/html', connection: 'close' });
      response.end(page, () => request.socket.destroy());
      return;
    }
    pass(request, response, fault).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bulks: () => seen.get('/_bulk') ?? 0,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
