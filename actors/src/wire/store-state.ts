/** Whether the store of an ingest node answers: each says it of its own on a topic, retained under one key, so that web nodes know without asking. */
import { z } from 'zod';

export const storeTopic = 'store';
export const storeKey = 'state';

/** `awaySinceMs`: since when it does not answer, by the wall clock of the ingest node; null while it does. */
export const storeStateSchema = z.strictObject({ awaySinceMs: z.number().nullable() });
export type StoreState = z.infer<typeof storeStateSchema>;

/** The longest there can be is far below; what is longer is not looked at. */
const maxBytes = 200;

export const encodeStoreState = (state: StoreState): Uint8Array => new TextEncoder().encode(JSON.stringify(state));

/** Undefined when it is none. */
export const decodeStoreState = (bytes: Uint8Array): StoreState | undefined => {
  if (bytes.byteLength > maxBytes) return undefined;
  try {
    return storeStateSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
};
