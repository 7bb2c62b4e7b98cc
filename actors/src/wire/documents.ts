/**
 * Small documents kept in the store (users now): asked by web nodes of any ingest node over the mesh endpoint `documents`. Every document has
 * a version; who changes or deletes one says which version it read, so that of two concurrent changes the second is told `conflict` instead of
 * undoing the first.
 */
import { z } from 'zod';
import type { Refusal } from './refusal.ts';

export const documentsEndpoint = 'documents';

export const documentLimits = {
  /** One document as JSON. Raising it raises what one list may cost everybody on its way. */
  valueBytes: 16 * 1024,
  keyChars: 100,
  /** Documents of one collection; one more is refused. */
  perCollection: 5_000,
  /** All documents of one list as JSON: it travels in one message. */
  listBytes: 4 * 1024 * 1024,
  /** What the store may take to answer; after it the question is refused as `store-away`. */
  storeDeadlineMs: 3_000,
  /** What a web node waits, over all the ingest nodes it tries. */
  askDeadlineMs: 5_000,
} as const;

const collection = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'a small name such as users');
const key = z
  .string()
  .regex(/^[^\u0000-\u001f\u007f\ud800-\udfff]+$/u, 'no control characters')
  .max(documentLimits.keyChars);
const version = z.string().regex(/^[0-9a-z.]{1,64}$/, 'a version as it was given');
const value = z
  .record(z.string(), z.json())
  .refine(
    (given) => new TextEncoder().encode(JSON.stringify(given)).byteLength <= documentLimits.valueBytes,
    `at most ${documentLimits.valueBytes} bytes as JSON`,
  );

export const documentsQuestionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('get'), collection, key }),
  /** `ifVersion` null: there must be none of this key yet. */
  z.strictObject({ kind: z.literal('put'), collection, key, value, ifVersion: version.nullable() }),
  z.strictObject({ kind: z.literal('delete'), collection, key, ifVersion: version }),
  z.strictObject({ kind: z.literal('list'), collection }),
]);
export type DocumentsQuestion = z.infer<typeof documentsQuestionSchema>;

export type DocumentValue = Readonly<Record<string, unknown>>;
export type StoredDocument = { readonly version: string; readonly value: unknown };
export type ListedDocument = StoredDocument & { readonly key: string };
export type Conflict = { readonly ok: false; readonly reason: 'conflict' };

export type GetOutcome = { readonly ok: true; readonly document: StoredDocument | undefined } | Refusal;
export type PutOutcome = { readonly ok: true; readonly version: string } | Conflict | Refusal;
export type DeleteOutcome = { readonly ok: true } | Conflict | Refusal;
export type ListOutcome = { readonly ok: true; readonly documents: readonly ListedDocument[] } | Refusal;
