/**
 * How references and replies look in a message: msgpack extensions. Of a reference its node, its life and its id; those of the sender's own
 * actors are short. A reply is an id of the sender's questions: whoever got it may answer the sender once, until the ask is over.
 */
import type { NodeInfo } from './node-info.ts';
import type { Packer } from './packer.ts';
import type { Life } from './rules.ts';
import { Unreadable } from './unpacker.ts';
import type { Unpacker } from './unpacker.ts';

const type = { own: 1, reference: 2, reply: 3, ownReply: 4 } as const;
const maxIdChars = 100;

export type Carried =
  { kind: 'reference'; life: Life; id: number } | { kind: 'reply'; id: number; forMs: number } | { kind: 'own-reply' };

/** No room to let others know of one more actor or ask: as when an outbox is full. */
export class NoRoom extends Error {
  readonly code = 'NO_ROOM';
}

export const packOwn = (packer: Packer, id: number): void => packer.extension(type.own, () => packer.number(id));

export const packReference = (packer: Packer, life: Life, id: number): void =>
  packer.extension(type.reference, () => packer.text(life.id).number(life.incarnation).number(id));

/** `forMs`: how long the ask it answers goes on. */
export const packReply = (packer: Packer, id: number, forMs: number): void =>
  packer.extension(type.reply, () => packer.number(id).number(forMs));

/** Of the very question it is in. */
export const packOwnReply = (packer: Packer): void => packer.extension(type.ownReply, () => undefined);

/** Throws `Unreadable` on what no node packs. */
export const unpackCarried = (kind: number, unpacker: Unpacker, from: NodeInfo): Carried => {
  switch (kind) {
    case type.own:
      return { kind: 'reference', life: from, id: unpacker.count() };
    case type.reference: {
      const life = { id: unpacker.text(maxIdChars), incarnation: unpacker.count() };
      return { kind: 'reference', life, id: unpacker.count() };
    }
    case type.reply:
      return { kind: 'reply', id: unpacker.count(), forMs: unpacker.count() };
    case type.ownReply:
      return { kind: 'own-reply' };
    default:
      throw new Unreadable(`an extension of type ${kind}`);
  }
};
