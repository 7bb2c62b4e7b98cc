/**
 * Writes msgpack. What is told between nodes: plain objects, arrays, strings, numbers, booleans, null and bytes; anything else goes to the
 * extension or is a mistake of the caller and throws. A key with the value undefined is left out, as JSON does. The bytes are collected in one
 * buffer that is used again, because memory of its own for every message costs ten times what writing it does.
 *
 * By hand, because it is in the way of every message: it takes a fifth to a half of the library's time, and the library
 * reads it (`packing.test.ts`).
 */
export const packingLimits = {
  /** Deeper is a cycle or an attack on the stack. */
  depth: 100,
  /** Numbers, strings, objects, … of one message, so that few bytes cannot become a heap of objects. */
  values: 1_000_000,
} as const;

/** How what msgpack has no form for is written: false when it is nothing that can be. */
export type PackExtension = (value: object, packer: Packer) => boolean;

const firstBytes = 64 * 1024;
/** What one large message made of the buffer is given back. */
const keptBytes = 1024 * 1024;
/** Larger messages are handed over with memory of their own; smaller ones the outbox copies. */
export const viewBytes = 16 * 1024;
/** Up to here a loop over the characters is faster than a call out of JavaScript. */
const shortChars = 32;

export class Packer {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #values = 0;
  #extension: PackExtension | undefined;

  /** Begins a message. */
  begin(extension?: PackExtension): this {
    this.#at = 0;
    this.#values = 0;
    this.#extension = extension;
    return this;
  }

