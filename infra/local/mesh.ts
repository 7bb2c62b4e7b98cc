/**
 * `npm run mesh -- --ingest 2 --web 2 --agents 3`: the same programs as several nodes on this machine, behind HAProxy, on a real
 * Elasticsearch. Prints what runs where; what is killed from outside is started again, as a service manager would.
 */
import { join } from 'node:path';
import { settingsOrExit } from '@thrum/actors/system/settings';
import { withoutPasswords } from '@thrum/actors/system/without-passwords';
import { startElasticsearch } from '../elasticsearch/development-server.ts';
import { ensureBuilt, page } from './build.ts';
import { endLeftOver, openDataDirectory } from './data-directory.ts';
import { meshSettings } from './launcher-settings.ts';
import { whyNotFree } from './ports.ts';
import { describeEnding } from './restart-policy.ts';
import { dashboardLines, setUpLink } from './set-up-link.ts';
import { spokenTo } from './spoken.ts';
import { meshTable, startMesh, type Mesh } from './start-mesh.ts';

const settings = settingsOrExit(meshSettings, 'npm run mesh --');
const opened = openDataDirectory(settings.data);
if (!opened.ok) {
  console.error(opened.message);
  process.exit(2);
}
const { directory } = opened;

const storeAnswersWithinMs = 5000;
const spoken = spokenTo((text) => process.stderr.write(text), process.env['THRUM_LOG_LEVEL'] === undefined);
let mesh: Mesh | undefined;
let elasticsearch: { url: string; stop(): Promise<void> } | undefined;
let ending: Promise<never> | undefined;
const abort = new AbortController();
let starting: Promise<unknown> = Promise.resolve();
const end = (code: number): Promise<never> =>
  (ending ??= (async () => {
    abort.abort();
    await starting.catch(() => undefined);
    await mesh?.stop();
    await elasticsearch?.stop();
    directory.release();
    process.exit(code);
  })());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (!ending) console.log('\nStopping ...');
    void end(0);
  });

const recordPids = (): void => {
  if (mesh && !ending) directory.recordRunning(mesh.processes().map((one) => one.pid));
};

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => void end(0));

await endLeftOver(directory, (line) => console.log(line));
for (const [option, port] of [
  ['--port', settings.port],
  ['--ingest-port', settings.ingestPort],
] as const) {
  const why = port === 0 ? undefined : await whyNotFree(port);
  if (why === undefined) continue;
  console.error(`Port ${port} cannot be used (${why}): free it, or choose another with ${option} (0: any).`);
  await end(2);
}
const built = await ensureBuilt(page, (line) => console.log(line));
if (!built.ok) {
  console.error(built.message);
  await end(1);
}

try {
  if (settings.elasticsearch === undefined) {
    console.log('Starting Elasticsearch (the first time it is put together, which takes a minute) ...');
    elasticsearch = await startElasticsearch({ dataDirectory: join(directory.path, 'elasticsearch') });
  }
  const meshing = startMesh({
    directory: directory.path,
    store: `elasticsearch:${settings.elasticsearch ?? elasticsearch?.url ?? ''}`,
    ingest: settings.ingest,
    web: settings.web,
    agents: settings.agents,
    dashboardPort: settings.port,
    agentsPort: settings.ingestPort,
    balancer: settings.balancer === 'yes',
    restart: 'always',
    onEvent: (name, event) => {
      if (event.kind === 'output' && event.output.from === 'stderr') spoken.say(name, event.output.line);
      if (event.kind !== 'ended' || ending) return;
      const next = event.restartAfterMs === undefined ? 'stays ended' : `starts again in ${event.restartAfterMs} ms`;
      console.error(`${name} ended (${describeEnding(event.ending)}) and ${next}.`);
      if (event.restartAfterMs !== undefined) setTimeout(recordPids, event.restartAfterMs + 200);
    },
    abort: abort.signal,
  });
  starting = meshing;
  mesh = await meshing;
  spoken.up();
  recordPids();
  const { dashboardUrl, setUpToken, setUp } = mesh;
  const need = await setUp.known(storeAnswersWithinMs);
  console.log(
    [
      '',
      `  The mesh is up (${(performance.now() / 1000).toFixed(1)} s).`,
      '',
      ...dashboardLines(dashboardUrl, setUpToken, need),
      `  For agents     ${mesh.agentsUrl} (token in ${mesh.tokenFile})`,
      `  Elasticsearch  ${withoutPasswords(settings.elasticsearch ?? elasticsearch?.url ?? '')}`,
      `  Data           ${directory.path}`,
      '',
      meshTable(mesh),
      '',
      '  Ctrl-C stops everything.',
      '',
    ].join('\n'),
  );
  if (need === undefined)
    setUp.onKnown((late) => {
      if (late === 'needed') console.log(`  Set up Thrum   ${setUpLink(dashboardUrl, setUpToken)}\n`);
    });
} catch (error) {
  spoken.failed();
  if (!ending) console.error(error instanceof Error ? error.message : error);
  await end(1);
}
