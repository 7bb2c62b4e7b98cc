/**
 * Loaded before a program of the product (`node --import .../load-mutant.ts?NAME`): replaces the words of that mutant while the sources are
 * loaded. Nothing on disk is changed, and the product knows nothing of it.
 */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { mutantNamed } from './mutants.ts';

const root = join(import.meta.dirname, '..', '..');
const { edits } = mutantNamed(new URL(import.meta.url).search.slice(1));

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    const mine = edits.filter(({ file }) => pathToFileURL(join(root, file)).href === url);
    if (mine.length === 0) return loaded;
    let source =
      typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
    for (const { file, from, to } of mine) {
      if (!source.includes(from)) throw new Error(`${file} has no more: ${from}`);
      source = source.replace(from, () => to);
    }
    return { ...loaded, source };
  },
});