  /** What was written: up to `viewBytes` a view that holds until the next `begin`, else a copy. */
  take(): Uint8Array {
    if (this.#at <= viewBytes) return this.#bytes.subarray(0, this.#at);
    const taken = Buffer.allocUnsafeSlow(this.#at);
    this.#bytes.copy(taken, 0, 0, this.#at);
    if (this.#bytes.byteLength > keptBytes) this.#resize(firstBytes, 0);
    return taken;
  }

  array(length: number): this {
    this.#header(length, 0x90, 15, 0xdc);
    return this;
  }

  number(value: number): this {
    const at = this.#room(9);
    if (value >= 0 && value < 128 && Number.isInteger(value) && !Object.is(value, -0)) {
      this.#bytes[at] = value;
      this.#at = at + 1;
    } else if (!Number.isInteger(value) || Math.abs(value) > 0x7fff_ffff || Object.is(value, -0)) {
      this.#bytes[at] = 0xcb;
      this.#view.setFloat64(at + 1, value);
      this.#at = at + 9;
    } else this.#integer(value, at);
    return this;
  }

  /** Of 32 bits. */
  #integer(value: number, at: number): void {
    if (value >= -32 && value < 0) {
      this.#bytes[at] = value & 0xff;
      this.#at = at + 1;
    } else if (value >= 0 && value < 256) {
      this.#bytes[at] = 0xcc;
      this.#bytes[at + 1] = value;
      this.#at = at + 2;
    } else if (value >= 0 && value < 65_536) {
      this.#bytes[at] = 0xcd;
      this.#view.setUint16(at + 1, value);
      this.#at = at + 3;
    } else {
      this.#bytes[at] = 0xd2;
      this.#view.setInt32(at + 1, value);
      this.#at = at + 5;
    }
  }

  text(value: string): this {
    if (value.length <= shortChars && this.#shortText(value)) return this;
    const length = Buffer.byteLength(value);
    if (length < 32) this.#byte(0xa0 | length);
    else if (length < 256) this.#byte(0xd9, length);
    else this.#wide(length, 0xda);
    const at = this.#room(length);
    this.#bytes.write(value, at, length);
    this.#at = at + length;
    return this;
  }

  /** False, and nothing written, when it is not plain ASCII. */
  #shortText(value: string): boolean {
    const { length } = value;
    const start = this.#room(length + 2);
    const bytes = this.#bytes;
    let at = start;
    if (length < 32) bytes[at++] = 0xa0 | length;
    else {
      bytes[at++] = 0xd9;
      bytes[at++] = length;
    }
    for (let i = 0; i < length; i += 1) {
      const code = value.charCodeAt(i);
      if (code > 127) return false;
      bytes[at++] = code;
    }
    this.#at = at;
    return true;
  }

  bytes(value: Uint8Array): this {
    const length = value.byteLength;
    if (length < 256) this.#byte(0xc4, length);
    else this.#wide(length, 0xc5);
    const at = this.#room(length);
    this.#bytes.set(value, at);
    this.#at = at + length;
    return this;
  }

  /** An extension of a type and what `write` writes, at most 255 bytes. */
  extension(type: number, write: () => void): void {
    const start = this.#room(3);
    this.#at = start + 3;
    write();
    const length = this.#at - start - 3;
    if (length > 255) throw new Error(`BUG: an extension of ${length} bytes`);
    this.#bytes[start] = 0xc7;
    this.#bytes[start + 1] = length;
    this.#bytes[start + 2] = type;
  }

  /** Throws on what cannot be carried; then `begin` anew. */
  value(value: unknown, depth = 0): this {
    if ((this.#values += 1) > packingLimits.values)
      throw new Error(`a message of more than ${packingLimits.values} values`);
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return this.number(value);
    if (value === undefined || value === null) this.#byte(0xc0);
    else if (typeof value === 'boolean') this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === 'object' || typeof value === 'function') this.#object(value, depth);
    else throw new Error(`a ${typeof value} cannot be told`);
    return this;
  }

  #object(value: object, depth: number): void {
    if (depth >= packingLimits.depth) throw new Error(`more than ${packingLimits.depth} deep: a cycle?`);
    if (Array.isArray(value)) {
      this.array(value.length);
      for (const one of value as unknown[]) this.value(one, depth + 1);
    } else if (ArrayBuffer.isView(value)) {
      this.bytes(
        value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength),
      );
    } else {
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) this.#fields(value as Record<string, unknown>, depth);
      else if (!this.#extension?.(value, this))
        throw new Error(`a ${typeof value === 'function' ? 'function' : value.constructor.name} cannot be told`);
    }
  }

  #fields(value: Record<string, unknown>, depth: number): void {
    const keys = Object.keys(value);
    let { length } = keys;
    for (const key of keys) if (value[key] === undefined) length -= 1;
    this.#header(length, 0x80, 15, 0xde);
    for (const key of keys) {
      const field = value[key];
      if (field === undefined) continue;
      if (key === '__proto__') throw new Error('a key __proto__ cannot be told');
      this.text(key);
      this.value(field, depth + 1);
    }
  }

  #header(length: number, short: number, most: number, wide: number): void {
    if (length <= most) this.#byte(short | length);
    else this.#wide(length, wide);
  }

  /** A length of 16 bits under this code, of 32 under the next. */
  #wide(length: number, code: number): void {
    const at = this.#room(5);
    if (length < 65_536) {
      this.#bytes[at] = code;
      this.#view.setUint16(at + 1, length);
      this.#at = at + 3;
    } else {
      this.#bytes[at] = code + 1;
      this.#view.setUint32(at + 1, length);
      this.#at = at + 5;
    }
  }

  #byte(first: number, second?: number): void {
    const at = this.#room(2);
    this.#bytes[at] = first;
    if (second !== undefined) this.#bytes[at + 1] = second;
    this.#at = at + (second === undefined ? 1 : 2);
  }

  /** Where to write, with room for so many bytes. */
  #room(bytes: number): number {
    const needed = this.#at + bytes;
    if (needed > this.#bytes.byteLength) this.#resize(Math.max(needed, 2 * this.#bytes.byteLength), this.#at);
    return this.#at;
  }

  #resize(bytes: number, kept: number): void {
    const wider = Buffer.allocUnsafeSlow(bytes);
    this.#bytes.copy(wider, 0, 0, kept);
    this.#bytes = wider;
    this.#view = new DataView(wider.buffer);
  }
}
