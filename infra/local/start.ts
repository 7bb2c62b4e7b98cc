/**
 * `npm start`: everything on this machine, from one command, until Ctrl-C. Ingest, web and agent are three processes, the same programs
 * as in production, started at once (they find one another whoever is first); one that crashes is started again.
 */
import { mkdirSync } from 'node:fs';
import { systemClock } from '@thrum/actors/system/clock';
import { settingsOrExit } from '@thrum/actors/system/settings';
import { ensureBuilt, page } from './build.ts';
import { endLeftOver, openDataDirectory } from './data-directory.ts';
import { startSettings } from './launcher-settings.ts';
import { dashboardUrlOf, greeting, meshKeyFile, programsOf, tokenFile, type OneMachine } from './one-machine.ts';
import { portOr, whyNotFree } from './ports.ts';
import type { Program } from './process.ts';
import { describeEnding } from './restart-policy.ts';
import { startRole, type Role, type RoleEvent } from './role.ts';
import { keepSecret } from './secrets.ts';
import { listenForSetUp, makeSetUpToken, setUpLink } from './set-up-link.ts';
import { spokenTo } from './spoken.ts';

const settings = settingsOrExit(startSettings, 'npm start --');
const opened = openDataDirectory(settings.data);
if (!opened.ok) {
  console.error(opened.message);
  process.exit(2);
}
const { directory } = opened;

const fail = (message: string, code: number): never => {
  console.error(message);
  directory.release();
  process.exit(code);
};

await endLeftOver(directory, (line) => console.log(line));

const meshPort = await portOr(settings.meshPort);
const one: OneMachine = {
  file: directory.file,
  ports: {
    dashboard: await portOr(settings.port),
    ingest: await portOr(settings.ingestPort),
    ingestMesh: meshPort,
    webMesh: settings.meshPort === 0 ? await portOr(0) : meshPort + 1,
    agentMetrics: settings.metricsPort,
  },
  ingestBind: settings.ingestBind,
  store: settings.store,
  setUpToken: makeSetUpToken(),
  inherited: process.env,
};
const wanted = [
  { what: 'dashboard', option: '--port', port: one.ports.dashboard, host: '127.0.0.1' },
  { what: 'agents', option: '--ingest-port', port: one.ports.ingest, host: settings.ingestBind },
  { what: 'mesh', option: '--mesh-port', port: one.ports.ingestMesh, host: settings.ingestBind },
  { what: 'mesh', option: '--mesh-port', port: one.ports.webMesh, host: '127.0.0.1' },
  { what: "the agent's metrics", option: '--metrics-port', port: one.ports.agentMetrics, host: '127.0.0.1' },
];
const obstacles = await Promise.all(
  wanted.map(async ({ what, option, port, host }) => {
    const why = port === 0 ? undefined : await whyNotFree(port, host);
    return (
      why && `Port ${port} (${what}) on ${host} cannot be used (${why}): free it, or choose another with ${option}.`
    );
  }),
);
if (obstacles.some(Boolean)) fail(obstacles.filter(Boolean).join('\n'), 2);

try {
  keepSecret(tokenFile(one));
  keepSecret(meshKeyFile(one));
  for (const folder of ['ingest', 'agent', 'web']) mkdirSync(directory.file(folder), { recursive: true, mode: 0o700 });
} catch (error) {
  fail(error instanceof Error ? error.message : String(error), 2);
}

const roles = new Map<string, Role>();
let stopping: Promise<void> | undefined;
/** Before everything was ready once, an end is no crash to recover from but a reason to give up. */
let up = false;

/** Whether a set-up link is needed is the store's to say; a store that is slow to start is not waited for. */
const storeAnswersWithinMs = 5000;
const spoken = spokenTo((text) => process.stderr.write(text), process.env['THRUM_LOG_LEVEL'] === undefined);

const setUp = listenForSetUp();

const tell = (name: string) => (event: RoleEvent) => {
  if (event.kind === 'output' && event.output.from === 'stdout' && name === 'web') setUp.hear(event.output.line);
  if (event.kind === 'output' && event.output.from === 'stderr') spoken.say(name, event.output.line);
  if (event.kind !== 'ended' || stopping) return;
  if (!up) {
    spoken.failed();
    console.error(`${name} ended with ${describeEnding(event.ending)} before it was ready.`);
    void stop(event.ending.code === 2 ? 2 : 1);
    return;
  }
  const what = `${name} ended (${describeEnding(event.ending)}) after ${(event.ranMs / 1000).toFixed(1)} s`;
  if (event.restartAfterMs === undefined) {
    console.error(`${what}; its settings are wrong, so everything stops.`);
    void stop(2);
  } else {
    console.error(`${what}; starting it again in ${event.restartAfterMs} ms.`);
    setTimeout(recordPids, event.restartAfterMs + 200);
  }
};

const recordPids = (): void => {
  if (!stopping) directory.recordRunning(Array.from(roles.values(), (role) => role.pid));
};

const begin = (program: Program): Role => {
  const role = startRole({
    program,
    restart: 'always',
    clock: systemClock,
    graceMs: 4000,
    onEvent: tell(program.name),
  });
  roles.set(program.name, role);
  return role;
};

/** The agent first, so that it says goodbye and hands over what it holds; then the nodes. */
const stop = (code: number): Promise<void> => {
  stopping ??= (async () => {
    for (const role of roles.values()) if (!role.running()) void role.stop(); // and not start it again meanwhile
    await roles.get('agent')?.stop();
    await Promise.all(Array.from(roles.values(), (role) => role.stop()));
    directory.release();
    process.exit(code);
  })();
  return stopping;
};
/** npm hands a signal on that the terminal sent to everybody already: the same Ctrl-C comes twice. */
const sameSignalMs = 1000;
let signaledMs: number | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    const nowMs = performance.now();
    if (signaledMs === undefined) {
      console.log('\nStopping ... (once more to stop at once)');
      signaledMs = nowMs;
      void stop(0);
    } else if (nowMs - signaledMs > sameSignalMs) for (const role of roles.values()) void role.kill();
  });

// Whoever reads what we print may go away (`npm start | head`), and a fault of the launcher must leave no program behind.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => void stop(0));
process.on('uncaughtException', (error) => {
  console.error(error);
  for (const role of roles.values()) void role.kill();
  process.exitCode = 1;
  void stop(1);
});

const programs = programsOf(one);
const building = ensureBuilt(page, (line) => console.log(line));
begin(programs.ingest);
begin(programs.agent);
recordPids();
const built = await building;
if (!built.ok) {
  console.error(built.message);
  await stop(1);
}
if (!stopping) begin(programs.web);
recordPids();

try {
  await Promise.all(Array.from(roles.values(), (role) => role.ready()));
  up = true;
  spoken.up();
  const readyMs = performance.now();
  const need = await setUp.known(storeAnswersWithinMs);
  console.log(greeting(one, readyMs, need));
  if (need === undefined)
    setUp.onKnown((late) => {
      if (late === 'needed') console.log(`  Set up Thrum   ${setUpLink(dashboardUrlOf(one), one.setUpToken)}\n`);
    });
} catch (error) {
  // One that ended has been told and stops the others; what is left is one that runs and never says that it is ready.
  if (!stopping) {
    spoken.failed();
    console.error(error instanceof Error ? error.message : error);
    await stop(1);
  }
}
