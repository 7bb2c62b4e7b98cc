/**
 * A web node: one HTTP server that serves the page's static files and holds the browsers' sockets, and a place in the mesh.
 * Two copies of a module can exist here: the one this program imports and the one in SvelteKit's build. That is harmless as long as the
 * build holds no server state, and it holds none.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { settingsOrExit } from '@thrum/actors/system/settings';
import { webSpec } from './src/lib/server/config.ts';
import { allowedNames } from './src/lib/server/hosts.ts';
import { createFrontServer, httpFront, policyOf, type PageHandler } from './src/lib/server/http-front.ts';
import { startProgram, type Program } from './src/lib/server/program.ts';

/** How long stopping in order may take before it is cut short. */
const stopWithinMs = 2_800;

const giveUp = (message: string): never => {
  process.stderr.write(`web: ${message}\n`);
  process.exit(2);
};

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const listen = (http: Server, bind: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const known: Readonly<Record<string, string>> = {
        EADDRINUSE: 'the port is in use by another program; stop it, or set THRUM_PORT',
        EACCES: 'this user may not listen on that port; set THRUM_PORT to one above 1023',
        EADDRNOTAVAIL: 'this machine has no such address; set THRUM_BIND to one it has',
      };
      reject(new Error(`cannot listen on ${bind}:${port}: ${known[error.code ?? ''] ?? error.message}`));
    });
    http.listen(port, bind, () => resolve((http.address() as AddressInfo).port));
  });

const settings = settingsOrExit(webSpec, 'web');

const built = (path: string): URL => new URL(`./build/${path}`, import.meta.url);
if (!existsSync(built('handler.js'))) giveUp('the page is not built: run `npm run build -w web` first');
// A computed address keeps the built JavaScript out of the type checker's reach.
const { handler } = (await import(built('handler.js').href)) as { handler: PageHandler };

let program: Program | undefined;
const http = createFrontServer(
  httpFront({
    names: allowedNames(settings.origins),
    page: handler,
    policy: policyOf(readFileSync(built('prerendered/index.html'), 'utf8')),
    isReady: () => program !== undefined,
    api: () => program?.signIn.api,
    isSignedIn: (request) => program?.signIn.isSignedIn(request) ?? false,
    figures: () => program?.figures() ?? '',
  }),
);
try {
  const port = await listen(http, settings.bind, settings.port);
  program = await startProgram(settings, http, { port, sharesServer: false });
  const { node, meshPort } = program;
  const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  say({ ready: 'web', port, meshPort, node });
  // The store may not answer yet: whoever started us is told when it does.
  program.signIn.onSetUpKnown((setUp) => say({ setUp }));
} catch (error) {
  giveUp(wordsOf(error));
}

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(0), stopWithinMs).unref();
  http.close();
  await program?.stop();
  http.closeAllConnections();
  process.exit(0);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
