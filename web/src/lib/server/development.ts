/**
 * `npm run dev -w web`: the gateway on Vite's own HTTP server, with the same settings as server.ts (from the environment only: the command
 * line is Vite's). Vite prints where the page is; everything else is as in production, so a mesh must be there: THRUM_MESH_KEY and
 * THRUM_MESH_SEEDS.
 */
import { once } from 'node:events';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readSettings } from '@thrum/actors/system/settings';
import { webSpec } from './config.ts';
import { apiPrefix } from './sign-in/http-api.ts';
import { startProgram, type Program } from './program.ts';

export type Attached = {
  /** False for what is Vite's to answer. */
  answers(request: IncomingMessage, response: ServerResponse): boolean;
  stop(): Promise<void>;
};

/** Without a mesh key the page is served alone: it says that it is offline, which is also worth looking at. */
export const attachInDevelopment = (http: HttpServer): Attached => {
  if (process.env['THRUM_MESH_KEY'] === undefined) {
    process.stderr.write('web: THRUM_MESH_KEY is not set, so no gateway is started; the page will be offline\n');
    return { answers: () => false, stop: () => Promise.resolve() };
  }
  const reading = readSettings(webSpec, { env: process.env, argv: [] });
  if (!reading.ok) throw new Error(`web: wrong settings\n${reading.message}`);
  const start = async (): Promise<Program> => {
    // Vite listens only after its plugins are configured: it must not wait for us.
    if (!http.listening) await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    return startProgram(reading.values, http, { port, sharesServer: true });
  };
  let program: Program | undefined;
  const started = start().then((one) => (program = one));
  return {
    answers: (request, response) => {
      if (!request.url?.startsWith(apiPrefix) || !program) return false;
      program.signIn.api(request, response);
      return true;
    },
    stop: async () => (await started).stop(),
  };
};
