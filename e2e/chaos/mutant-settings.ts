/** What a program of the product is started with to be a mutant; nothing where there is none, or where it is another program that is wrong. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Settings } from '../../infra/local/programs.ts';
import { mutantNamed, type Mutant } from './mutants.ts';

const hook = pathToFileURL(join(import.meta.dirname, 'load-mutant.ts')).href;

/** Throws when no mutant is called so. */
export const mutantSettings = (name: string | undefined, of: Mutant['of']): Settings =>
  name !== undefined && mutantNamed(name).of === of
    ? { NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${hook}?${name}`.trim() }
    : {};
