/**
 * `npm run fuzz -- --inputs 1000000 [PART_OF_A_PATH ...]`: runs every `*.fuzz.test.ts` (or those chosen) with that many inputs each, and ends
 * with one line of totals. Everyday runs of the same tests are part of `npm test`. `--seed N` takes other inputs.
 */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killRunning, runFile } from './run-file.ts';
import { faultsOf } from './tally.ts';

const root = join(import.meta.dirname, '..', '..');
/** For a file: what starting takes, and what an input may take on a slow machine. Beyond it hangs. */
const limitMsFor = (inputs: number): number => 120_000 + inputs * 20;

type Totals = {
  readonly name: string;
  readonly inputs: number;
  readonly slowestMs: number;
  readonly peakRssMiB: number;
};

const readTotals = (path: string): Totals[] => {
  try {
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1); // a torn last line is no total
    return lines.map((line) => JSON.parse(line) as Totals);
  } catch {
    return [];
  }
};

const usage = 'npm run fuzz -- [--inputs N] [--seed N] [PART_OF_A_PATH ...]';
const readCommand = (): { inputs: number; seed: string | undefined; places: readonly string[] } => {
  try {
    const { values, positionals } = parseArgs({
      options: { inputs: { type: 'string', default: '100000' }, seed: { type: 'string' } },
      allowPositionals: true,
    });
    const inputs = Number(values.inputs);
    if (!Number.isSafeInteger(inputs) || inputs < 1)
      throw new Error(`--inputs is a whole number, not ${values.inputs}`);
    return { inputs, seed: values.seed, places: positionals };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
};

const { inputs, seed, places } = readCommand();
const files = globSync('{actors,agent,ingest,web}/**/*.fuzz.test.ts', { cwd: root })
  .filter((file) => !file.includes('node_modules'))
  .filter((file) => places.length === 0 || places.some((place) => file.includes(place)))
  .sort();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    killRunning();
    process.exit(130);
  });

const folder = mkdtempSync(join(tmpdir(), 'thrum-fuzz-'));
const report = join(folder, 'totals');
let crashes = 0;
let hangs = 0;
for (const file of files) {
  const outcome = await runFile({
    ...{ file, cwd: root, execArgv: ['--expose-gc'], limitMs: limitMsFor(inputs) },
    env: {
      ...process.env,
      ...{ THRUM_FUZZ_INPUTS: String(inputs), THRUM_FUZZ_REPORT: report },
      ...(seed !== undefined && { THRUM_FUZZ_SEED: seed }),
    },
  });
  const failed = outcome.verdicts.filter((one) => one.result === 'failed').length;
  const faults = faultsOf(outcome);
  const isHang =
    faults.some((fault) => fault.startsWith('did not end')) || /of seed \d+ took \d+ ms/.test(outcome.output);
  if (isHang) hangs += 1;
  crashes += Math.max(0, failed + faults.length - Number(isHang));
  console.log(`${failed + faults.length > 0 ? '✖' : '✔'} ${file} (${Math.round(outcome.tookMs / 1000)} s)`);
  if (failed + faults.length > 0) console.log([...faults, outcome.output.trimEnd()].join('\n'));
}
const totals = readTotals(report);
rmSync(folder, { recursive: true });
for (const { name, inputs: tried, slowestMs } of totals)
  console.log(`  ${name}: ${tried} inputs, slowest ${slowestMs.toFixed(1)} ms`);
const most = (of: (one: Totals) => number): number => totals.reduce((max, one) => Math.max(max, of(one)), 0);
console.log(
  `${totals.reduce((sum, one) => sum + one.inputs, 0)} inputs, ${crashes} crashes, ${hangs} hangs, ` +
    `slowest input ${most((one) => one.slowestMs).toFixed(1)} ms, peak RSS ${Math.round(most((one) => one.peakRssMiB))} MiB`,
);
process.exitCode = files.length === 0 || crashes + hangs > 0 ? 1 : 0;
