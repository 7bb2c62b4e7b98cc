/**
 * Walks over msgpack from a peer that may be broken or hostile, before the library reads it: whether it is whole, how deep, and how many values.
 * The library reserves as much as a length announces; after this walk no length announces more than there are bytes. Pure.
 */
export class Unreadable extends Error {
  readonly code = 'UNREADABLE';
}

export const packingLimits = {
  /** Deeper is a cycle or an attack on the stack of whoever looks at it. */
  depth: 100,
  /** Numbers, strings, objects, … so that few bytes cannot become a heap of objects. */
  values: 1_000_000,
} as const;

/** Behind a first byte: `bytes` of its own, or a length of `wide` bytes of so many bytes (and `bytes` more), items or pairs. */
type Form = { readonly wide: number; readonly bytes: number; readonly of: 'bytes' | 'items' | 'pairs' };

const own = (bytes: number): Form => ({ wide: 0, bytes, of: 'bytes' });
const lengths = (of: Form['of'], wides: readonly number[], bytes = 0): Form[] =>
  wides.map((wide) => ({ wide, bytes, of }));

/** Of 0xc0 to 0xdf, in order: nil and booleans, bytes, extensions, numbers, short extensions, texts, lists, fields. */
const forms: readonly (Form | undefined)[] = [
  ...[own(0), undefined, own(0), own(0)],
  ...lengths('bytes', [1, 2, 4]),
  ...lengths('bytes', [1, 2, 4], 1),
  ...[4, 8, 1, 2, 4, 8, 1, 2, 4, 8].map(own),
  ...[2, 3, 5, 9, 17].map(own),
  ...lengths('bytes', [1, 2, 4]),
  ...lengths('items', [2, 4]),
  ...lengths('pairs', [2, 4]),
];

const short = (): Unreadable => new Unreadable('shorter than it says');

/** Throws `Unreadable` unless these bytes are values within the limits, one behind the other. */
export const checkFrame = (frame: Uint8Array): void => {
  const end = frame.byteLength;
  /** Of what is open: how many values are still to come in each, and in all. */
  const open: number[] = [];
  let left = 0;
  let promised = 0;
  let values = 0;
  for (let at = 0; at < end;) {
    const first = frame[at] ?? 0;
    at += 1;
    if ((values += 1) > packingLimits.values) throw new Unreadable(`more than ${packingLimits.values} values`);
    let items = 0;
    if (first < 0x80 || first >= 0xe0) items = 0;
    else if (first < 0x90) items = 2 * (first & 0x0f);
    else if (first < 0xa0) items = first & 0x0f;
    else if (first < 0xc0) at += first & 0x1f;
    else {
      const form = forms[first - 0xc0];
      if (!form) throw new Unreadable(`no value begins with ${first.toString(16)}`);
      let length = 0;
      for (let i = 0; i < form.wide; i += 1) length = length * 256 + (frame[at + i] ?? 0);
      at += form.wide + form.bytes;
      if (form.of === 'bytes') at += length;
      else items = form.of === 'pairs' ? 2 * length : length;
    }
    promised += items - (left > 0 ? 1 : 0);
    if (at > end || promised > end - at) throw short();
    if (left > 0) left -= 1;
    if (items > 0) {
      if (open.length >= packingLimits.depth) throw new Unreadable(`more than ${packingLimits.depth} deep`);
      open.push(left);
      left = items;
    } else while (left === 0 && open.length > 0) left = open.pop() ?? 0;
  }
  if (promised > 0) throw short();
};
