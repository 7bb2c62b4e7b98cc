/** A running fingerprint of what happened, in order: two runs of one seed must end with the same. Cheap, not cryptographic. */
export type TraceHash = { add(value: number): void; addText(text: string): void; digest(): string };

export const traceHash = (): TraceHash => {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  const add = (value: number): void => {
    const whole = Math.trunc(value);
    low = Math.imul(low ^ (whole & 0xffff_ffff), 0x01000193);
    high = Math.imul(high ^ (low >>> 13) ^ Math.trunc((value - whole) * 2 ** 31), 0x85ebca6b);
  };
  return {
    add,
    addText: (text) => {
      for (let at = 0; at < text.length; at += 1) add(text.charCodeAt(at));
    },
    digest: () => (low >>> 0).toString(16).padStart(8, '0') + (high >>> 0).toString(16).padStart(8, '0'),
  };
};
