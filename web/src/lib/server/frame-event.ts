/**
 * A live frame as the very bytes that go over a browser's WebSocket: socket.io's event `frame` with one binary part, which are two WebSocket
 * frames, one behind the other in one buffer. Made once for all tabs; what a tab costs then is one write of the same bytes, and the page
 * still speaks plain socket.io.
 */

/** socket.io's text of the event, behind engine.io's `4` for a message: the binary part follows in a frame of its own. */
const announcement = '451-["frame",{"_placeholder":true,"num":0}]';
const opcodes = { text: 0x1, binary: 0x2 } as const;
const final = 0x80;
/** Lengths that do not fit one byte are announced by these. */
const wide = { twoBytes: 126, eightBytes: 127 } as const;

const headerOf = (opcode: number, length: number): Buffer => {
  if (length < wide.twoBytes) return Buffer.from([final | opcode, length]);
  const header = Buffer.alloc(length <= 0xffff ? 4 : 10);
  header[0] = final | opcode;
  header[1] = length <= 0xffff ? wide.twoBytes : wide.eightBytes;
  if (length <= 0xffff) header.writeUInt16BE(length, 2);
  else header.writeBigUInt64BE(BigInt(length), 2);
  return header;
};

const begin = Buffer.concat([headerOf(opcodes.text, announcement.length), Buffer.from(announcement, 'latin1')]);

/** Lasts as long as the payload, which is the same object for all tabs of a node and must not change. */
const made = new WeakMap<Uint8Array, Buffer>();

export const frameEvent = (payload: Uint8Array): Buffer => {
  const known = made.get(payload);
  if (known) return known;
  const bytes = Buffer.concat([begin, headerOf(opcodes.binary, payload.length), payload]);
  made.set(payload, bytes);
  return bytes;
};
