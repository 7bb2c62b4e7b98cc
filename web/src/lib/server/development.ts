/**
 * `npm run dev -w web`: the gateway on Vite's own HTTP server, with the same settings as server.ts (from the environment only: the command
 * line is Vite's). Vite prints where the page is; everything else is as in production, so a mesh must be there: THRUM_MESH_KEY and
 * THRUM_MESH_SEEDS.
 */
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readSettings } from '@thrum/actors/system/settings';
import { refuseSettings, webSpec } from './config.ts';
import { startProgram, type Program } from './program.ts';

/** Returns how to stop it. Without a mesh key the page is served alone: it says that it is offline, which is also worth looking at. */
export const attachInDevelopment = (http: HttpServer): (() => Promise<void>) => {
  if (process.env['THRUM_MESH_KEY'] === undefined) {
    process.stderr.write('web: THRUM_MESH_KEY is not set, so no gateway is started; the page will be offline\n');
    return () => Promise.resolve();
  }
  const reading = readSettings(webSpec, { env: process.env, argv: [] });
  if (!reading.ok) throw new Error(`web: wrong settings\n${reading.message}`);
  const refused = refuseSettings(reading.values);
  if (refused !== undefined) throw new Error(`web: ${refused}`);
  const start = async (): Promise<Program> => {
    // Vite listens only after its plugins are configured: it must not wait for us.
    if (!http.listening) await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    return startProgram(reading.values, http, { port, sharesServer: true });
  };
  const started = start();
  return async () => (await started).stop();
};
