/**
 * `npm run fuzz -- --inputs 1000000 [PART_OF_A_PATH ...]`: runs every `*.fuzz.test.ts` (or those chosen) with that many inputs each, in parts of a
 * seed each on all cores, and ends with one line of totals. Everyday runs of the same tests are part of `npm test`. `--seed N` takes other
 * inputs. Signals end it early; what was tried until then is said all the same.
 */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killRunning, runFile } from './run-file.ts';
import { faultsOf } from './tally.ts';

const root = join(import.meta.dirname, '..', '..');
/** So many of a file are tried in one process. Parts of a run have seeds this far apart, as a test may use the next few of its own. */
const partInputs = 50_000;
const seedsApart = 1000;
const firstSeed = 20_261_122;
/** For a part: what starting takes, and what an input may take on a slow machine. Beyond it hangs. */
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
const readCommand = (): { inputs: number; seed: number; places: readonly string[] } => {
  try {
    const { values, positionals } = parseArgs({
      options: { inputs: { type: 'string', default: '100000' }, seed: { type: 'string', default: String(firstSeed) } },
      allowPositionals: true,
    });
    const inputs = Number(values.inputs);
    if (!Number.isSafeInteger(inputs) || inputs < 1)
      throw new Error(`--inputs is a whole number, not ${values.inputs}`);
    const seed = Number(values.seed);
    if (!Number.isSafeInteger(seed) || seed < 1) throw new Error(`--seed is a whole number, not ${values.seed}`);
    return { inputs, seed, places: positionals };
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

const folder = mkdtempSync(join(tmpdir(), 'thrum-fuzz-'));
const report = join(folder, 'totals');
let crashes = 0;
let hangs = 0;

/** One line of totals; what is under way counts as nothing. */
const conclude = (): number => {
  const totals = readTotals(report);
  rmSync(folder, { recursive: true });
  const most = (of: (one: Totals) => number, among = totals): number =>
    among.reduce((max, one) => Math.max(max, of(one)), 0);
  const sum = (among: readonly Totals[]): number => among.reduce((all, one) => all + one.inputs, 0);
  for (const name of new Set(totals.map((one) => one.name))) {
    const parts = totals.filter((one) => one.name === name);
    console.log(`  ${name}: ${sum(parts)} inputs, slowest ${most((one) => one.slowestMs, parts).toFixed(1)} ms`);
  }
  console.log(
    `${sum(totals)} inputs, ${crashes} crashes, ${hangs} hangs, ` +
      `slowest input ${most((one) => one.slowestMs).toFixed(1)} ms, peak RSS ${Math.round(most((one) => one.peakRssMiB))} MiB`,
  );
  return files.length === 0 || crashes + hangs > 0 ? 1 : 0;
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    killRunning();
    conclude();
    process.exit(130);
  });

type Part = { readonly file: string; readonly inputs: number; readonly seed: number };
/** Parts of all files in turn, so that a run that is ended early has tried each of them. */
const parts: readonly Part[] = Array.from({ length: Math.ceil(inputs / partInputs) }, (_, n) =>
  files.map((file) => ({
    file,
    inputs: Math.min(partInputs, inputs - n * partInputs),
    seed: seed + n * seedsApart,
  })),
).flat();

const runPart = async (part: Part): Promise<void> => {
  const outcome = await runFile({
    ...{ file: part.file, cwd: root, execArgv: ['--expose-gc'], limitMs: limitMsFor(part.inputs) },
    env: {
      ...process.env,
      THRUM_FUZZ_INPUTS: String(part.inputs),
      THRUM_FUZZ_REPORT: report,
      THRUM_FUZZ_SEED: String(part.seed),
    },
  });
  const failed = outcome.verdicts.filter((one) => one.result === 'failed').length;
  const faults = faultsOf(outcome);
  const isHang =
    faults.some((fault) => fault.startsWith('did not end')) || /of seed \d+ took \d+ ms/.test(outcome.output);
  if (isHang) hangs += 1;
  crashes += Math.max(0, failed + faults.length - Number(isHang));
  const isBad = failed + faults.length > 0;
  const took = Math.round(outcome.tookMs / 1000);
  console.log(`${isBad ? '✖' : '✔'} ${part.file} (${part.inputs} inputs of seed ${part.seed}, ${took} s)`);
  if (isBad) console.log([...faults, outcome.output.trimEnd()].join('\n'));
};

const waiting = [...parts];
const work = async (): Promise<void> => {
  for (let part = waiting.shift(); part; part = waiting.shift()) await runPart(part);
};
await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, work));
process.exitCode = conclude();
