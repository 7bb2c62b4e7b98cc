/** Where the actors of the mesh (`mesh-actors.ts`) meet the links: what each needs of the other. */
import type { Answer } from './endpoints.ts';
import type { Asks } from './asks.ts';
import type { ActorMessage } from './messages.ts';
import type { NodeInfo } from './node-info.ts';
import type { Extension, Notes } from './packing.ts';
import type { LinkRules } from './rules.ts';

/** What the links call. */
export type ActorTraffic = {
  take(from: NodeInfo, message: ActorMessage): void;
  /** Writes a reference or a reply in a message to this node (undefined: to several); undefined when it is neither. */
  pack(value: object, to: NodeInfo | undefined): Extension | undefined;
  unpack(type: number, fields: readonly unknown[], notes: Notes, from: NodeInfo): unknown;
};

export type ActorPort = {
  readonly rules: LinkRules;
  /** Shared with the questions to endpoints, so that an answer names one of either. */
  readonly asks: Asks;
  /** The life of a node that is linked now and knows of actors. */
  linked(nodeId: string): NodeInfo | undefined;
  /** Throws on what cannot be carried. */
  send(nodeId: string, message: ActorMessage): { ok: true } | { ok: false; reason: 'no-link' | 'full' };
  answer(to: NodeInfo, id: number, answer: Answer): void;
  detach(): void;
};
