/**
 * Reads msgpack as `packer.ts` (and the library) writes it, from a peer that may be broken or hostile: every read is within the bytes, a length
 * is believed only as far as there are bytes for it, depth and number of values have limits, keys are text and never `__proto__`. Anything
 * else throws `Unreadable`. Bytes are views of what is read.
 */
import { packingLimits } from './packer.ts';

export class Unreadable extends Error {
  readonly code = 'UNREADABLE';
}

/** Reads the values of an extension, all of them; throws `Unreadable` on a type it does not know. */
export type UnpackExtension = (type: number, unpacker: Unpacker) => unknown;

const shortBytes = 24;
/** Keys and names come again and again: kept by a hash, a new one in place of an old one. */
const keptTexts = 512;

type Kept = { readonly bytes: Uint8Array; readonly text: string };

export class Unpacker {
  #bytes: Buffer = Buffer.alloc(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #end = 0;
  #values = 0;
  #extension: UnpackExtension | undefined;
  /** What an extension leaves for who reads the message. */
  noted: unknown;
  readonly #kept: (Kept | undefined)[] = new Array<Kept | undefined>(keptTexts).fill(undefined);

  begin(bytes: Uint8Array, extension?: UnpackExtension): this {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = bytes.byteLength;
    this.#values = 0;
    this.#extension = extension;
    return this;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The length of an array that begins here. */
  array(): number {
    const code = this.#byte();
    if (code >= 0x90 && code <= 0x9f) return this.#believed(code & 0x0f, 1);
    if (code === 0xdc) return this.#believed(this.#uint16(), 1);
    if (code === 0xdd) return this.#believed(this.#uint32(), 1);
    throw new Unreadable('expected an array');
  }

  /** A whole number from 0 to 2^53. */
  count(): number {
    const value = this.value();
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw new Unreadable('expected a whole number of at least 0');
    return value;
  }

  text(maxBytes: number): string {
    const value = this.value();
    if (typeof value !== 'string' || value.length > maxBytes)
      throw new Unreadable(`expected a text of at most ${maxBytes} bytes`);
    return value;
  }

  value(depth = 0): unknown {
    if ((this.#values += 1) > packingLimits.values) throw new Unreadable(`more than ${packingLimits.values} values`);
    const code = this.#byte();
    if (code < 0x80) return code;
    if (code >= 0xe0) return code - 0x100;
    if (code < 0x90) return this.#fields(code & 0x0f, depth);
    if (code < 0xa0) return this.#list(code & 0x0f, depth);
    if (code < 0xc0) return this.#text(code & 0x1f);
    return this.#coded(code, depth);
  }

  #coded(code: number, depth: number): unknown {
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#slice(this.#byte());
      case 0xc5:
        return this.#slice(this.#uint16());
      case 0xc6:
        return this.#slice(this.#uint32());
      case 0xca:
        return this.#view.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
        return this.#byte();
      case 0xcd:
        return this.#uint16();
      case 0xce:
        return this.#uint32();
      case 0xcf:
        return Number(this.#view.getBigUint64(this.#skip(8)));
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd3:
        return Number(this.#view.getBigInt64(this.#skip(8)));
      case 0xd9:
        return this.#text(this.#byte());
      case 0xda:
        return this.#text(this.#uint16());
      case 0xdb:
        return this.#text(this.#uint32());
      case 0xdc:
        return this.#list(this.#uint16(), depth);
      case 0xdd:
        return this.#list(this.#uint32(), depth);
      case 0xde:
        return this.#fields(this.#uint16(), depth);
      case 0xdf:
        return this.#fields(this.#uint32(), depth);
      case 0xc7:
        return this.#extended(this.#byte());
      default:
        throw new Unreadable(`no value begins with ${code.toString(16)}`);
    }
  }

  #list(length: number, depth: number): unknown[] {
    this.#believed(length, 1);
    if (depth >= packingLimits.depth) throw new Unreadable(`more than ${packingLimits.depth} deep`);
    const list: unknown[] = [];
    for (let i = 0; i < length; i += 1) list.push(this.value(depth + 1));
    return list;
  }

  #fields(length: number, depth: number): Record<string, unknown> {
    this.#believed(length, 2);
    if (depth >= packingLimits.depth) throw new Unreadable(`more than ${packingLimits.depth} deep`);
    const fields: Record<string, unknown> = {};
    for (let i = 0; i < length; i += 1) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') throw new Unreadable('a key that is no text');
      if (key === '__proto__') throw new Unreadable('a key __proto__');
      fields[key] = this.value(depth + 1);
    }
    return fields;
  }

  #extended(length: number): unknown {
    const type = this.#byte();
    const end = this.#at + this.#believed(length, 1);
    if (!this.#extension) throw new Unreadable(`an extension of type ${type}`);
    const value = this.#extension(type, this);
    if (this.#at !== end) throw new Unreadable(`an extension of type ${type} of another length`);
    return value;
  }

  #text(length: number): string {
    const start = this.#skip(length);
    if (length > shortBytes) return this.#bytes.toString('utf8', start, start + length);
    if (length === 0) return '';
    const bytes = this.#bytes;
    let hash = length;
    for (let i = start; i < start + length; i += 1) hash = (hash * 31 + (bytes[i] ?? 0)) | 0;
    const slot = (hash ^ (hash >>> 9)) & (keptTexts - 1);
    const kept = this.#kept[slot];
    if (kept?.bytes.byteLength === length) {
      let i = 0;
      while (i < length && kept.bytes[i] === bytes[start + i]) i += 1;
      if (i === length) return kept.text;
    }
    const text = bytes.toString('utf8', start, start + length);
    this.#kept[slot] = { bytes: new Uint8Array(bytes.subarray(start, start + length)), text };
    return text;
  }

  #slice(length: number): Uint8Array {
    const start = this.#skip(length);
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
  }

  /** Of so many things that take at least `each` bytes. */
  #believed(length: number, each: number): number {
    if (length * each > this.#end - this.#at) throw new Unreadable('shorter than it says');
    return length;
  }

  #skip(bytes: number): number {
    const start = this.#at;
    if (bytes > this.#end - start) throw new Unreadable('shorter than it says');
    this.#at = start + bytes;
    return start;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined || this.#at >= this.#end) throw new Unreadable('shorter than it says');
    this.#at += 1;
    return byte;
  }

  #uint16(): number {
    return this.#view.getUint16(this.#skip(2));
  }

  #uint32(): number {
    return this.#view.getUint32(this.#skip(4));
  }
}
