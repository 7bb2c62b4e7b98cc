/**
 * Puts references and replies into messages and takes them out. An actor becomes known to others by the first message that carries it; a
 * reply that is passed on becomes a question of this node to whoever gets it.
 */
import { Actor } from '../system/actor.ts';
import type { Clock } from '../system/clock.ts';
import { asReply, replyUntilMs } from '../system/reply.ts';
import type { ActorPort } from './actor-traffic.ts';
import type { AnyActor, Exports } from './exports.ts';
import type { NodeInfo } from './node-info.ts';
import type { Extension, Notes } from './packing.ts';
import { QuestionReply } from './question-reply.ts';
import { NoRoom, packOwn, packOwnReply, packReference, packReply, unpackCarried } from './references.ts';
import { RemoteRef } from './remote-ref.ts';
import type { RemoteActors } from './remote-side.ts';
import type { Life } from './rules.ts';

export type Carrying = {
  pack(value: object, to: NodeInfo | undefined): Extension | undefined;
  unpack(type: number, fields: readonly unknown[], notes: Notes, from: NodeInfo): unknown;
};

export const createCarrying = (options: {
  self: Life;
  port: ActorPort;
  exports: Exports;
  remote: RemoteActors;
  clock: Clock;
}): Carrying => {
  const { self, port, exports, remote, clock } = options;

  const passOn = (reply: (value: unknown) => void, untilMs: number, to: NodeInfo | undefined): Extension => {
    if (!to) throw new Error('a reply can be told to one node only');
    const forMs = Math.max(1, Math.round(untilMs - clock.monotonicMs()));
    const id = port.asks.open(to, forMs, (outcome) => {
      if (outcome.ok) reply(outcome.value);
    });
    if (id === undefined) throw new NoRoom('too many questions are under way');
    return packReply(id, forMs);
  };

  const answering = (from: NodeInfo, id: number, forMs: number): ((value: unknown) => void) => {
    let answered = false;
    const reply = (value: unknown): void => {
      if (answered) return;
      answered = true;
      port.answer(from, id, { ok: true, value });
    };
    return asReply(reply, clock.monotonicMs() + forMs);
  };

  return {
    pack: (value, to) => {
      if (value instanceof RemoteRef) return packReference(value.life, value.id);
      if (value instanceof Actor) {
        const exported = exports.export(value as AnyActor);
        if (!exported) throw new NoRoom('too many actors are known to other nodes');
        return packOwn(exported.id);
      }
      const untilMs = replyUntilMs(value);
      if (untilMs === undefined) return undefined;
      if (remote.isAsking(value)) return packOwnReply();
      return passOn(value as (value: unknown) => void, untilMs, to);
    },
    unpack: (type, fields, notes, from) => {
      const carried = unpackCarried(type, fields, from);
      switch (carried.kind) {
        case 'reference': {
          const { life, id } = carried;
          const isOurs = life.id === self.id && life.incarnation === self.incarnation;
          return (isOurs && exports.get(id)?.actor) || new RemoteRef(remote, life, id);
        }
        case 'reply':
          return answering(from, carried.id, carried.forMs);
        case 'own-reply': {
          const reply = notes.noted instanceof QuestionReply ? notes.noted : new QuestionReply();
          notes.noted = reply;
          return reply.call;
        }
      }
    },
  };
};
