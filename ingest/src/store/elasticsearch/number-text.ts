/**
 * Writes numbers as decimal text straight into bytes. A bulk is mostly numbers, and making a string of each and joining them took
 * three times the CPU (and eight times the memory while the server is away). Exact: a whole number up to 2^53 is written in full, a
 * `float` with nine significant digits, which tell any two four-byte floats apart. `maxNumberBytes` is the room one takes at most.
 */
export const maxNumberBytes = 26;

const powers = Array.from({ length: 13 }, (_, exponent) => 10 ** exponent);
const pairs = new Uint8Array(200);
for (let i = 0; i < 100; i += 1) {
  pairs[i * 2] = 48 + Math.floor(i / 10);
  pairs[i * 2 + 1] = 48 + (i % 10);
}

const digitsOf = (n: number): number => {
  if (n < 100_000) return n < 100 ? (n < 10 ? 1 : 2) : n < 1000 ? 3 : n < 10_000 ? 4 : 5;
  if (n < 10_000_000) return n < 1_000_000 ? 6 : 7;
  return n < 100_000_000 ? 8 : n < 1_000_000_000 ? 9 : 10;
};

/** A whole number below 2^32. */
const writeSmall = (into: Uint8Array, at: number, value: number): number => {
  const end = at + digitsOf(value);
  let n = value;
  let place = end;
  while (n >= 100) {
    const rest = (n / 100) >>> 0;
    const pair = (n - rest * 100) * 2;
    n = rest;
    into[(place -= 1)] = pairs[pair + 1] as number;
    into[(place -= 1)] = pairs[pair] as number;
  }
  if (n >= 10) {
    into[place - 1] = pairs[n * 2 + 1] as number;
    into[place - 2] = pairs[n * 2] as number;
  } else into[place - 1] = 48 + n;
  return end;
};

/** Exactly `digits` digits of a whole number below 2^31, with leading zeros. */
const writePadded = (into: Uint8Array, at: number, value: number, digits: number): number => {
  let n = value | 0;
  let place = at + digits;
  while (place - at >= 2) {
    const rest = (n / 100) | 0;
    const pair = (n - rest * 100) * 2;
    n = rest;
    into[(place -= 1)] = pairs[pair + 1] as number;
    into[(place -= 1)] = pairs[pair] as number;
  }
  if (place > at) into[at] = 48 + n;
  return at + digits;
};

const writeText = (into: Uint8Array, at: number, text: string): number => {
  for (let i = 0; i < text.length; i += 1) into[at + i] = text.charCodeAt(i);
  return at + text.length;
};

/** Writes a safe integer; returns where it ends. */
export const writeWhole = (into: Uint8Array, from: number, value: number): number => {
  let at = from;
  let n = value;
  if (n < 0) {
    into[at] = 45;
    at += 1;
    n = -n;
  }
  if (n < 0xffff_ffff) return writeSmall(into, at, n);
  const high = Math.floor(n / 1e9);
  return writePadded(into, writeSmall(into, at, high), n - high * 1e9, 9);
};

/** A number of hundredths below 2^31, without zeros at the end. */
const writeHundredths = (into: Uint8Array, from: number, value: number): number => {
  const hundredths = value | 0;
  const whole = (hundredths / 100) | 0;
  const pair = (hundredths - whole * 100) * 2;
  const at = writeSmall(into, from, whole);
  if (pair === 0) return at;
  into[at] = 46;
  into[at + 1] = pairs[pair] as number;
  const last = pairs[pair + 1] as number;
  if (last === 48) return at + 2;
  into[at + 2] = last;
  return at + 3;
};

/** Writes a finite number so that reading it back as a four-byte float gives the same float; returns where it ends. */
export const writeFloat = (into: Uint8Array, from: number, value: number): number => {
  let at = from;
  let n = value;
  if (n < 0) {
    into[at] = 45;
    at += 1;
    n = -n;
  }
  if (n === 0) {
    into[at] = 48;
    return at + 1;
  }
  if (n >= 1e9 || n < 1e-3) return writeText(into, at, String(Math.fround(n)));
  const kept = Math.fround(n);
  // Most of what is measured has two decimals or none, and is written without finding out its nine digits, which takes longer.
  const hundredths = Math.round(n * 100);
  if (hundredths < 0x7fff_ffff && Math.fround(hundredths / 100) === kept) return writeHundredths(into, at, hundredths);
  let decimals = n >= 1 ? 9 - digitsOf(n) : n >= 0.1 ? 9 : n >= 0.01 ? 10 : 11;
  const power = powers[decimals] as number;
  let scaled = Math.round(n * power);
  // Nine digits of a double may lie nearer to the float beside its own; nine digits of the float never do.
  if (Math.fround(scaled / power) !== kept) scaled = Math.round(kept * power);
  const whole = Math.floor(scaled / power);
  // Nine digits: whole numbers of 31 bits from here on, which are divided several times as fast as others.
  let fraction = (scaled - whole * power) | 0;
  at = writeSmall(into, at, whole);
  if (fraction === 0) return at;
  into[at] = 46;
  for (;;) {
    const rest = (fraction / 10) | 0;
    if (rest * 10 !== fraction) break;
    fraction = rest;
    decimals -= 1;
  }
  return writePadded(into, at + 1, fraction, decimals);
};
