/**
 * The kinds of settings: each turns the text a person wrote into a value, or says what was expected. `default` absent: the setting is
 * required; `default: undefined`: it may be missing. A message never repeats a secret.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export type Parsed<T> = { ok: true; value: T } | { ok: false; expected: string };

export type Field<T> = {
  readonly help: string;
  /** What stands behind the option in `--help`, such as `PORT`. */
  readonly hint: string;
  readonly secret: boolean;
  /** An option without a value means this text (flags). */
  readonly bare?: string;
  readonly fallback: { readonly value: T } | undefined;
  parse(text: string): Parsed<T>;
};

const good = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = <T>(expected: string): Parsed<T> => ({ ok: false, expected });

/** `D` is what the default adds to the type: nothing without one, `undefined` for a setting that may be missing. */
const field = <T, D extends T | undefined>(
  options: { help: string; default?: D },
  hint: string,
  parse: (text: string) => Parsed<T>,
  more: { secret?: boolean; bare?: string } = {},
): Field<T | D> => ({
  help: options.help,
  hint,
  secret: more.secret ?? false,
  ...(more.bare !== undefined && { bare: more.bare }),
  // A key `default` with the value undefined: the setting may be missing.
  fallback: 'default' in options ? { value: options.default } : undefined,
  parse,
});

type Options<D> = { help: string; default?: D };

export const text = <D extends string | undefined = never>(
  options: Options<D> & { pattern?: RegExp; expected?: string; maxChars?: number },
): Field<string | D> => {
  const maxChars = options.maxChars ?? 1000;
  return field<string, D>(options, 'TEXT', (raw) => {
    if (raw.length === 0 || raw.length > maxChars) return bad(`a text of 1 to ${maxChars} characters`);
    if (options.pattern && !options.pattern.test(raw))
      return bad(options.expected ?? `a text like ${String(options.pattern)}`);
    return good(raw);
  });
};

