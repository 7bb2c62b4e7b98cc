/**
 * What is told between nodes, as msgpack: plain objects, arrays, strings, numbers, booleans, null and bytes. Anything else is an extension's or a
 * mistake of the caller, and throws. A key with the value undefined is left out, as JSON does. One message at a time: nothing is packed or read while
 * another is.
 */
import { DecodeError, Decoder, Encoder, ExtData } from '@msgpack/msgpack';
import { checkFrame, packingLimits, Unreadable } from './frame-check.ts';

export type Extension = { readonly type: number; readonly fields: readonly (string | number)[] };
/** How what msgpack has no form for is written: undefined when it is nothing that can be. */
export type PackExtension = (value: object) => Extension | undefined;

/** Of one message: what an extension leaves for who reads the message. */
export type Notes = { noted: unknown };
/** Reads the fields of an extension; throws `Unreadable` on what it does not know. */
export type UnpackExtension = (type: number, fields: readonly unknown[], notes: Notes) => unknown;

const firstBytes = 64 * 1024;
/** What one large message made of the buffer is given back. */
const keptBytes = 1024 * 1024;
/** Larger messages are handed over with memory of their own; smaller ones the outbox copies. */
export const viewBytes = 16 * 1024;
const maxExtensionBytes = 255;

let packExtension: PackExtension | undefined;
let unpackExtension: UnpackExtension | undefined;
let notes: Notes = { noted: undefined };

const fieldsEncoder = new Encoder();
const fieldsDecoder = new Decoder();

const nameOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? value.constructor.name : typeof value;

/** Null: the library has a form for it. */
const tryToEncode = (value: unknown): ExtData | null => {
  if (Array.isArray(value) || value instanceof Uint8Array) return null;
  if (typeof value === 'function' || (typeof value === 'object' && value !== null)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      if (Object.hasOwn(value, '__proto__')) throw new Error('a key __proto__ cannot be told');
      return null;
    }
    const extension = packExtension?.(value);
    if (extension) return new ExtData(extension.type, fieldsEncoder.encode(extension.fields));
  }
  throw new Error(`a ${nameOf(value)} cannot be told`);
};

const decodeExtension = (data: Uint8Array, type: number): unknown => {
  if (!unpackExtension) throw new Unreadable(`an extension of type ${type}`);
  checkFrame(data);
  const fields = fieldsDecoder.decode(data);
  if (!Array.isArray(fields)) throw new Unreadable(`an extension of type ${type} without fields`);
  return unpackExtension(type, fields, notes);
};

const extensionCodec = { tryToEncode, decode: decodeExtension };
const createEncoder = (): Encoder =>
  new Encoder({
    extensionCodec,
    ignoreUndefined: true,
    initialBufferSize: firstBytes,
    maxDepth: packingLimits.depth,
  });
let encoder = createEncoder();
const decoder = new Decoder({
  extensionCodec,
  maxExtLength: maxExtensionBytes,
  mapKeyConverter: (key) => {
    if (typeof key !== 'string') throw new Unreadable('a key that is no text');
    return key;
  },
});

/** Up to `viewBytes` a view that holds until the next call, else memory of its own. Throws on what cannot be carried. */
export const pack = (value: unknown, extension?: PackExtension): Uint8Array => {
  packExtension = extension;
  const bytes = encoder.encodeSharedRef(value);
  if (bytes.byteLength <= viewBytes) return bytes;
  // What no peer would read is not for the link to find out.
  checkFrame(bytes);
  if (bytes.buffer.byteLength > keptBytes) encoder = createEncoder();
  else return new Uint8Array(bytes);
  return bytes;
};

/** Gives `take` one value after the other. Bytes in them are views of the frame. Throws `Unreadable`. */
export const unpack = (
  frame: Uint8Array,
  take: (value: unknown, noted: unknown) => void,
  extension?: UnpackExtension,
): void => {
  checkFrame(frame);
  unpackExtension = extension;
  notes = { noted: undefined };
  try {
    for (const value of decoder.decodeMulti(new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength))) {
      take(value, notes.noted);
      if (notes.noted !== undefined) notes = { noted: undefined };
    }
  } catch (error) {
    if (error instanceof DecodeError || error instanceof RangeError)
      throw new Unreadable(error.message, { cause: error });
    throw error;
  }
};
