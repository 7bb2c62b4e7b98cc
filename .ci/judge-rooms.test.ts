import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf } from './imports.ts';
import { judgeRooms, roomOf } from './judge-rooms.ts';
import * as table from './rooms.ts';

const judge = (files: Record<string, string>): string[] => judgeRooms(table, new Map(Object.entries(files)));

/** Asserts exactly one complaint, and that it names the file and matches. */
const refused = (file: string, source: string, pattern: RegExp, others: Record<string, string> = {}): void => {
  const complaints = judge({ ...others, [file]: source });
  assert.equal(complaints.length, 1, complaints.join('\n') || `nothing said about ${source}`);
  assert.match(complaints[0] ?? '', pattern);
  assert.ok(complaints[0]?.startsWith(`${file}: `));
};

test('a room may import the rooms it lists and itself', () => {
  assert.deepEqual(
    judge({
      'actors/src/link/links.ts': `import { a } from '../wire/limits.ts'; import { b } from './outbox.ts'; import 'ws';`,
      'ingest/src/store/store.ts': `import { c } from '@thrum/actors/wire/batch';`,
      'web/server.ts': `import { d } from './src/lib/server/gateway.ts'; import { Server } from 'socket.io';`,
    }),
    [],
  );
});

test('a room below may not import a room above it', () => {
  refused('actors/src/wire/a.ts', `import { x } from '../system/clock.ts'`, /may not import actors\/src\/system/);
});

test('agent, ingest and web never import one another, whichever way it is written', () => {
  const files = ['agent/src/main.ts', 'web/src/lib/server/gateway.ts', 'web/server.ts', 'web/src/lib/live/socket.ts'];
  for (const file of files) {
    refused(file, `import { x } from '@thrum/ingest/store'`, /lies in no room/);
    refused(file, `import '@thrum/ingest'`, /lies in no room/);
  }
  refused('web/server.ts', `import { x } from '../ingest/src/main.ts'`, /web may not import ingest\/src/);
  refused('agent/src/main.ts', `await import('../../ingest/src/store/store.ts')`, /may not import ingest\/src\/store/);
});

test('a file whose name has "build" in it is judged like any other', () => {
  refused('web/src/lib/live/build-frames.ts', `import { x } from '@thrum/actors/link/links'`, /may not import/);
});

test('a file in a folder without a line belongs to no room', () => {
  refused('ingest/src/attic/old.ts', '', /belongs to no room/);
  refused('web/src/lib/utils.ts', '', /belongs to no room/);
  assert.equal(roomOf(table, 'ingest/src/main.ts'), 'ingest/src');
});

test('outside packages behind a door are imported there alone, sub-paths included', () => {
  refused('ingest/src/intake/a.ts', `import { start } from 'nact'`, /only actors\/src\/system\/ may import nact/);
  refused('ingest/src/store/duckdb/a.ts', `import { Client } from '@elastic/elasticsearch'`, /may import @elastic/);
  refused('web/src/lib/charts/Other.svelte', `<script>import 'uplot/dist/uPlot.min.css'</script>`, /may import uplot/);
  refused('ingest/src/live/a.ts', `import { io } from 'socket.io-client'`, /may import socket.io-client/);
  assert.deepEqual(judge({ 'ingest/src/intake/a.test.ts': `import { io } from 'socket.io-client'` }), []);
  assert.deepEqual(judge({ 'web/src/lib/charts/options.ts': `import type uPlot from 'uplot'` }), []);
});

test('the wire imports zod, its small form and hashes, and no other package nor Node', () => {
  assert.deepEqual(
    judge({ 'actors/src/wire/a.ts': `import 'zod'; import 'zod/mini'; import '@noble/hashes/sha2.js'` }),
    [],
  );
  refused('actors/src/wire/a.ts', `import { createHash } from 'node:crypto'`, /may not import node:crypto/);
  refused('actors/src/wire/a.ts', `import { mix } from '@noble/ciphers'`, /may not import @noble\/ciphers/);
});

const wireWithZod = {
  'actors/src/wire/question.ts': `import { z } from 'zod'`,
  'actors/src/wire/roster.ts': `import type { Question } from './question.ts'`,
  'actors/src/wire/uses-question.ts': `export { questionSchema } from './question.ts'`,
};

test('a page may take types from the schema files of the wire, and never the schema library', () => {
  const page = 'web/src/lib/live/ask.ts';
  assert.deepEqual(
    judge({
      ...wireWithZod,
      [page]: `import type { Question } from '@thrum/actors/wire/question'; import { r } from '@thrum/actors/wire/roster'`,
    }),
    [],
  );
  refused(page, `import { aggregates } from '@thrum/actors/wire/question'`, /would load zod/, wireWithZod);
  refused(page, `import { type Question } from '@thrum/actors/wire/question'`, /would load zod/, wireWithZod);
  refused(page, `import { x } from '@thrum/actors/wire/uses-question'`, /would load zod/, wireWithZod);
  refused(
    'web/src/routes/+page.svelte',
    `<script lang="ts">import { x } from '@thrum/actors/wire/question';</script>`,
    /would load zod/,
    wireWithZod,
  );
});

test('a page imports nothing of Node', () => {
  refused('web/src/routes/+page.ts', `import { readFile } from 'node:fs/promises'`, /runs in a browser/);
});

test('tests may use the testing room and set up all rooms that theirs stands on, sources may not', () => {
  assert.deepEqual(
    judge({ 'ingest/src/intake/a.contract.ts': `import { x } from '@thrum/actors/link/links'` }), // by way of live
    [],
  );
  refused('ingest/src/intake/a.ts', `import { x } from '@thrum/actors/link/links'`, /may not import/);
  refused('ingest/src/intake/a.test.ts', `import { x } from '../history/history.ts'`, /may not import/);
  assert.deepEqual(judge({ 'ingest/src/live/a.test.ts': `import { x } from '@thrum/actors/testing/fake-clock'` }), []);
  refused('ingest/src/live/a.ts', `import { x } from '@thrum/actors/testing/fake-clock'`, /may not import/);
});

test('a table in which a room lists one below itself is refused', () => {
  const complaints = judgeRooms({ ...table, rooms: { a: ['b'], b: [] } }, new Map());
  assert.deepEqual(complaints, ['rooms.ts: a lists b, which does not stand above it']);
});

test('imports are found in every form, and text that only looks like one is not', () => {
  const source = `
    import a from 'a'; import type { B } from 'b'; export * from 'c'; export type { D } from 'd';
    const e = await import('e'); type F = import('f').F; const g = require('g'); import h = require('h');
    const text = "import x from 'not-one'"; // import y from 'nor-this'
  `;
  assert.deepEqual(
    importsOf('x.ts', source)
      .map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? ' type' : ''}`)
      .sort(),
    ['a', 'b type', 'c', 'd type', 'e', 'f type', 'g', 'h'],
  );
  const svelte = `<script module>import 'a'</script><p>{#await import('b')}{/await} import 'no'</p><script lang="ts">import 'c'</script>`;
  assert.deepEqual(
    importsOf('x.svelte', svelte)
      .map((one) => one.specifier)
      .sort(),
    ['a', 'b', 'c'],
  );
});
