import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@thrum/actors/testing/temporary-directory';
import { refuse } from '@thrum/actors/wire/refusal';
import { askDoor, doorsIn, parseCommand, wordsFor } from './local-door.ts';

test('commands are read, and what is none is named', () => {
  assert.deepEqual(parseCommand(['user', 'reset', 'ada', '--data', '/x']), { kind: 'reset', name: 'ada', data: '/x' });
  for (const kind of ['add', 'remove'] as const)
    assert.deepEqual(parseCommand(['user', kind, 'eve', '--data', '/x']), { kind, name: 'eve', data: '/x' });
  assert.deepEqual(parseCommand(['--data=/x', 'user', 'list']), { kind: 'list', data: '/x' });
  for (const argv of [[], ['--help'], ['user', 'reset', '-h']]) assert.equal(parseCommand(argv).kind, 'help');
  for (const argv of [
    ['user', 'reset'],
    ['user', 'add'],
    ['user', 'rest', 'ada'],
    ['user', 'list', 'x'],
    ['user', 'reset', 'a', 'b'],
    ['user', 'list', '--data'],
    ['user', 'list', '--dat', 'x'],
  ])
    assert.equal(parseCommand(argv).kind, 'wrong', argv.join(' '));
});

test('the first web node that answers in the directory is asked, whichever launcher made it', async (t) => {
  const data = temporaryDirectory(t);
  for (const name of ['web-1', 'web-2']) mkdirSync(join(data, name));
  writeFileSync(join(data, 'web-1', 'thrum.sock'), 'of a node that was killed');
  const heard: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      heard.push(`${request.method} ${request.url} ${body}`);
      response.end(JSON.stringify({ ok: true, link: 'http://x/set-up#y', worksForMs: 3_600_000 }));
    });
  });
  await new Promise<void>((listening) => server.listen(join(data, 'web-2', 'thrum.sock'), listening));
  t.after(() => server.close());
  const command = { kind: 'reset', name: 'ada', data } as const;
  const { ok, text } = wordsFor(command, await askDoor(doorsIn(data), command));
  assert.equal(ok, true);
  assert.match(text, /within 60 minutes .* once:\n\n {2}http:\/\/x\/set-up#y\n/);
  assert.deepEqual(heard, ['POST /users/reset {"name":"ada"}']);
});

test('what stands in the way is said with what to do', async (t) => {
  const data = temporaryDirectory(t);
  const command = { kind: 'list', data } as const;
  const nobody = wordsFor(command, await askDoor(doorsIn(data), command));
  assert.deepEqual(
    [nobody.ok, nobody.text],
    [false, `No web node answers in ${data}: start Thrum, or name its data directory with --data.`],
  );
  assert.match(wordsFor(command, { kind: 'closed', denied: '/x' }).text, /as the user that Thrum runs as/);
  const says = (answer: Parameters<typeof wordsFor>[1]) => wordsFor(command, answer).text;
  assert.equal(
    says({ kind: 'answer', answer: refuse('bad-question', 'There is no user called eve.') }),
    'There is no user called eve.',
  );
  assert.match(says({ kind: 'answer', answer: refuse('store-away') }), /The store does not answer/);
  assert.match(says({ kind: 'answer', answer: { ok: true, users: [] } }), /Nobody has been set up/);
  assert.match(says({ kind: 'answer', answer: { ok: true, removed: 'eve' } }), /^eve is removed/);
  const users = [{ name: 'ada', createdMs: 0, sessions: 1 }];
  assert.equal(
    says({ kind: 'answer', answer: { ok: true, users } }),
    'ada  administrator  since 1970-01-01  1 session',
  );
});
