/**
 * What two linked nodes say, as msgpack arrays that begin with a number. A frame is one or more of them, one behind the other, so that what
 * is queued in one turn travels in one frame. A frame that is anything else ends the link: its sender is broken or no node of ours.
 * Fields behind those known are skipped, so that a kind may grow.
 */
import { nodeInfoSchema } from './node-info.ts';
import type { NodeInfo } from './node-info.ts';
import { Packer } from './packer.ts';
import type { PackExtension } from './packer.ts';
import { Unpacker, Unreadable } from './unpacker.ts';
import type { UnpackExtension } from './unpacker.ts';

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

const packer = new Packer();
const unpacker = new Unpacker();
const begin = (fields: number, kind: number, extension?: PackExtension): Packer =>
  packer
    .begin(extension)
    .array(fields + 1)
    .number(kind);
const shorten = (detail: string): string => detail.slice(0, maxDetailChars);

const encodeActorMessage = (message: ActorMessage, extension?: PackExtension): Uint8Array => {
  switch (message.kind) {
    case 'send':
      return begin(2, code.send, extension).number(message.actor).value(message.body).take();
    case 'question':
      return begin(4, code.question, extension)
        .number(message.actor)
        .number(message.id)
        .number(message.deadlineMs)
        .value(message.body)
        .take();
    case 'stop':
    case 'watch':
    case 'unwatch':
      return begin(1, code[message.kind]).number(message.actor).take();
    case 'down':
      return begin(3, code.down).number(message.actor).text(message.reason).text(shorten(message.detail)).take();
    case 'names':
      return begin(2, code.names).value(message.all).value(message.names).take();
    case 'unname':
      return begin(1, code.unname).text(message.name).take();
    case 'who':
      return begin(0, code.who).take();
  }
};

/**
 * What they give holds until the next one (see `Packer.take`): for an outbox, which copies it, or through `kept`.
 * Throws on what cannot be carried (functions, bigint, cycles): a mistake of the caller.
 */
export const encode = {
  tell: (endpoint: string, body: unknown, extension?: PackExtension): Uint8Array =>
    begin(2, code.tell, extension).text(endpoint).value(body).take(),
  ask: (id: number, endpoint: string, body: unknown, extension?: PackExtension): Uint8Array =>
    begin(3, code.ask, extension).number(id).text(endpoint).value(body).take(),
  answer: (id: number, value: unknown, extension?: PackExtension): Uint8Array =>
    begin(2, code.answer, extension).number(id).value(value).take(),
  failure: (id: number, detail: string, why?: string): Uint8Array => {
    const failure = begin(why === undefined ? 2 : 3, code.failure)
      .number(id)
      .text(shorten(detail));
    return (why === undefined ? failure : failure.text(why)).take();
  },
  beat: (): Uint8Array => begin(0, code.beat).take(),
  peers: (peers: readonly NodeInfo[]): Uint8Array => begin(1, code.peers).value(peers).take(),
  bye: (reason: string): Uint8Array => begin(1, code.bye).text(shorten(reason)).take(),
  actor: encodeActorMessage,
};

export const kept = (bytes: Uint8Array): Uint8Array => Buffer.from(bytes);

const readDown = (from: Unpacker): LinkMessage => {
  const actor = from.count();
  const reason = from.text(10);
  if (reason !== 'stopped' && reason !== 'failed' && reason !== 'lost') throw new Unreadable('no known end');
  return { kind: 'down', actor, reason, detail: from.text(maxDetailChars) };
};

const readNames = (from: Unpacker): LinkMessage => {
  const all = from.value() === true;
  const length = from.array();
  if (length > nameLimits.perNode) throw new Unreadable(`${length} names at once`);
  const names: (readonly [string, number])[] = [];
  for (let i = 0; i < length; i += 1) {
    if (from.array() !== 2) throw new Unreadable('expected a name and its actor');
    names.push([from.text(nameLimits.chars), from.count()]);
  }
  return { kind: 'names', all, names };
};

const readPeers = (from: Unpacker): LinkMessage => {
  const peers = nodeInfoSchema.array().max(maxPeers).safeParse(from.value());
  if (!peers.success) throw new Unreadable('expected peers');
  return { kind: 'peers', peers: peers.data };
};

/** Reads the message whose array has `fields` values behind its kind; those it leaves are skipped by the caller. */
const readFields = (from: Unpacker, kind: number, fields: number): { message: LinkMessage; read: number } => {
  switch (kind) {
    case code.send:
      return { message: { kind: 'send', actor: from.count(), body: from.value() }, read: 2 };
    case code.tell:
      return { message: { kind: 'tell', endpoint: from.text(maxEndpointChars), body: from.value() }, read: 2 };
    case code.question: {
      const [actor, id, deadlineMs] = [from.count(), from.count(), from.count()];
      from.noted = undefined;
      const body = from.value();
      return { message: { kind: 'question', actor, id, deadlineMs, body, noted: from.noted }, read: 4 };
    }
    case code.ask: {
      const id = from.count();
      return { message: { kind: 'ask', id, endpoint: from.text(maxEndpointChars), body: from.value() }, read: 3 };
    }
    case code.answer:
      return { message: { kind: 'answer', id: from.count(), value: from.value() }, read: 2 };
    case code.failure: {
      const [id, detail] = [from.count(), from.text(maxDetailChars)];
      return {
        message: { kind: 'failure', id, detail, code: fields > 2 ? from.text(20) : undefined },
        read: Math.min(fields, 3),
      };
    }
    case code.beat:
      return { message: { kind: 'beat' }, read: 0 };
    case code.peers:
      return { message: readPeers(from), read: 1 };
    case code.bye:
      return { message: { kind: 'bye', reason: from.text(maxDetailChars) }, read: 1 };
    case code.stop:
      return { message: { kind: 'stop', actor: from.count() }, read: 1 };
    case code.watch:
      return { message: { kind: 'watch', actor: from.count() }, read: 1 };
    case code.unwatch:
      return { message: { kind: 'unwatch', actor: from.count() }, read: 1 };
    case code.down:
      return { message: readDown(from), read: 3 };
    case code.names:
      return { message: readNames(from), read: 2 };
    case code.unname:
      return { message: { kind: 'unname', name: from.text(nameLimits.chars) }, read: 1 };
    case code.who:
      return { message: { kind: 'who' }, read: 0 };
    default:
      throw new Unreadable('a message of no known kind');
  }
};

const readMessage = (from: Unpacker): LinkMessage => {
  const length = from.array();
  if (length < 1) throw new Unreadable('an empty message');
  const { message, read } = readFields(from, from.count(), length - 1);
  if (read > length - 1) throw new Unreadable('a message that ends early');
  for (let skip = read; skip < length - 1; skip += 1) from.value();
  return message;
};

export type Decoded = { ok: true; messages: readonly LinkMessage[] } | { ok: false; detail: string };

/** Byte strings in the messages are views of the frame. */
export const decodeFrame = (frame: Uint8Array, extension?: UnpackExtension): Decoded => {
  const messages: LinkMessage[] = [];
  try {
    unpacker.begin(frame, extension);
    while (!unpacker.isAtEnd) messages.push(readMessage(unpacker));
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, detail: error.message };
    throw error;
  }
  return messages.length > 0 ? { ok: true, messages } : { ok: false, detail: 'an empty frame' };
};
