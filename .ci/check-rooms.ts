/** Fails when an import breaks rooms.ts. Run from anywhere: `node .ci/check-rooms.ts`. */
import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { judgeRooms } from './judge-rooms.ts';
import * as table from './rooms.ts';

const root = join(import.meta.dirname, '..');
const folders = '{actors,agent,ingest,web,infra,e2e,.ci}';
// By whole folder names: a file with "build" in its own name is a source like any other.
const generated = new Set(['node_modules', '.svelte-kit', 'build', 'dist']);

const files = globSync(`${folders}/**/*.{ts,svelte,js,mjs}`, { cwd: root })
  .map((file) => file.split(sep).join('/'))
  .filter(
    (file) =>
      !file
        .split('/')
        .slice(0, -1)
        .some((folder) => generated.has(folder)),
  )
  // Static files are served as they are; the lint configuration is no part of any program.
  .filter((file) => !file.startsWith('web/static/') && file !== 'infra/eslint.config.js')
  .sort();
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

const complaints = judgeRooms(table, sources);
if (complaints.length > 0) {
  console.error(complaints.join('\n'));
  process.exit(1);
}
console.log(`${Object.keys(table.rooms).length} rooms, ${files.length} files, all imports in order`);
