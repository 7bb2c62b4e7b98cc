import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');

const run = (file: string) => {
  const hook = `--import=${join(import.meta.dirname, 'svelte-hook.ts')}`;
  return spawnSync(process.execPath, ['--conditions=browser', hook, file], { encoding: 'utf8' });
};

test('a test may import a component, mount it in a document and see it change', (t) => {
  // In the web package, where svelte is found.
  const directory = mkdtempSync(join(root, 'web', '.svelte-hook-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(
    join(directory, 'Counter.svelte'),
    `<script lang="ts">let count: number = $state(1);</script><button onclick={() => (count += 1)}>{count}</button>`,
  );
  writeFileSync(
    join(directory, 'x.ts'),
    `import { flushSync, mount } from 'svelte';
     import Counter from './Counter.svelte';
     mount(Counter, { target: document.body });
     document.querySelector('button')?.click();
     flushSync();
     console.log(document.body.textContent);`,
  );
  const { stdout, stderr } = run(join(directory, 'x.ts'));
  assert.equal(stdout.trim(), '2', stderr);
});

test('who imports no component has no document', (t) => {
  const directory = mkdtempSync(join(root, 'web', '.svelte-hook-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'x.ts'), `console.log(typeof document);`);
  const { stdout, stderr } = run(join(directory, 'x.ts'));
  assert.equal(stdout.trim(), 'undefined', stderr);
});
