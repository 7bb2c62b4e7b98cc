/**
 * `npm run chaos -- --minutes 20 --seed 1`: kills and pauses agents, ingest nodes, the balancer and Elasticsearch at random, fills disks, sets
 * clocks, and then compares what the agents had with what is stored, item by item. Ends with code 1 when anything differs.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { choice, flag, integer, settingsOrExit } from '@thrum/actors/system/settings';
import { repository } from '../../infra/local/build.ts';
import { mutants } from './mutants.ts';
import { differencesOf, figuresOf, reportLines } from './report.ts';
import { runChaos } from './run.ts';

const settings = settingsOrExit(
  {
    minutes: integer({ default: 20, min: 1, max: 10_000, help: 'how long things are broken' }),
    seconds: integer({ default: 0, help: 'instead of minutes' }),
    seed: integer({ default: 0, help: 'what is broken when; 0: another one every time' }),
    perMinute: integer({ default: 10, min: 1, max: 60, help: 'faults in a minute' }),
    agents: integer({ default: 5, min: 1, max: 50, help: 'agents' }),
    periodMs: integer({ default: 1000, min: 100, help: 'time between two samples of an agent' }),
    mutant: choice(['none', ...mutants.map(({ name }) => name)], {
      default: 'none',
      help: 'runs a wrong product, and ends with code 0 when that is noticed',
    }),
    keep: flag({ default: false, help: 'leave the directory of the run behind, as after a difference' }),
  },
  'npm run chaos --',
);

/** Their clocks are everybody's: a wrong one takes minutes to be a story of its own. */
const ingestClocksFromMs = 120_000;

const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: repository,
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  } catch {
    return 'unknown';
  }
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const seed = settings.seed === 0 ? Date.now() % 1_000_000 : settings.seed;
const forMs = settings.seconds > 0 ? settings.seconds * 1000 : settings.minutes * 60_000;
const directory = mkdtempSync(join(tmpdir(), 'thrum-chaos-'));
say(`seed ${seed}, ${forMs / 1000} s, in ${directory}`);
const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => abort.abort(new Error(`ended by ${signal}`)));
const mutant = mutants.find(({ name }) => name === settings.mutant);
if (mutant) say(`The product is wrong: ${mutant.breaks}.`);
let failed = true;
try {
  const report = await runChaos({
    directory,
    seed,
    forMs,
    perMinute: settings.perMinute,
    agents: settings.agents,
    periodMs: settings.periodMs,
    ingestClocks: forMs >= ingestClocksFromMs,
    mutant: mutant?.name,
    say,
    abort: abort.signal,
  });
  say(reportLines(report, { commit: commit(), seed }).join('\n'));
  for (const figure of figuresOf(report)) say(JSON.stringify(figure));
  const differs = differencesOf(report) > 0;
  failed = differs !== (mutant !== undefined);
  if (mutant) say(`${mutant.name} ${differs ? 'is noticed' : 'survived'}`);
} finally {
  if (failed || settings.keep) say(`Kept: ${directory}`);
  else rmSync(directory, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
