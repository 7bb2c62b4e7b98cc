import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeFrame, encode, kept } from './messages.ts';

test('several messages one behind the other are one frame', () => {
  const frame = Buffer.concat([
    kept(encode.tell('a', { x: 1 })),
    kept(encode.ask(7, 'b', [1, 'two', null])),
    kept(encode.beat()),
  ]);
  assert.deepEqual(decodeFrame(frame), {
    ok: true,
    messages: [
      { kind: 'tell', endpoint: 'a', body: { x: 1 } },
      { kind: 'ask', id: 7, endpoint: 'b', body: [1, 'two', null] },
      { kind: 'beat' },
    ],
  });
});

test('a key without a value is left out, and bytes arrive as bytes', () => {
  const decoded = decodeFrame(encode.answer(1, { gone: undefined, bytes: new Uint8Array([1, 2]) }));
  assert.ok(decoded.ok);
  assert.deepEqual(decoded.messages, [{ kind: 'answer', id: 1, value: { bytes: new Uint8Array([1, 2]) } }]);
});

test('what no node sends is said to be so', () => {
  const hostile: readonly Uint8Array[] = [
    new Uint8Array(0),
    new Uint8Array([0xc1]),
    new Uint8Array([0x93, 0]),
    new Uint8Array([0x91, 99]),
    new Uint8Array([0x92, 0, 7]),
    new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]),
    Buffer.concat([kept(encode.beat()), new Uint8Array([0x01])]),
    kept(encode.peers([{ id: '', name: 'x', role: 'ingest', incarnation: 1, address: 'a:1' }])),
    Buffer.from([0x93, 0, 0xa1, 0x61, 0x81, 0xa9, ...Buffer.from('__proto__'), 0x80]),
  ];
  for (const frame of hostile) assert.equal(decodeFrame(frame).ok, false, Buffer.from(frame).toString('hex'));
});

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(typeof decodeFrame(bytes).ok, 'boolean');
    }),
    { numRuns: 2000 },
  );
});
