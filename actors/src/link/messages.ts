/**
 * What two linked nodes say, as msgpack arrays that begin with a number. A frame is one or more of them, one behind the other, so that what
 * is queued in one turn travels in one frame. A frame that is anything else ends the link: its sender is broken or no node of ours.
 * Fields behind those known are skipped, so that a kind may grow.
 */
import { nodeInfoSchema } from './node-info.ts';
import type { NodeInfo } from './node-info.ts';
import { Unreadable } from './frame-check.ts';
import { pack, unpack } from './packing.ts';
import type { PackExtension, UnpackExtension } from './packing.ts';

/** To and about actors; a node that speaks version 1 knows none of these. `actor` is an id of the node that has it. */
export type ActorMessage =
  | { kind: 'send'; actor: number; body: unknown }
  /** As `send`, and what becomes of it is told in an answer or a failure with this id. `noted` by the extension that read it. */
  | { kind: 'question'; actor: number; id: number; deadlineMs: number; body: unknown; noted?: unknown }
  | { kind: 'stop'; actor: number }
  | { kind: 'watch'; actor: number }
  | { kind: 'unwatch'; actor: number }
  | { kind: 'down'; actor: number; reason: DownReason; detail: string }
  /** Says the names of the sender's actors; with `all` these are all there are. */
  | { kind: 'names'; all: boolean; names: readonly (readonly [name: string, actor: number])[] }
  | { kind: 'unname'; name: string }
  /** Asks for all names. */
  | { kind: 'who' };
export type DownReason = 'stopped' | 'failed' | 'lost';

export type LinkMessage =
  | { kind: 'tell'; endpoint: string; body: unknown }
  | { kind: 'ask'; id: number; endpoint: string; body: unknown }
  | { kind: 'answer'; id: number; value: unknown }
  /** `code` says why an actor gave no answer. */
  | { kind: 'failure'; id: number; detail: string; code: string | undefined }
  | { kind: 'beat' }
  | { kind: 'peers'; peers: readonly NodeInfo[] }
  | { kind: 'bye'; reason: string }
  | ActorMessage;

const code = {
  ...{ tell: 0, ask: 1, answer: 2, failure: 3, beat: 4, peers: 5, bye: 6 },
  ...{ send: 7, question: 8, stop: 9, watch: 10, unwatch: 11, down: 12, names: 13, unname: 14, who: 15 },
} as const;

const maxPeers = 1000;
const maxDetailChars = 1000;
const maxEndpointChars = 1000;
export const nameLimits = {
  /** Of one node; a node that says more loses its link. */
  perNode: 1000,
  chars: 200,
} as const;

const shorten = (detail: string): string => detail.slice(0, maxDetailChars);

const encodeActorMessage = (message: ActorMessage, extension?: PackExtension): Uint8Array => {
  switch (message.kind) {
    case 'send':
      return pack([code.send, message.actor, message.body], extension);
    case 'question':
      return pack([code.question, message.actor, message.id, message.deadlineMs, message.body], extension);
    case 'stop':
    case 'watch':
    case 'unwatch':
      return pack([code[message.kind], message.actor]);
    case 'down':
      return pack([code.down, message.actor, message.reason, shorten(message.detail)]);
    case 'names':
      return pack([code.names, message.all, message.names]);
    case 'unname':
      return pack([code.unname, message.name]);
    case 'who':
      return pack([code.who]);
  }
};

/**
 * What they give holds until the next one (see `pack`): for an outbox, which copies it, or through `kept`.
 * Throws on what cannot be carried (functions, bigint, cycles): a mistake of the caller.
 */
export const encode = {
  tell: (endpoint: string, body: unknown, extension?: PackExtension): Uint8Array =>
    pack([code.tell, endpoint, body], extension),
  ask: (id: number, endpoint: string, body: unknown, extension?: PackExtension): Uint8Array =>
    pack([code.ask, id, endpoint, body], extension),
  answer: (id: number, value: unknown, extension?: PackExtension): Uint8Array =>
    pack([code.answer, id, value], extension),
  failure: (id: number, detail: string, why?: string): Uint8Array =>
    pack([code.failure, id, shorten(detail), ...(why === undefined ? [] : [why])]),
  beat: (): Uint8Array => pack([code.beat]),
  peers: (peers: readonly NodeInfo[]): Uint8Array => pack([code.peers, peers]),
  bye: (reason: string): Uint8Array => pack([code.bye, shorten(reason)]),
  actor: encodeActorMessage,
};

