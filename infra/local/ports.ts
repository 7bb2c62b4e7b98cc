/** Ports of this machine: is one free, and which ones are. */
import { createServer } from 'node:net';

/** Below the range that systems hand out by themselves, so that a program restarted on its port finds it free. */
const lowest = 15_000;
const count = 15_000;

/** `undefined` when the port can be listened on, otherwise the error's code, such as EADDRINUSE or EACCES. */
export const whyNotFree = (port: number, host = '127.0.0.1'): Promise<string | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });

const taken = new Set<number>();

/** A port that is free now and that this process has not handed out before. */
export const freePort = async (host = '127.0.0.1'): Promise<number> => {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = lowest + Math.floor(Math.random() * count);
    if (taken.has(port)) continue;
    taken.add(port);
    if ((await whyNotFree(port, host)) === undefined) return port;
  }
  throw new Error(`No free port was found between ${lowest} and ${lowest + count} on ${host}.`);
};

/** `wanted` itself, or a free one for 0. */
export const portOr = async (wanted: number, host?: string): Promise<number> =>
  wanted === 0 ? freePort(host) : wanted;
