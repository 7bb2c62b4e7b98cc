/**
 * How references and replies look in a message: msgpack extensions. Of a reference its node, its life and its id; those of the sender's own
 * actors are short. A reply is an id of the sender's questions: whoever got it may answer the sender once, until the ask is over.
 */
import type { NodeInfo } from './node-info.ts';
import { Unreadable } from './frame-check.ts';
import type { Extension } from './packing.ts';
import type { Life } from './rules.ts';

const type = { own: 1, reference: 2, reply: 3, ownReply: 4 } as const;
const maxIdChars = 100;

export type Carried =
  { kind: 'reference'; life: Life; id: number } | { kind: 'reply'; id: number; forMs: number } | { kind: 'own-reply' };

/** No room to let others know of one more actor or ask: as when an outbox is full. */
export class NoRoom extends Error {
  readonly code = 'NO_ROOM';
}

export const packOwn = (id: number): Extension => ({ type: type.own, fields: [id] });

export const packReference = (life: Life, id: number): Extension => ({
  type: type.reference,
  fields: [life.id, life.incarnation, id],
});

/** `forMs`: how long the ask it answers goes on. */
export const packReply = (id: number, forMs: number): Extension => ({ type: type.reply, fields: [id, forMs] });

/** Of the very question it is in. */
export const packOwnReply = (): Extension => ({ type: type.ownReply, fields: [] });

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Throws `Unreadable` on what no node packs. */
export const unpackCarried = (kind: number, fields: readonly unknown[], from: NodeInfo): Carried => {
  const [first, second, third] = fields;
  switch (kind) {
    case type.own:
      if (isCount(first)) return { kind: 'reference', life: from, id: first };
      break;
    case type.reference:
      if (typeof first === 'string' && first.length <= maxIdChars && isCount(second) && isCount(third))
        return { kind: 'reference', life: { id: first, incarnation: second }, id: third };
      break;
    case type.reply:
      if (isCount(first) && isCount(second)) return { kind: 'reply', id: first, forMs: second };
      break;
    case type.ownReply:
      return { kind: 'own-reply' };
  }
  throw new Unreadable(`an extension of type ${kind} that no node of ours writes`);
};