export const kept = (bytes: Uint8Array): Uint8Array => Buffer.from(bytes);

const count = (value: unknown): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new Unreadable('expected a whole number of at least 0');
  return value;
};
const text = (value: unknown, maxChars: number): string => {
  if (typeof value !== 'string' || value.length > maxChars)
    throw new Unreadable(`expected a text of at most ${maxChars} characters`);
  return value;
};

const readDown = (actor: unknown, reason: unknown, detail: unknown): LinkMessage => {
  if (reason !== 'stopped' && reason !== 'failed' && reason !== 'lost') throw new Unreadable('no known end');
  return { kind: 'down', actor: count(actor), reason, detail: text(detail, maxDetailChars) };
};

const readNames = (all: unknown, given: unknown): LinkMessage => {
  if (!Array.isArray(given) || given.length > nameLimits.perNode) throw new Unreadable('expected not too many names');
  const names = given.map((pair: unknown): readonly [string, number] => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new Unreadable('expected a name and its actor');
    return [text(pair[0], nameLimits.chars), count(pair[1])];
  });
  return { kind: 'names', all: all === true, names };
};

const readPeers = (given: unknown): LinkMessage => {
  const peers = nodeInfoSchema.array().max(maxPeers).safeParse(given);
  if (!peers.success) throw new Unreadable('expected peers');
  return { kind: 'peers', peers: peers.data };
};

/** How many values belong to each kind at least; more are skipped. */
const fewest: readonly number[] = [2, 3, 2, 2, 0, 1, 1, 2, 4, 1, 1, 1, 3, 2, 1, 0];

const readMessage = (value: unknown, noted: unknown): LinkMessage => {
  if (!Array.isArray(value)) throw new Unreadable('expected an array');
  const fields: readonly unknown[] = value;
  const [kind, first, second, third, fourth] = fields;
  if (typeof kind !== 'number') throw new Unreadable('a message of no kind');
  if (fields.length - 1 < (fewest[kind] ?? 0)) throw new Unreadable('a message that ends early');
  switch (kind) {
    case code.send:
      return { kind: 'send', actor: count(first), body: second };
    case code.tell:
      return { kind: 'tell', endpoint: text(first, maxEndpointChars), body: second };
    case code.question:
      return {
        ...{ kind: 'question', actor: count(first), id: count(second), deadlineMs: count(third), body: fourth, noted },
      };
    case code.ask:
      return { kind: 'ask', id: count(first), endpoint: text(second, maxEndpointChars), body: third };
    case code.answer:
      return { kind: 'answer', id: count(first), value: second };
    case code.failure: {
      const why = fields.length > 3 ? text(third, 20) : undefined;
      return { kind: 'failure', id: count(first), detail: text(second, maxDetailChars), code: why };
    }
    case code.beat:
      return { kind: 'beat' };
    case code.peers:
      return readPeers(first);
    case code.bye:
      return { kind: 'bye', reason: text(first, maxDetailChars) };
    case code.stop:
      return { kind: 'stop', actor: count(first) };
    case code.watch:
      return { kind: 'watch', actor: count(first) };
    case code.unwatch:
      return { kind: 'unwatch', actor: count(first) };
    case code.down:
      return readDown(first, second, third);
    case code.names:
      return readNames(first, second);
    case code.unname:
      return { kind: 'unname', name: text(first, nameLimits.chars) };
    case code.who:
      return { kind: 'who' };
    default:
      throw new Unreadable('a message of no known kind');
  }
};

export type Decoded = { ok: true; messages: readonly LinkMessage[] } | { ok: false; detail: string };

/** Byte strings in the messages are views of the frame. */
export const decodeFrame = (frame: Uint8Array, extension?: UnpackExtension): Decoded => {
  const messages: LinkMessage[] = [];
  try {
    unpack(frame, (value, noted) => void messages.push(readMessage(value, noted)), extension);
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, detail: error.message };
    throw error;
  }
  return messages.length > 0 ? { ok: true, messages } : { ok: false, detail: 'an empty frame' };
};
