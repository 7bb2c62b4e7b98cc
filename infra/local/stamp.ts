/**
 * Whether something built is still what its sources would give: a stamp is the SHA-256 over names and contents of all sources, kept
 * beside what was built. By content, because times change with every checkout.
 */
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';

const stampFile = 'stamp.txt';

/** Stamp of all files that match `sources` (globs from `root`). Generated folders and tests do not count. */
export const stampOf = (root: string, sources: readonly string[]): string => {
  const hash = createHash('sha256');
  const files = globSync([...sources], { cwd: root })
    .map((file) => file.split(sep).join('/'))
    .filter((file) => !/(^|\/)(node_modules|build|dist|\.svelte-kit)\/|\.(test|contract)\.ts$/.test(file))
    .sort();
  for (const file of files) {
    const path = join(root, file);
    if (!statSync(path).isFile()) continue;
    const content = readFileSync(path);
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
};

/** The stamp of what was built into `output`; `undefined` when nothing was, or not to its end. */
export const stampIn = (output: string): string | undefined => {
  try {
    return readFileSync(join(output, stampFile), 'utf8').trim();
  } catch {
    return undefined;
  }
};

export const writeStamp = (output: string, stamp: string): void => {
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, stampFile), `${stamp}\n`);
};
