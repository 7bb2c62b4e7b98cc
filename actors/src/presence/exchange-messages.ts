/**
 * What nodes say to each other about presence, on the endpoint `presence`, as arrays that begin with a letter. Parsed once, here; a message that
 * is anything else is undefined (counted, ignored).
 *   d  digest: one hash over all documents the sender holds; differs from ours: we answer with our list
 *   l  list: the state of each document the sender holds. `answer`: it is sent because ours came, and needs no list back
 *   w  wanted: a document from that Yjs state vector on (sync step 1)
 *   u  update: what a document says from one text to another (sync step 2, and news)
 */
import { readName } from './document-name.ts';
import type { DocumentName } from './document-name.ts';
import type { DocumentUpdate } from './document.ts';
import { idOf } from './replicas.ts';
import type { DocumentState } from './rules.ts';

export const endpoint = 'presence';

export type ExchangeMessage =
  | { kind: 'digest'; hash: string }
  | { kind: 'list'; answer: boolean; states: readonly DocumentState[] }
  | { kind: 'wanted'; id: string; stateVector: Uint8Array }
  | { kind: 'update'; name: DocumentName; update: DocumentUpdate };

/** Nodes of a mesh, with room for a few that are going. */
const maxListed = 1000;
const maxStateVectorBytes = 256;

export const digestMessage = (hash: string): unknown => ['d', hash];
export const listMessage = (states: readonly DocumentState[], answer: boolean): unknown => [
  'l',
  answer,
  states.map((state) => [idOf(state), state.length, state.hash]),
];
export const wantedMessage = (id: string, stateVector: Uint8Array): unknown => ['w', id, stateVector];
export const updateMessage = (id: string, { from, to, hash, bytes }: DocumentUpdate): unknown => [
  'u',
  id,
  from,
  to,
  hash,
  bytes,
];

const isHash = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const readState = (value: unknown): DocumentState | undefined => {
  if (!Array.isArray(value)) return undefined;
  const [id, length, hash] = value as readonly unknown[];
  const name = readName(id);
  return name && isCount(length) && isHash(hash) ? { name, length, hash } : undefined;
};

const readList = (answer: unknown, values: unknown): ExchangeMessage | undefined => {
  if (typeof answer !== 'boolean' || !Array.isArray(values) || values.length > maxListed) return undefined;
  const states: DocumentState[] = [];
  for (const value of values) {
    const state = readState(value);
    if (!state) return undefined;
    states.push(state);
  }
  return { kind: 'list', answer, states };
};

export const readMessage = (message: unknown): ExchangeMessage | undefined => {
  if (!Array.isArray(message)) return undefined;
  const [kind, first, second, third, hash, bytes] = message as readonly unknown[];
  switch (kind) {
    case 'd':
      return isHash(first) ? { kind: 'digest', hash: first } : undefined;
    case 'l':
      return readList(first, second);
    case 'w':
      return readName(first) && second instanceof Uint8Array && second.byteLength <= maxStateVectorBytes
        ? { kind: 'wanted', id: first as string, stateVector: second }
        : undefined;
    case 'u': {
      const name = readName(first);
      if (!name || !isCount(second) || !isCount(third) || !isHash(hash) || !(bytes instanceof Uint8Array))
        return undefined;
      return { kind: 'update', name, update: { from: second, to: third, hash, bytes } };
    }
    default:
      return undefined;
  }
};
