/**
 * Settings: `meshPort` in a spec is THRUM_MESH_PORT in the environment and `--mesh-port` on the command line; the option wins. Everything
 * wrong is named in one message, one line each, so that a person mends it in one go. A variable of another role is fine (one environment
 * file may serve all), an unknown THRUM_ variable is warned about, an unknown option is an error.
 */
import type { Field } from './setting-fields.ts';
import { settingNames } from './setting-names.ts';
import { withoutPasswords } from './without-passwords.ts';

export {
  addresses,
  choice,
  directory,
  file,
  flag,
  integer,
  labels,
  list,
  port,
  secret,
  text,
  url,
  urls,
} from './setting-fields.ts';

export type Spec = Readonly<Record<string, Field<unknown>>>;
export type Values<S extends Spec> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };
export type Source = { env: Record<string, string | undefined>; argv: readonly string[] };
export type Reading<S extends Spec> =
  { ok: true; values: Values<S>; warnings: readonly string[] } | { ok: false; message: string };

const words = (key: string): string[] => key.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
const variableOf = (key: string): string => `THRUM_${words(key).join('_').toUpperCase()}`;
const optionOf = (key: string): string => `--${words(key).join('-')}`;

type Options = { given: Map<string, string>; problems: string[] };

/** `--x-y value`, `--x-y=value`, and `--flag` alone. */
const readOptions = (spec: Spec, argv: readonly string[]): Options => {
  const keys = new Map(Object.keys(spec).map((key) => [optionOf(key), key]));
  const given = new Map<string, string>();
  const problems: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const equals = word.indexOf('=');
    const option = equals < 0 ? word : word.slice(0, equals);
    const key = keys.get(option);
    if (key === undefined) {
      problems.push(word.startsWith('-') ? `${option}: no such option (see --help)` : `${word}: not an option`);
      continue;
    }
    const bare = spec[key]?.bare;
    const next = argv[at + 1];
    if (equals >= 0) given.set(key, word.slice(equals + 1));
    else if (bare !== undefined) given.set(key, bare);
    else if (next !== undefined && !next.startsWith('--')) {
      given.set(key, next);
      at += 1;
    } else problems.push(`${option}: expected a value behind it (${spec[key]?.hint ?? ''})`);
  }
  return { given, problems };
};

/** What was given, for a message. */
const repeated = (raw: string): string => withoutPasswords(raw).slice(0, 200);

export const readSettings = <S extends Spec>(spec: S, source: Source): Reading<S> => {
  const { given, problems } = readOptions(spec, source.argv);
  const values: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(spec)) {
    const option = given.get(key);
    const variable = source.env[variableOf(key)];
    const raw = option ?? (variable === '' ? undefined : variable);
    if (raw === undefined) {
      if (field.fallback) values[key] = field.fallback.value;
      else if (!problems.some((line) => line.startsWith(`${optionOf(key)}:`)))
        problems.push(`${variableOf(key)}: missing; set it or ${optionOf(key)} ${field.hint} (${field.help})`);
      continue;
    }
    const parsed = field.parse(raw);
    const name = option === undefined ? variableOf(key) : optionOf(key);
    if (parsed.ok) values[key] = parsed.value;
    else problems.push(`${name}: expected ${parsed.expected}${field.secret ? '' : `, got '${repeated(raw)}'`}`);
  }
  if (problems.length > 0) return { ok: false, message: problems.join('\n') };
  const own = new Set(Object.keys(spec).map(variableOf));
  const warnings = Object.keys(source.env)
    .filter((name) => name.startsWith('THRUM_') && !own.has(name) && !settingNames.has(name))
    .filter((name) => !name.startsWith('THRUM_TEST_'))
    .map((name) => `${name}: no setting has this name; it is ignored`);
  // Every key of the spec was filled above with what its field gave.
  return { ok: true, values: values as Values<S>, warnings };
};

const shownDefault = (field: Field<unknown>): string => {
  if (!field.fallback) return ' (required)';
  const { value } = field.fallback;
  if (field.secret || value === undefined) return '';
  if (Array.isArray(value)) return value.length === 0 ? '' : ` (default ${value.join(',')})`;
  if (typeof value === 'boolean') return ` (default ${value ? 'yes' : 'no'})`;
  return typeof value === 'string' || typeof value === 'number' ? ` (default ${value})` : '';
};

export const helpText = (spec: Spec, programName: string): string => {
  const rows = Object.entries(spec).map(([key, field]) => ({
    option: `${optionOf(key)} ${field.bare === undefined ? field.hint : ''}`.trim(),
    rest: `${field.help}${shownDefault(field)}`,
    variable: variableOf(key),
  }));
  const wide = Math.max(0, ...rows.map((row) => row.option.length));
  const wideVariable = Math.max(0, ...rows.map((row) => row.variable.length));
  const lines = rows.map((row) => `  ${row.option.padEnd(wide)}  ${row.variable.padEnd(wideVariable)}  ${row.rest}`);
  return [`Usage: ${programName} [options]`, '', 'Each option is also an environment variable.', '', ...lines, ''].join(
    '\n',
  );
};

/** The settings of this process, or its end: `--help` prints them all and exits 0, anything wrong is printed and exits 2. */
export const settingsOrExit = <S extends Spec>(spec: S, programName: string): Values<S> => {
  const argv = process.argv.slice(2);
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(helpText(spec, programName));
    process.exit(0);
  }
  const reading = readSettings(spec, { env: process.env, argv });
  if (!reading.ok) {
    const lines = reading.message.split('\n').map((line) => `  ${line}`);
    process.stderr.write(`${programName}: wrong settings\n${lines.join('\n')}\n`);
    process.exit(2);
  }
  for (const warning of reading.warnings) process.stderr.write(`${programName}: ${warning}\n`);
  return reading.values;
};
