/**
 * What lies in the files of a queue, by the product's own `thrum-agent queue inspect --records --json`: one JSON object a line. Only what the
 * ledger needs is read; lines of other types pass.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repository } from '../../infra/local/build.ts';
import type { Values } from './ledger.ts';

export type InspectedItem = {
  readonly target: string;
  readonly fields: readonly string[];
  readonly timeMs: number;
  readonly values: Values;
};

export type InspectedEvent = {
  readonly kind: string;
  readonly id: string;
  readonly timeMs: number;
  readonly facts: Readonly<Record<string, unknown>>;
};

export type Inspected =
  | {
      readonly type: 'record';
      readonly kind: 'batch' | 'events';
      readonly epoch: number;
      readonly seq: number;
      readonly timeMs: number;
      readonly samples: number;
      readonly acknowledged: boolean;
      readonly items: readonly InspectedItem[];
      readonly events: readonly InspectedEvent[];
      readonly segment: string;
      /** Why there is nothing in it. */
      readonly unreadable: string | undefined;
    }
  | { readonly type: 'damage'; readonly story: string }
  | { readonly type: 'other' };

type Line = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Line =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const numberOf = (line: Line, name: string): number => {
  const value = line[name];
  if (typeof value !== 'number')
    throw new Error(`queue inspect: ${name} is no number in ${JSON.stringify(line).slice(0, 200)}`);
  return value;
};
const listOf = (line: Line, name: string): readonly Line[] => {
  const value = line[name] ?? [];
  if (!Array.isArray(value))
    throw new Error(`queue inspect: ${name} is no list in ${JSON.stringify(line).slice(0, 200)}`);
  return value.filter(isObject);
};
/** Fields of a sample come in the order of their target. */
const fieldsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(textOf) : isObject(value) ? Object.values(value).map(textOf) : [];

/** Throws on a line that is no JSON object or a record without what it needs: a tool that says less must not look like an empty queue. */
export const parseInspected = (line: string): Inspected => {
  const parsed: unknown = JSON.parse(line);
  if (!isObject(parsed)) throw new Error(`queue inspect: not an object: ${line.slice(0, 200)}`);
  if (parsed['type'] === 'damage') return { type: 'damage', story: line };
  if (parsed['type'] !== 'record') return { type: 'other' };
  const kind = parsed['kind'];
  if (kind !== 'batch' && kind !== 'events') throw new Error(`queue inspect: a record of the kind ${String(kind)}`);
  return {
    type: 'record',
    kind,
    epoch: numberOf(parsed, 'epoch'),
    seq: numberOf(parsed, 'seq'),
    timeMs: numberOf(parsed, 'timeMs'),
    samples: numberOf(parsed, 'samples'),
    acknowledged: parsed['acknowledged'] === true,
    segment: textOf(parsed['segment']),
    unreadable: typeof parsed['unreadable'] === 'string' ? parsed['unreadable'] : undefined,
    items: listOf(parsed, 'items').map((item) => ({
      target: textOf(item['target']),
      fields: fieldsOf(item['fields']),
      timeMs: numberOf(item, 'timeMs'),
      values: isObject(item['values']) ? (item['values'] as Values) : {},
    })),
    events: listOf(parsed, 'events').map((event) => ({
      kind: textOf(event['kind']),
      id: textOf(event['id']),
      timeMs: numberOf(event, 'timeMs'),
      facts: isObject(event['facts']) ? event['facts'] : {},
    })),
  };
};

/** Everything in the files of one directory. Throws when the tool ends with another code than 0. */
export async function* inspectQueue(directory: string): AsyncGenerator<Inspected> {
  const program = join(repository, 'agent', 'src', 'main.ts');
  const child = spawn(process.execPath, [program, 'queue', 'inspect', '--records', '--json', directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => (said = (said + String(text)).slice(-2000)));
  const ended = once(child, 'close');
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === '') continue;
    lines += 1;
    yield parseInspected(line);
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0 || lines === 0)
    throw new Error(`queue inspect of ${directory} ended with code ${String(code)} after ${lines} lines: ${said}`);
}