export const integer = <D extends number | undefined = never>(
  options: Options<D> & { min?: number; max?: number },
): Field<number | D> => {
  const min = options.min ?? 0;
  const max = options.max ?? Number.MAX_SAFE_INTEGER;
  return field<number, D>(options, 'NUMBER', (raw) => {
    const value = /^-?\d{1,16}$/.test(raw) ? Number(raw) : NaN;
    if (value >= min && value <= max) return good(value);
    return bad(
      max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`,
    );
  });
};

/** 0 asks the system for a free port. */
export const port = <D extends number | undefined = never>(options: Options<D>): Field<number | D> => ({
  ...integer<D>({ ...options, min: 0, max: 65_535 }),
  hint: 'PORT',
});

export const choice = <const C extends string, D extends C | undefined = never>(
  choices: readonly C[],
  options: Options<D>,
): Field<C | D> =>
  field<C, D>(options, choices.join('|'), (raw) => {
    const found = choices.find((one) => one === raw);
    return found === undefined ? bad(`one of ${choices.join(', ')}`) : good(found);
  });

export const flag = <D extends boolean | undefined = never>(options: Options<D>): Field<boolean | D> =>
  field<boolean, D>(
    options,
    'yes|no',
    (raw) => {
      if (['yes', 'true', '1', 'on'].includes(raw.toLowerCase())) return good(true);
      if (['no', 'false', '0', 'off'].includes(raw.toLowerCase())) return good(false);
      return bad('yes or no');
    },
    { bare: 'yes' },
  );

const maxItems = 1000;

/** A comma list whose items pass `item`; spaces around items are not part of them. */
const commaList = <T>(raw: string, item: (text: string) => Parsed<T>): Parsed<readonly T[]> => {
  const values: T[] = [];
  for (const part of raw.split(',').map((one) => one.trim())) {
    if (part === '') continue;
    const parsed = item(part);
    if (!parsed.ok) return bad(`a comma list, each ${parsed.expected}`);
    values.push(parsed.value);
  }
  return values.length > maxItems ? bad(`at most ${maxItems} items`) : good(values);
};

export const list = <D extends readonly string[] | undefined = never>(
  options: Options<D>,
): Field<readonly string[] | D> => field<readonly string[], D>(options, 'A,B,...', (raw) => commaList(raw, good));

const address = (raw: string): Parsed<string> => {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:/@]+):(\d{1,5})$/.exec(raw);
  const number = Number(match?.[2]);
  return match && number >= 1 && number <= 65_535 ? good(raw) : bad('host:port');
};

/** Comma list of `host:port`; an IPv6 host stands in brackets. */
export const addresses = <D extends readonly string[] | undefined = never>(
  options: Options<D>,
): Field<readonly string[] | D> =>
  field<readonly string[], D>(options, 'HOST:PORT,...', (raw) => commaList(raw, address));

/** `a=b,c=d`, at most `max` of them. */
export const labels = <D extends Readonly<Record<string, string>> | undefined = never>(
  options: Options<D> & { max?: number },
): Field<Readonly<Record<string, string>> | D> =>
  field<Readonly<Record<string, string>>, D>(options, 'KEY=VALUE,...', (raw) => {
    const pairs = commaList(raw, (part) => {
      const match = /^([A-Za-z_][A-Za-z0-9_.-]{0,62})=(.{0,128})$/.exec(part);
      return match ? good([match[1] ?? '', match[2] ?? ''] as const) : bad<readonly [string, string]>('key=value');
    });
    if (!pairs.ok) return pairs;
    const names = pairs.value.map(([key]) => key);
    const max = options.max ?? maxItems;
    if (names.length > max) return bad(`at most ${max} of key=value`);
    return new Set(names).size === names.length ? good(Object.fromEntries(pairs.value)) : bad('every key once');
  });

const checkUrl = (raw: string, protocols: readonly string[]): Parsed<string> => {
  const parsed = URL.canParse(raw) ? new URL(raw) : undefined;
  const expected = `a URL that begins with ${protocols.map((one) => `${one}//`).join(' or ')}`;
  if (!parsed || !protocols.includes(parsed.protocol) || parsed.hostname === '') return bad(expected);
  // Without the slash an empty path gets: addresses are compared and put together as text.
  return good(parsed.pathname === '/' && !raw.endsWith('/') ? raw : parsed.href.replace(/\/$/, ''));
};

const web = ['http:', 'https:'];

/** An address on the web without a slash at its end. `protocols` as in `['http:', 'https:']`, which is the default. */
export const url = <D extends string | undefined = never>(
  options: Options<D> & { protocols?: readonly string[] },
): Field<string | D> => field<string, D>(options, 'URL', (raw) => checkUrl(raw, options.protocols ?? web));

export const urls = <D extends readonly string[] | undefined = never>(
  options: Options<D> & { protocols?: readonly string[] },
): Field<readonly string[] | D> =>
  field<readonly string[], D>(options, 'URL,...', (raw) => {
    const all = commaList(raw, (part) => checkUrl(part, options.protocols ?? web));
    return all.ok && all.value.length === 0 ? bad('at least one URL') : all;
  });

const readText = (path: string): Parsed<string> => {
  try {
    return good(readFileSync(path, 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return bad(`a file that can be read (${path}: ${code})`);
  }
};

/** A word nobody may see: `@path` reads it from a file (without the line break at its end). Its value is never printed. */
export const secret = <D extends string | undefined = never>(
  options: Options<D> & { minChars?: number },
): Field<string | D> => {
  const minChars = options.minChars ?? 1;
  return field<string, D>(
    options,
    'SECRET|@FILE',
    (raw) => {
      const read = raw.startsWith('@') ? readText(raw.slice(1)) : good(raw);
      if (!read.ok) return read;
      const value = read.value.replace(/\r?\n$/, '');
      return value.length < minChars ? bad(`a secret of at least ${minChars} characters, or @file`) : good(value);
    },
    { secret: true },
  );
};

/** The absolute path of a directory. Whoever uses it makes it, and says so when it may not. */
export const directory = <D extends string | undefined = never>(options: Options<D>): Field<string | D> =>
  field<string, D>(options, 'DIR', (raw) => (raw.includes('\0') || raw === '' ? bad('a path') : good(resolve(raw))));

/** The absolute path of a file that can be read now. */
export const file = <D extends string | undefined = never>(options: Options<D>): Field<string | D> =>
  field<string, D>(options, 'FILE', (raw) => {
    const read = raw.includes('\0') || raw === '' ? bad<string>('a path') : readText(raw);
    return read.ok ? good(resolve(raw)) : read;
  });
