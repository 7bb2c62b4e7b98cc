/**
 * 64 bits over text, to notice that two documents differ; not against forgers (who may speak at all is decided by the mesh key). As two halves,
 * because a number holds no 64 bits.
 */
export type Hash64 = { readonly high: number; readonly low: number };

export const noHash: Hash64 = { high: 0x9e3779b9, low: 0x85ebca6b };

const settle = (value: number): number => {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
};

/** Of a text that comes after what was hashed before: the order counts. */
export const hashOn = (before: Hash64, text: string): Hash64 => {
  let { high, low } = before;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x5bd1e995) + high;
  }
  return { high: settle(high ^ text.length), low: settle(low ^ high) };
};

export const hashText = (text: string): Hash64 => hashOn(noHash, text);

/** Of a set: the order does not count. */
export const hashSum = (one: Hash64, other: Hash64): Hash64 => ({
  high: (one.high + other.high) >>> 0,
  low: (one.low + other.low) >>> 0,
});

export const hashHex = ({ high, low }: Hash64): string =>
  high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
