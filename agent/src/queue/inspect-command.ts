/** `thrum-agent queue inspect`: the words of the command, and the files it reads. It opens them for reading only. */
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { errorMessage } from '@thrum/actors/system/describe-error';
import { inspectQueue, type QueueFiles } from './inspect.ts';
import { plainWords, time } from './inspect-words.ts';

const usage = `thrum-agent queue inspect [--data DIR] [--records] [--json] [QUEUE_DIR]

  Shows what waits in a queue, what is lost and what is damaged. Only reads; the agent may be running.
  --data DIR   the data directory of the agent (THRUM_DATA); or name the directory of the queue itself
  --records    also every record; with --json, taken apart
  --json       one JSON object a line: checkpoints, segments, damage, records, and last a summary`;

type Command = { readonly directory: string; readonly records: boolean; readonly json: boolean };

const readCommand = (argv: readonly string[], env: NodeJS.ProcessEnv): Command | 'help' => {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: {
      data: { type: 'string' },
      records: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.help) return 'help';
  const [verb, directory, ...more] = positionals;
  if (verb !== 'inspect') throw new Error(verb === undefined ? 'what shall be done?' : `there is no "queue ${verb}"`);
  if (more.length > 0) throw new Error(`one directory at a time, not also ${more.join(' ')}`);
  const data = values.data ?? env['THRUM_DATA'];
  if (directory !== undefined) return { directory, records: values.records, json: values.json };
  if (data === undefined || data === '') throw new Error('which queue? Give --data DIR, THRUM_DATA or a directory');
  return { directory: join(data, 'queue'), records: values.records, json: values.json };
};

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const filesIn = (directory: string): QueueFiles => ({
  list: async () =>
    (await readdir(directory, { withFileTypes: true })).filter((one) => one.isFile()).map((one) => one.name),
  read: async (name, bytes) => {
    try {
      if (bytes === undefined) return await readFile(join(directory, name));
      const file = await open(join(directory, name), 'r');
      try {
        const into = Buffer.alloc(bytes);
        const { bytesRead } = await file.read(into, 0, bytes, 0);
        return into.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  },
});

/**
 * `argv`: the words behind `queue`. Returns the exit code: 0, 1 when the files cannot be read, 2 when the command makes no sense. What goes
 * wrong is one message to `say`.
 */
export const runQueueCommand = async (
  argv: readonly string[],
  out: (line: string) => void,
  say: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): Promise<number> => {
  let command: Command | 'help';
  try {
    command = readCommand(argv, process.env);
  } catch (error) {
    say(`thrum-agent queue: ${errorMessage(error)}\n\n${usage}`);
    return 2;
  }
  if (command === 'help') {
    out(usage);
    return 0;
  }
  const { directory, records, json } = command;
  const words = plainWords(directory, Date.now());
  try {
    for await (const line of inspectQueue(filesIn(directory), { records })) {
      if (json) out(JSON.stringify(line));
      else if (line.type !== 'record') words.take(line);
      else
        out(
          `${line.epoch}/${line.seq} ${line.kind} ${time(line.timeMs)} ${line.samples} samples` +
            `${line.acknowledged ? ' settled' : ''}${line.unreadable === undefined ? '' : ` (${line.unreadable})`}`,
        );
    }
    for (const line of words.say()) out(line);
    return 0;
  } catch (error) {
    say(`thrum-agent queue: the queue in ${directory} cannot be read: ${errorMessage(error)}`);
    return 1;
  }
};
