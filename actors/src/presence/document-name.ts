/**
 * `p2/<node>/<incarnation>/<generation>`: whose document, of which of its lives, and how often it was written anew in that life. Of one node only
 * the newest counts. The 2 is how documents are laid out: nodes that do it otherwise take nothing from each other (actors/decisions/0001-a-log-in-yjs.md).
 * The Yjs client id follows from the name, so that a simulated mesh repeats itself.
 */
import { hashText } from './text-hash.ts';

export type DocumentName = { readonly node: string; readonly incarnation: number; readonly generation: number };

const maxNameChars = 160;
const pattern = /^p2\/([\x21-\x7e]{1,100})\/(\d{1,16})\/(\d{1,10})$/;

export const writeName = ({ node, incarnation, generation }: DocumentName): string =>
  `p2/${node}/${incarnation}/${generation}`;

export const readName = (text: unknown): DocumentName | undefined => {
  if (typeof text !== 'string' || text.length > maxNameChars) return undefined;
  const [, node, incarnation, generation] = pattern.exec(text) ?? [];
  if (node === undefined) return undefined;
  const name = { node, incarnation: Number(incarnation), generation: Number(generation) };
  return Number.isSafeInteger(name.incarnation) && writeName(name) === text ? name : undefined;
};

/** Above 0: the first is newer. Only for documents of one node. */
export const compareNames = (one: DocumentName, other: DocumentName): number =>
  one.incarnation - other.incarnation || one.generation - other.generation;

export const clientIdOf = (name: DocumentName): number => hashText(writeName(name)).low >>> 1;
