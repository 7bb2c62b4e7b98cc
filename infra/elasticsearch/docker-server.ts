/** The official image, when a Docker daemon answers and has the image or can pull it. */
import { execFile } from 'node:child_process';
import { mkdirSync, chmodSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Log } from '@thrum/actors/system/log';
import { elasticsearchVersion } from './assembly.ts';
import type { Elasticsearch, ElasticsearchOptions } from './elasticsearch.ts';

const image = `docker.elastic.co/elasticsearch/elasticsearch:${elasticsearchVersion}`;
const daemonTimeoutMs = 3_000;
const pullTimeoutMs = 120_000;

const execute = promisify(execFile);
const docker = async (args: string[], timeoutMs = 60_000): Promise<string> =>
  (await execute('docker', args, { timeout: timeoutMs })).stdout.trim();

/** True when a daemon answers and the image is there, after pulling it if need be. */
export const canUseDocker = async (log: Log): Promise<boolean> => {
  try {
    await docker(['version', '--format', '{{.Server.Version}}'], daemonTimeoutMs);
  } catch {
    return false;
  }
  try {
    await docker(['image', 'inspect', '--format', '{{.Id}}', image], daemonTimeoutMs);
    return true;
  } catch {
    log.info({ image }, 'pulling the image of Elasticsearch');
  }
  try {
    await docker(['pull', '-q', image], pullTimeoutMs);
    return true;
  } catch {
    log.info({ image }, 'the image cannot be pulled');
    return false;
  }
};

/** Starts a container on the loop-back address; it is removed when it stops. */
export const startContainer = async (options: ElasticsearchOptions): Promise<Elasticsearch> => {
  const heap = options.heap ?? '512m';
  const volume: string[] = [];
  if (options.dataDirectory !== undefined) {
    mkdirSync(options.dataDirectory, { recursive: true });
    chmodSync(options.dataDirectory, 0o777); // the server in the container is another user
    volume.push('-v', `${options.dataDirectory}:/usr/share/elasticsearch/data`);
  }
  const id = await docker([
    ...['run', '-d', '--rm', '-p', `127.0.0.1:${options.port ?? 0}:9200`, ...volume],
    ...['-e', 'discovery.type=single-node', '-e', 'xpack.security.enabled=false'],
    ...[
      '-e',
      'cluster.routing.allocation.disk.threshold_enabled=false',
      '-e',
      `ES_JAVA_OPTS=-Xms${heap} -Xmx${heap}`,
      image,
    ],
  ]);
  const port = (await docker(['port', id, '9200/tcp'])).split('\n')[0]?.split(':').at(-1) ?? '';
  const tell = async (args: string[]): Promise<void> => {
    await docker(args);
  };
  return {
    kind: 'docker',
    url: `http://127.0.0.1:${port}`,
    pid: Number(await docker(['inspect', '--format', '{{.State.Pid}}', id])),
    stop: () => tell(['stop', id]),
    pause: () => tell(['pause', id]),
    resume: () => tell(['unpause', id]),
    kill: () => tell(['kill', id]),
  };
};
