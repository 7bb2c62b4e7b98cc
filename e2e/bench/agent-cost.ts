/**
 * What the agent costs a host: its one-file bundle at one sample a second, connected and delivering, for a minute, beside node_exporter
 * with its defaults scraped once a second, in the same minute.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { agentBundle, ensureBuilt, repository } from '../../infra/local/build.ts';
import { freePort } from '../../infra/local/ports.ts';
import { startProcess } from '../../infra/local/process.ts';
import { startMesh } from '../../infra/local/start-mesh.ts';
import { printFigure } from './figure.ts';
import { costOf } from './process-cost.ts';

const warmUpMs = 20_000;
const measureMs = Number(process.env['THRUM_BENCH_SECONDS'] ?? 60) * 1000;
const exporter = '/usr/bin/prometheus-node-exporter';
/** As the agent is shipped: agent/README.md says why. */
const flags = ['--max-semi-space-size=1', '--optimize-for-size', '--no-opt', '--no-maglev'];

export const agentCost = async (): Promise<void> => {
  if (!existsSync(exporter)) throw new Error(`${exporter} is missing: apt-get install prometheus-node-exporter`);
  const built = await ensureBuilt(agentBundle, (line) => process.stderr.write(`${line}\n`));
  if (!built.ok) throw new Error(built.message);
  const bundle = join(repository, agentBundle.output, 'thrum-agent.cjs');
  const directory = mkdtempSync(join(tmpdir(), 'thrum-bench-'));
  const mesh = await startMesh({
    directory,
    store: `duckdb:${join(directory, 'bench.duckdb')}`,
    ingest: 1,
    web: 1,
    agents: 0,
    balancer: false,
  });
  const agent = startProcess({
    name: 'agent',
    command: process.execPath,
    args: [...flags, bundle],
    env: {
      PATH: process.env['PATH'],
      THRUM_INGEST: mesh.agentsUrl,
      THRUM_TOKEN: `@${mesh.tokenFile}`,
      THRUM_DATA: join(directory, 'agent'),
      THRUM_METRICS_PORT: '0',
      THRUM_LOG_LEVEL: 'warn',
    },
  });
  const exporterPort = await freePort();
  const peer = spawn(exporter, [`--web.listen-address=127.0.0.1:${exporterPort}`], { stdio: 'ignore' });
  const empty = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  const scrape = setInterval(() => {
    fetch(`http://127.0.0.1:${exporterPort}/metrics`).then(
      (response) => response.text(),
      () => undefined,
    );
  }, 1000);
  try {
    await agent.ready;
    await pause(warmUpMs);
    const pids = { agent: agent.pid, peer: peer.pid ?? 0, empty: empty.pid ?? 0 };
    const before = { agent: costOf(pids.agent), peer: costOf(pids.peer) };
    const startedMs = performance.now();
    await pause(measureMs);
    const after = { agent: costOf(pids.agent), peer: costOf(pids.peer), empty: costOf(pids.empty) };
    const tookMs = performance.now() - startedMs;
    if (agent.hasEnded()) throw new Error(`The agent ended during the measurement:\n${agent.lastLines().join('\n')}`);
    const percent = (who: 'agent' | 'peer'): number => ((after[who].cpuMs - before[who].cpuMs) / tookMs) * 100;
    const [own, other] = [percent('agent'), percent('peer')];
    const mebibytes = (bytes: number): number => bytes / 1024 ** 2;
    printFigure({
      name: 'agent-cost/cpu',
      value: own,
      unit: '% of a core',
      peer: other,
      peerIs: 'node_exporter, defaults, scraped at 1 s',
      ratio: own / other,
      wanted: 'ratio ≤ 0.5',
      holds: own / other <= 0.5,
    });
    const resident = mebibytes(after.agent.residentBytes);
    printFigure({
      name: 'agent-cost/resident',
      value: resident,
      unit: 'MiB',
      peer: mebibytes(after.empty.residentBytes),
      peerIs: 'an empty Node process',
      ratio: resident / mebibytes(after.empty.residentBytes),
      wanted: '≤ 75',
      holds: resident <= 75,
    });
    printFigure({
      name: 'agent-cost/anonymous',
      value: mebibytes(after.agent.anonymousBytes),
      unit: 'MiB',
      peer: mebibytes(after.empty.anonymousBytes),
      peerIs: 'an empty Node process',
      ratio: after.agent.anonymousBytes / after.empty.anonymousBytes,
    });
  } finally {
    clearInterval(scrape);
    peer.kill();
    empty.kill();
    await agent.stop(3000);
    await mesh.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};
