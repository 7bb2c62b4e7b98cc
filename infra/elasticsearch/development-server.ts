/**
 * A real Elasticsearch for development and tests: the one at ELASTICSEARCH_URL when that is set, else the official image when a Docker
 * daemon answers, else a server assembled from its published parts (`assembly.ts`).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog, type Log } from '@thrum/actors/system/log';
import { assembleElasticsearch } from './assembly.ts';
import { canUseDocker, startContainer } from './docker-server.ts';
import type { Elasticsearch, ElasticsearchOptions } from './elasticsearch.ts';

const startWithinMs = 120_000;

const given = (url: string, log: Log): Elasticsearch => {
  const refuse = (what: string) => (): Promise<void> => {
    log.info({ url }, `ELASTICSEARCH_URL names a server that was not started here: it is not ${what}`);
    return Promise.resolve();
  };
  return {
    kind: 'given',
    url,
    pid: undefined,
    stop: refuse('stopped'),
    pause: refuse('paused'),
    resume: refuse('resumed'),
    kill: refuse('killed'),
  };
};

/** Waits until the server answers for its cluster. `gone` says why it never will. */
export const untilHealthy = async (url: string, gone: () => string | undefined): Promise<void> => {
  const untilMs = performance.now() + startWithinMs;
  while (performance.now() < untilMs) {
    const reason = gone();
    if (reason !== undefined) throw new Error(`Elasticsearch ended while starting: ${reason}`);
    try {
      const answer = await fetch(`${url}/_cluster/health?wait_for_status=yellow&timeout=5s`, {
        signal: AbortSignal.timeout(7_000),
      });
      if (answer.ok) return;
    } catch {
      // not yet
    }
    await sleep(100);
  }
  throw new Error(`Elasticsearch at ${url} did not become healthy within ${startWithinMs / 1000} s.`);
};

const startAssembled = async (options: ElasticsearchOptions, log: Log): Promise<Elasticsearch> => {
  const { java, home, classes } = await assembleElasticsearch(log);
  const heap = options.heap ?? '512m';
  const temporary =
    options.dataDirectory === undefined ? mkdtempSync(path.join(tmpdir(), 'thrum-elasticsearch-')) : undefined;
  const data = path.resolve(options.dataDirectory ?? path.join(temporary ?? '', 'data'));
  const logs = path.join(data, 'logs');
  mkdirSync(logs, { recursive: true });
  const ports = path.join(logs, 'http.ports');
  rmSync(ports, { force: true });
  const child = spawn(
    java,
    [
      ...[
        `-Xms${heap}`,
        `-Xmx${heap}`,
        '-XX:+UseSerialGC',
        '--add-modules=jdk.net',
        '--module-path',
        path.join(home, 'lib'),
      ],
      ...['--add-modules=ALL-MODULE-PATH', '--enable-native-access=ALL-UNNAMED,org.apache.lucene.core'],
      ...['-cp', classes, 'EmbeddedElasticsearch', home, 'discovery.type=single-node', 'node.name=development'],
      ...[
        `http.port=${options.port ?? 0}`,
        'transport.port=0',
        'node.portsfile=true',
        `path.data=${data}`,
        `path.logs=${logs}`,
      ],
      'cluster.routing.allocation.disk.threshold_enabled=false',
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let ended: string | undefined;
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => (said = (said + String(text)).slice(-4000)));
  child.on('error', (error) => (ended = error.message));
  const exit = once(child, 'exit').then(([code, signal]) => {
    ended ??= `exit code ${String(code)}, signal ${String(signal)}: ${said}`;
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (ended === undefined) {
      if (signal !== 'SIGKILL') child.kill('SIGCONT'); // a paused process would not hear it
      child.kill(signal);
    }
    await exit;
  };
  try {
    const untilMs = performance.now() + startWithinMs;
    let address: string | undefined;
    while (address === undefined) {
      if (ended !== undefined) throw new Error(`Elasticsearch ended while starting: ${ended}`);
      if (performance.now() > untilMs)
        throw new Error(`Elasticsearch opened no port within ${startWithinMs / 1000} s.`);
      await sleep(50);
      address = readPorts(ports);
    }
    const url = `http://${address}`;
    await untilHealthy(url, () => ended);
    log.info({ url, pid: child.pid, data }, 'Elasticsearch started');
    const signal = (name: NodeJS.Signals) => (): Promise<void> => {
      child.kill(name);
      return Promise.resolve();
    };
    return {
      kind: 'assembled',
      url,
      pid: child.pid,
      stop: () => end('SIGTERM'),
      pause: signal('SIGSTOP'),
      resume: signal('SIGCONT'),
      kill: () => end('SIGKILL'),
    };
  } catch (error) {
    await end('SIGKILL');
    throw error;
  }
};

/** The IPv4 address in the file that the server writes once its port is open. */
const readPorts = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .find((line) => line.startsWith('127.0.0.1:'));
  } catch {
    return undefined;
  }
};

/** Starts (or finds) a server and waits until it is healthy. Throws with what to install when none can be had. */
export const startElasticsearch = async (options: ElasticsearchOptions = {}): Promise<Elasticsearch> => {
  const log = options.log ?? silentLog;
  const url = process.env['ELASTICSEARCH_URL'];
  if (url !== undefined && url !== '') {
    await untilHealthy(url.replace(/\/$/, ''), () => undefined);
    return given(url.replace(/\/$/, ''), log);
  }
  if (!(await canUseDocker(log))) return startAssembled(options, log);
  const container = await startContainer(options);
  await untilHealthy(container.url, () => undefined);
  return container;
};
