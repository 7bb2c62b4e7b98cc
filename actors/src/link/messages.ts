/**
 * What two linked nodes say, as msgpack arrays that begin with a number. A frame is one or more of them, one behind the other, so that what
 * is queued in one turn travels in one frame. A frame that is anything else ends the link: its sender is broken or no node of ours.
 */
import { Decoder, Encoder } from '@msgpack/msgpack';
import { nodeInfoSchema } from './node-info.ts';
import type { NodeInfo } from './node-info.ts';

export type LinkMessage =
  | { kind: 'tell'; endpoint: string; body: unknown }
  | { kind: 'ask'; id: number; endpoint: string; body: unknown }
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'failure'; id: number; detail: string }
  | { kind: 'beat' }
  | { kind: 'peers'; peers: readonly NodeInfo[] }
  | { kind: 'bye'; reason: string };

const code = { tell: 0, ask: 1, answer: 2, failure: 3, beat: 4, peers: 5, bye: 6 } as const;

// A key with the value undefined is left out, as JSON does; otherwise it would arrive as null.
const encoder = new Encoder({ ignoreUndefined: true });
/** A header of five bytes may announce an array of any length: these keep it from reserving more than it brings. */
const decoder = new Decoder({ maxArrayLength: 100_000, maxMapLength: 100_000 });
const maxPeers = 1000;
const maxDetailChars = 1000;

/** Throws on what msgpack cannot carry (functions, bigint, cycles): a mistake of the caller. */
export const encode = {
  tell: (endpoint: string, body: unknown): Uint8Array => encoder.encode([code.tell, endpoint, body]),
  ask: (id: number, endpoint: string, body: unknown): Uint8Array => encoder.encode([code.ask, id, endpoint, body]),
  answer: (id: number, value: unknown): Uint8Array => encoder.encode([code.answer, id, value]),
  failure: (id: number, detail: string): Uint8Array =>
    encoder.encode([code.failure, id, detail.slice(0, maxDetailChars)]),
  beat: (): Uint8Array => encoder.encode([code.beat]),
  peers: (peers: readonly NodeInfo[]): Uint8Array => encoder.encode([code.peers, peers]),
  bye: (reason: string): Uint8Array => encoder.encode([code.bye, reason.slice(0, maxDetailChars)]),
};

const isId = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value);

const toMessage = (value: unknown): LinkMessage | undefined => {
  if (!Array.isArray(value)) return undefined;
  const [kind, first, second, third] = value as readonly unknown[];
  switch (kind) {
    case code.tell:
      return typeof first === 'string' ? { kind: 'tell', endpoint: first, body: second } : undefined;
    case code.ask:
      return isId(first) && typeof second === 'string'
        ? { kind: 'ask', id: first, endpoint: second, body: third }
        : undefined;
    case code.answer:
      return isId(first) ? { kind: 'answer', id: first, value: second } : undefined;
    case code.failure:
      return isId(first) && typeof second === 'string' ? { kind: 'failure', id: first, detail: second } : undefined;
    case code.beat:
      return { kind: 'beat' };
    case code.peers: {
      const peers = nodeInfoSchema.array().max(maxPeers).safeParse(first);
      return peers.success ? { kind: 'peers', peers: peers.data } : undefined;
    }
    case code.bye:
      return typeof first === 'string' ? { kind: 'bye', reason: first.slice(0, maxDetailChars) } : undefined;
    default:
      return undefined;
  }
};

export type Decoded = { ok: true; messages: readonly LinkMessage[] } | { ok: false; detail: string };

/** Byte strings in the messages are views of the frame. */
export const decodeFrame = (frame: Uint8Array): Decoded => {
  const messages: LinkMessage[] = [];
  try {
    for (const value of decoder.decodeMulti(frame)) {
      const message = toMessage(value);
      if (!message) return { ok: false, detail: 'a message of no known kind' };
      messages.push(message);
    }
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : 'no msgpack' };
  }
  return messages.length > 0 ? { ok: true, messages } : { ok: false, detail: 'an empty frame' };
};
