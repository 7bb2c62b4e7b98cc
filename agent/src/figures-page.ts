/** The agent's own figures as Prometheus text, on the loop-back only: what it did, how full its queue is, a few latest values. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorMessage } from '@thrum/actors/system/describe-error';
import { StartError } from './identity.ts';

export type Figure = {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly value: number | undefined;
};

/** Figures without a value are left out. */
export const toPrometheus = (figures: readonly Figure[]): string =>
  figures
    .filter(({ value }) => Number.isFinite(value))
    .map(({ name, help, kind, value }) => `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${name} ${value ?? 0}\n`)
    .join('');

export type FiguresPage = { readonly port: number; close(): void };

/** `health`: the text of `/healthz`, which is an answer of 200 as long as there is one. Throws a StartError when the port is taken. */
export const serveFigures = (
  port: number,
  figures: () => readonly Figure[],
  health: () => string,
): Promise<FiguresPage> =>
  new Promise((resolve, reject) => {
    const server: Server = createServer((request, response) => {
      const path = request.url?.split('?')[0];
      const isKnown = path === '/metrics' || path === '/healthz';
      const body = path === '/metrics' ? toPrometheus(figures()) : path === '/healthz' ? health() : 'not here\n';
      response.writeHead(isKnown ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(body);
    });
    server.once('error', (error) =>
      reject(
        new StartError(
          `The port ${port} (THRUM_METRICS_PORT) on 127.0.0.1 cannot be used: ${errorMessage(error)}. Choose another, or 0 for none.`,
          { cause: error },
        ),
      ),
    );
    server.listen(port, '127.0.0.1', () => {
      const { port: taken } = server.address() as AddressInfo;
      resolve({
        port: taken,
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
