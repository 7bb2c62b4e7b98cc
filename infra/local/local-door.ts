/** The command line's side of a web node's local door: which one to ask, what to ask, and what to tell the person. */
import { closeSync, constants, globSync, openSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { doorSocketName, type DoorAnswer } from '@thrum/actors/wire/local-door';
import { explain } from '@thrum/actors/wire/refusal';

export const usage = [
  'Usage: npm run thrum -- user list [--data DIR]',
  '       npm run thrum -- user add NAME [--data DIR]',
  '       npm run thrum -- user reset NAME [--data DIR]',
  '       npm run thrum -- user remove NAME [--data DIR]',
  '',
  '  user list    who can sign in, and how many sessions they have',
  '  user add     makes a user called NAME and a link by which they set their password',
  '  user reset   makes a link by which NAME sets a new password; all sessions of before end then',
  '  user remove  NAME cannot sign in any more and is signed out everywhere; the last user stays',
  '  --data DIR   data directory of `npm start`, `npm run mesh` or a web node on this machine (default .thrum)',
].join('\n');

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly why: string }
  | { readonly kind: 'list'; readonly data: string }
  | { readonly kind: 'add' | 'reset' | 'remove'; readonly name: string; readonly data: string };

const isVerb = (word: string | undefined): word is 'add' | 'reset' | 'remove' =>
  word === 'add' || word === 'reset' || word === 'remove';

export const parseCommand = (argv: readonly string[]): Command => {
  const words: string[] = [];
  let data = '.thrum';
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--help' || word === '-h') return { kind: 'help' };
    if (word.startsWith('--data=')) data = word.slice('--data='.length);
    else if (word === '--data') {
      data = argv[at + 1] ?? '';
      at += 1;
    } else if (word.startsWith('-')) return { kind: 'wrong', why: `${word}: no such option` };
    else words.push(word);
  }
  if (data === '') return { kind: 'wrong', why: '--data: expected a directory behind it' };
  const [what, verb, name, ...rest] = words;
  if (what === undefined) return { kind: 'help' };
  if (what === 'user' && verb === 'list' && name === undefined) return { kind: 'list', data: resolve(data) };
  if (what === 'user' && isVerb(verb) && rest.length === 0)
    return name === undefined
      ? { kind: 'wrong', why: `user ${verb}: whom? Name the user behind it` }
      : { kind: verb, name, data: resolve(data) };
  return { kind: 'wrong', why: `${words.join(' ')}: no such command` };
};

/** Sockets of web nodes that may use this directory: a node's own, that of `npm start`, those of `npm run mesh`. */
export const doorsIn = (data: string): readonly string[] => [
  join(data, doorSocketName),
  join(data, 'web', doorSocketName),
  ...globSync(`web-*/${doorSocketName}`, { cwd: data })
    .sort()
    .map((path) => join(data, path)),
];

export type Asked =
  | { readonly kind: 'answer'; readonly answer: DoorAnswer }
  /** Nobody opened; `denied` when a door is there and may not be opened by this user. */
  | { readonly kind: 'closed'; readonly denied: string | undefined };

/** A store that is away is given up by the node after a few seconds. */
const answerWithinMs = 15_000;
/** The path of a Unix socket fits in about 107 bytes. */
const maxPathBytes = 100;

const askOne = (path: string, command: Command): Promise<DoorAnswer> => {
  const isLong = Buffer.byteLength(path) > maxPathBytes;
  const handle = isLong ? openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY) : undefined;
  const socketPath = handle === undefined ? path : `/proc/self/fd/${handle}/${doorSocketName}`;
  const name = 'name' in command ? command.name : undefined;
  return new Promise<DoorAnswer>((done, failed) => {
    const sent = request(
      {
        socketPath,
        method: name === undefined ? 'GET' : 'POST',
        path: name === undefined ? '/users' : `/users/${command.kind}`,
        headers: { 'content-type': 'application/json' },
        timeout: answerWithinMs,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          try {
            done(JSON.parse(text) as DoorAnswer);
          } catch {
            failed(new Error(`${path} gave no answer that can be read`));
          }
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`${path} did not answer within ${answerWithinMs / 1000} s`)));
    sent.on('error', failed);
    sent.end(name === undefined ? undefined : JSON.stringify({ name }));
  }).finally(() => {
    if (handle !== undefined) closeSync(handle);
  });
};

/** Asks the first door that opens. */
export const askDoor = async (paths: readonly string[], command: Command): Promise<Asked> => {
  let denied: string | undefined;
  for (const path of paths) {
    try {
      return { kind: 'answer', answer: await askOne(path, command) };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EACCES') denied = path;
    }
  }
  return { kind: 'closed', denied };
};

export const wordsFor = (command: Command, asked: Asked): { readonly ok: boolean; readonly text: string } => {
  const data = 'data' in command ? command.data : '';
  if (asked.kind === 'closed')
    return asked.denied === undefined
      ? { ok: false, text: `No web node answers in ${data}: start Thrum, or name its data directory with --data.` }
      : { ok: false, text: `${asked.denied} may not be opened: run this as the user that Thrum runs as.` };
  const { answer } = asked;
  if (!answer.ok) return { ok: false, text: answer.code === 'bad-question' ? answer.detail : explain(answer) };
  if ('link' in answer)
    return {
      ok: true,
      text: [
        `Open this link within ${Math.round(answer.worksForMs / 60_000)} minutes and choose a new password; it works once:`,
        '',
        `  ${answer.link}`,
        '',
      ].join('\n'),
    };
  if ('removed' in answer) return { ok: true, text: `${answer.removed} is removed and signed out everywhere.` };
  if (answer.users.length === 0)
    return { ok: true, text: 'Nobody has been set up yet: open the link that `npm start` printed.' };
  const wide = Math.max(...answer.users.map((user) => user.name.length));
  return {
    ok: true,
    text: answer.users
      .map(
        ({ name, createdMs, sessions }) =>
          `${name.padEnd(wide)}  administrator  since ${new Date(createdMs).toISOString().slice(0, 10)}  ${sessions} ${sessions === 1 ? 'session' : 'sessions'}`,
      )
      .join('\n'),
  };
};
