/**
 * An ingest node as a program. Prints one line of JSON on stdout when agents may come; anything that keeps it from starting is one
 * message on stderr and exit code 2. Stops in order within 3 s on SIGTERM and SIGINT.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLog } from '@thrum/actors/system/log';
import { settingsOrExit } from '@thrum/actors/system/settings';
import { catalogue as ownCatalogue } from '@thrum/actors/wire/catalogue';
import { readCatalogue } from './catalogue-file.ts';
import { spec } from './config.ts';
import { createControlServer } from './control/control.ts';
import { startIngestNode, type IngestNode } from './ingest-node.ts';

/** How long stopping in order may take before it is cut short. */
const stopWithinMs = 2_800;
/** Agents' connections are bounded by the intake; this leaves room for those it turns down and for /metrics. */
const maxConnections = 11_000;

const giveUp = (message: string): never => {
  process.stderr.write(`ingest: ${message}\n`);
  process.exit(2);
};

const listen = (server: Server, bind: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const known: Readonly<Record<string, string>> = {
        EADDRINUSE: 'the port is in use by another program; stop it, or set THRUM_PORT',
        EACCES: 'this user may not listen on that port; set THRUM_PORT to one above 1023',
        EADDRNOTAVAIL: 'this machine has no such address; set THRUM_BIND to one it has',
        ENOTFOUND: 'no such address is known; set THRUM_BIND to one this machine has',
      };
      reject(new Error(`cannot listen on ${bind}:${port}: ${known[error.code ?? ''] ?? error.message}`));
    });
    server.listen(port, bind, () => resolve((server.address() as AddressInfo).port));
  });

const config = settingsOrExit(spec, 'ingest');
const reading = readCatalogue(ownCatalogue, config.catalogue);
const catalogue = reading.ok ? reading.targets : giveUp(reading.message);

const running: { node?: IngestNode } = {};
const server = createControlServer({
  log: createLog({ name: 'ingest', level: config.logLevel }),
  health: () => running.node?.health() ?? { ready: false, body: { ready: false } },
  metrics: () => running.node?.metrics() ?? '',
  token: config.token,
  maxConnections,
});

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(0), stopWithinMs).unref();
  await running.node?.stop();
  server.close();
  server.closeAllConnections();
  process.exit(0);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());

try {
  const port = await listen(server, config.bind, config.port);
  running.node = await startIngestNode(config, catalogue, server, port);
  const { name, meshPort } = running.node;
  process.stdout.write(`${JSON.stringify({ ready: 'ingest', port, meshPort, node: name })}\n`);
} catch (error) {
  giveUp(error instanceof Error ? error.message : String(error));
}
