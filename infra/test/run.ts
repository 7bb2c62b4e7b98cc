/**
 * `npm test`: sets up what is missing, runs the suites, and ends with one line: "N passed, N failed".
 * `node infra/test/run.ts unit web` runs only those suites; further arguments with a "/" or "." choose files by a part of their path.
 */
import { join } from 'node:path';
import { agentBundle, ensureBuilt, page } from '../local/build.ts';
import { killRunning, runFile, type FileOutcome } from './run-file.ts';
import { setUp } from './set-up.ts';
import { suites, type Group, type Suite } from './suites.ts';
import { addResult, emptyTally, exitCodeOf, faultsOf, lastLine, strict } from './tally.ts';

const root = join(import.meta.dirname, '..', '..');
const say = (line: string): void => console.log(line);
const isStrict = process.env['CI'] === 'true';

const words = process.argv.slice(2);
const isPlace = (word: string): boolean => /[/.]/.test(word);
const names = words.filter((word) => !isPlace(word));
const places = words.filter(isPlace);
const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(
    `No suite is called ${unknown.join(', ')}. There are: ${suites.map((suite) => suite.name).join(', ')}.`,
  );
  process.exit(2);
}
const chosen = (file: string): boolean => places.length === 0 || places.some((place) => file.includes(place));
const plan = suites
  .filter((suite) => names.length === 0 || names.includes(suite.name))
  .map((suite) => ({
    suite,
    groups: suite.groups(root).map((group) => ({ ...group, files: group.files.filter(chosen) })),
  }))
  .filter(({ groups }) => places.length === 0 || groups.some((group) => group.files.length > 0));

/** Hundreds of processes load the same modules: compiled once, of each version. */
const compiled = join(root, 'node_modules', '.cache', 'thrum', 'compiled');
const env: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE: compiled, ...process.env };
let elasticsearch: { stop(): Promise<void> } | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    killRunning();
    void (elasticsearch?.stop() ?? Promise.resolve()).finally(() => process.exit(130));
  });

let tally = emptyTally;
const notes: string[] = [];

const report = (outcome: FileOutcome): void => {
  tally = addResult(tally, outcome);
  const failed = outcome.verdicts.filter((one) => one.result === 'failed').length;
  const faults = faultsOf(outcome);
  const bad = failed > 0 || faults.length > 0;
  say(`${bad ? '✖' : '✔'} ${outcome.file} (${outcome.verdicts.length} tests, ${Math.round(outcome.tookMs)} ms)`);
  for (const fault of faults) say(`  ${outcome.file} ${fault}`);
  if (bad) say(outcome.output.trimEnd().replaceAll(/^/gm, '  | '));
  for (const one of outcome.verdicts)
    if (one.result === 'skipped') notes.push(`skipped: ${outcome.file}: ${one.name} (${one.why ?? ''})`);
};

const runGroup = async (suite: Suite, group: Group): Promise<void> => {
  const waiting = [...group.files];
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
      report(await runFile({ file, cwd: root, execArgv: group.execArgv, env, limitMs: suite.limitMs }));
  };
  await Promise.all(Array.from({ length: group.atOnce }, work));
};

/** What keeps a suite from running: a part that is not here (its tests are skipped), or something broken (they failed). */
type Obstacle = { readonly why: string; readonly broken: boolean };

/** Starts and builds what a suite needs, once for all suites. */
const prepare = async (suite: Suite): Promise<Obstacle | undefined> => {
  const absent = suite.needs.filter((part) => missing.has(part));
  if (absent.length > 0) return { why: `missing: ${absent.join(', ')}`, broken: false };
  if (suite.needs.includes('elasticsearch') && env['THRUM_TEST_ELASTICSEARCH'] === undefined) {
    try {
      say('Starting Elasticsearch (the first time it is put together, which takes a minute) ...');
      const { startElasticsearch } = await import('../elasticsearch/development-server.ts');
      const server = await startElasticsearch();
      elasticsearch = server;
      env['THRUM_TEST_ELASTICSEARCH'] = server.url;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { why: `Elasticsearch did not start: ${why}`, broken: true };
    }
  }
  if (suite.needs.includes('chromium'))
    for (const what of [page, agentBundle]) {
      const built = await ensureBuilt(what, say);
      if (!built.ok) return { why: built.message, broken: true };
    }
  return undefined;
};

const wanted = [...new Set(plan.flatMap(({ suite }) => [...suite.needs, ...suite.likes]))];
const { missing } = setUp(wanted, process.env, say);
for (const [part, packages] of missing) say(`Missing: ${part} (on Debian: apt install ${packages.join(' ')}).`);

for (const { suite, groups } of plan) {
  const count = groups.reduce((sum, group) => sum + group.files.length, 0);
  say(`# ${suite.name}: ${count} files`);
  if (count === 0) {
    tally = addResult(tally, { file: suite.name, verdicts: [], faults: [] });
    say(`  The suite ${suite.name} has no files: an empty suite is a mistake.`);
    continue;
  }
  const obstacle = await prepare(suite);
  if (obstacle === undefined) {
    for (const group of groups) await runGroup(suite, group);
    continue;
  }
  for (const file of groups.flatMap((group) => group.files)) {
    if (obstacle.broken) tally = addResult(tally, { file, verdicts: [], faults: [obstacle.why] });
    else tally = { ...tally, skipped: tally.skipped + 1 };
    notes.push(`${obstacle.broken ? 'not run' : 'skipped'}: ${file} (${obstacle.why})`);
  }
}
await elasticsearch?.stop();

for (const note of notes) say(note);
if (notes.length > 0 && isStrict) say('CI=true: what was skipped counts as failed.');
const final = isStrict ? strict(tally) : tally;
say(lastLine(final));
process.exitCode = exitCodeOf(final);
