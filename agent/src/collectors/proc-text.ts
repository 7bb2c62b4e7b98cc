/**
 * Walks over the bytes of a /proc file: lines, words, numbers, without making a string of anything but names, and those only once.
 * Reading past the end of a line or of the text gives NaN and empty words, never an error: what is missing is for the parser to judge.
 */
const newline = 10;
const space = 32;
const tab = 9;
const maxNames = 4096;

export class ProcText {
  bytes: Buffer;
  end = 0;
  at = 0;
  #lineEnd = 0;
  readonly #names = new Map<number, { bytes: Buffer; name: string }>();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  static of(text: string | Uint8Array): ProcText {
    const bytes = Buffer.from(text as string);
    const made = new ProcText(bytes);
    made.reset(bytes.length);
    return made;
  }

  /** Begins at the first line of `length` bytes. */
  reset(length: number): void {
    this.end = length;
    this.at = 0;
    this.#lineEnd = this.#findLineEnd();
  }

  #findLineEnd(): number {
    const found = this.bytes.indexOf(newline, this.at);
    return found < 0 || found > this.end ? this.end : found;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** Where the current line ends. */
  get lineEnd(): number {
    return this.#lineEnd;
  }

  nextLine(): void {
    this.at = Math.min(this.end, this.#lineEnd + 1);
    this.#lineEnd = this.#findLineEnd();
  }

  skipSpaces(): void {
    while (this.at < this.#lineEnd) {
      const byte = this.bytes[this.at];
      if (byte !== space && byte !== tab) return;
      this.at += 1;
    }
  }

  /** The next number of this line if it begins here (after spaces); NaN otherwise. Fractions are read, signs and exponents are not. */
  number(): number {
    this.skipSpaces();
    const { bytes } = this;
    let { at } = this;
    const from = at;
    let value = 0;
    let byte = at < this.#lineEnd ? (bytes[at] as number) : 0;
    while (byte >= 48 && byte <= 57) {
      value = value * 10 + (byte - 48);
      at += 1;
      byte = at < this.#lineEnd ? (bytes[at] as number) : 0;
    }
    if (at === from) return Number.NaN;
    if (byte === 46) {
      let digits = 0;
      let scale = 1;
      at += 1;
      byte = at < this.#lineEnd ? (bytes[at] as number) : 0;
      while (byte >= 48 && byte <= 57) {
        digits = digits * 10 + (byte - 48);
        scale *= 10;
        at += 1;
        byte = at < this.#lineEnd ? (bytes[at] as number) : 0;
      }
      value += digits / scale;
    }
    this.at = at;
    return value;
  }

  /** The bytes up to the next space or end of line, as a name; empty at the end of the line. */
  word(): string {
    this.skipSpaces();
    const from = this.at;
    while (this.at < this.#lineEnd && this.bytes[this.at] !== space && this.bytes[this.at] !== tab) this.at += 1;
    return this.nameOf(from, this.at);
  }

  /** The bytes up to `byte` (which is passed over), or empty, without moving, when this line has no such byte. */
  wordUntil(byte: number): string {
    this.skipSpaces();
    const found = this.bytes.indexOf(byte, this.at);
    if (found < 0 || found >= this.#lineEnd) return '';
    const name = this.nameOf(this.at, found);
    this.at = found + 1;
    return name;
  }

  /** True, and passed over, when these ASCII letters come next (after spaces). */
  take(expected: string): boolean {
    this.skipSpaces();
    if (this.at + expected.length > this.#lineEnd) return false;
    for (let i = 0; i < expected.length; i += 1) if (this.bytes[this.at + i] !== expected.charCodeAt(i)) return false;
    this.at += expected.length;
    return true;
  }

  /** The name that stands in these bytes. The same bytes give the same string again without making it anew. */
  nameOf(from: number, to: number): string {
    if (to <= from) return '';
    let hash = to - from;
    for (let i = from; i < to; i += 1) hash = (Math.imul(hash, 31) + (this.bytes[i] as number)) | 0;
    const known = this.#names.get(hash);
    if (known?.bytes.length === to - from && this.bytes.compare(known.bytes, 0, known.bytes.length, from, to) === 0)
      return known.name;
    const bytes = Buffer.from(this.bytes.subarray(from, to));
    const name = bytes.toString('utf8');
    if (this.#names.size >= maxNames) this.#names.clear();
    this.#names.set(hash, { bytes, name });
    return name;
  }
}
