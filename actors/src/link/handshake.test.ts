import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { decode, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { diallerHandshake, listenerHandshake } from './handshake.ts';
import type { Party, Step } from './handshake.ts';
import type { NodeInfo } from './node-info.ts';

const node = (id: string, more: Partial<NodeInfo> = {}): NodeInfo => ({
  ...{ id, name: id, role: 'ingest', incarnation: 1, address: '127.0.0.1:7072' },
  ...more,
});
const party = (id: string, more: Partial<Party> = {}): Party => ({
  self: node(id),
  key: 'one mesh key for all',
  nonce: randomBytes(32),
  decide: () => ({ ok: true }),
  ...more,
});

/** Runs both to their end; `tamper` may change each frame on its way. */
const run = (from: Party, to: Party, tamper: (frame: Uint8Array, at: number) => Uint8Array = (frame) => frame) => {
  const dialler = diallerHandshake(from);
  const listener = listenerHandshake(to);
  const last: { dialler?: Step; listener?: Step } = {};
  const frames: Uint8Array[] = [];
  let frame: Uint8Array | undefined = dialler.hello;
  for (let at = 0; frame; at += 1) {
    frames.push(frame);
    const side = at % 2 === 0 ? 'listener' : 'dialler';
    const step: Step = (side === 'listener' ? listener : dialler).take(tamper(frame, at));
    last[side] = step;
    frame = step.send;
  }
  return { ...last, frames };
};
const codeOf = (step: Step | undefined): string =>
  step?.state === 'refused' ? step.refused.code : (step?.state ?? 'none');

test('two nodes with one key are linked, each knowing the other', () => {
  const { dialler, listener, frames } = run(party('a'), party('b'));
  assert.deepEqual(dialler, { state: 'linked', peer: node('b'), version: 2 });
  assert.ok(listener?.state === 'linked');
  assert.deepEqual(listener.peer, node('a'));
  assert.ok(frames.reduce((sum, frame) => sum + frame.byteLength, 0) < 2048);
});

test('a node of the version before is spoken to in that version', () => {
  const { dialler, listener } = run(party('a', { versions: [1] }), party('b'));
  assert.ok(dialler?.state === 'linked' && listener?.state === 'linked');
  assert.deepEqual([dialler.version, listener.version], [1, 1]);
});

test('the key never crosses the wire', () => {
  const { frames } = run(party('a'), party('b'));
  for (const frame of frames) assert.equal(Buffer.from(frame).includes('one mesh key'), false);
});

test('a node with another key is refused by whoever meets it', () => {
  const { dialler, listener } = run(party('a', { key: 'quite another key' }), party('b'));
  assert.deepEqual([codeOf(dialler), codeOf(listener)], ['key', 'key']);
});

test('a listener that cannot prove the key gets no proof from us', () => {
  const { frames } = run(party('a'), party('b', { key: 'quite another key' }));
  assert.equal(frames.length, 3);
  const last = decode(frames[2] ?? new Uint8Array(0)) as { step: string };
  assert.equal(last.step, 'refused');
});

test('without a common version both are told which versions there are', () => {
  const { dialler, listener } = run(party('a', { versions: [7, 8] }), party('b'));
  assert.deepEqual([codeOf(dialler), codeOf(listener)], ['version', 'version']);
  assert.ok(dialler?.state === 'refused');
  assert.match(dialler.refused.detail, /we speak 1, 2, you speak 7, 8/);
});

test('the newest common version is spoken', () => {
  const { dialler } = run(party('a', { versions: [1, 2, 3] }), party('b', { versions: [2, 1] }));
  assert.ok(dialler?.state === 'linked' && dialler.version === 2);
});

test('a node that reaches itself, or another that took its id, is told apart', () => {
  assert.equal(codeOf(run(party('a'), party('a')).dialler), 'self');
  assert.equal(codeOf(run(party('a', { self: node('a', { incarnation: 2 }) }), party('a')).dialler), 'id-taken');
});

test('nobody decides about a peer before it has proved itself', () => {
  const asked: string[] = [];
  const decide = (peer: NodeInfo): { ok: true } => (asked.push(peer.id), { ok: true });
  run(party('a', { key: 'quite another key', decide }), party('b', { decide }));
  assert.deepEqual(asked, []);
  run(party('a', { decide }), party('b', { decide }));
  assert.deepEqual(asked, ['b', 'a']);
});

test('who decides against a peer tells it why', () => {
  const { dialler } = run(
    party('a'),
    party('b', { decide: () => ({ ok: false, code: 'duplicate', detail: 'linked' }) }),
  );
  assert.deepEqual(dialler, { state: 'refused', refused: { code: 'duplicate', detail: 'linked', peer: node('b') } });
});

test('a recorded proof is worth nothing the next time', () => {
  const from = party('a');
  const recorded = run(from, party('b')).frames;
  const listener = listenerHandshake(party('b'));
  listener.take(recorded[0] ?? new Uint8Array(0));
  assert.equal(codeOf(listener.take(recorded[2] ?? new Uint8Array(0))), 'key');
});

test('our own challenge sent back to us is no proof', () => {
  const us = party('b');
  const listener = listenerHandshake(us);
  const challenge = listener.take(diallerHandshake(party('a')).hello).send ?? new Uint8Array(0);
  const { proof } = decode(challenge) as { proof: Uint8Array };
  assert.equal(codeOf(listener.take(encode({ step: 'proof', proof }))), 'key');
});

test('one changed bit anywhere never makes a link with a wrong peer', () => {
  const total = run(party('a'), party('b')).frames;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 }), fc.nat(), fc.integer({ min: 0, max: 7 }), (which, where, bit) => {
      const offset = where % (total[which]?.byteLength ?? 1);
      const { dialler, listener } = run(party('a'), party('b'), (frame, at) => {
        const copy = new Uint8Array(frame);
        if (at === which) copy[offset] = (copy[offset] ?? 0) ^ (1 << bit);
        return copy;
      });
      assert.notEqual(dialler?.state, 'linked');
      assert.notEqual(listener?.state, 'linked');
    }),
  );
});

test('garbage at any step is refused as malformed, never thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (garbage, afterHello) => {
      const listener = listenerHandshake(party('b'));
      if (afterHello) listener.take(diallerHandshake(party('a')).hello);
      assert.equal(codeOf(listener.take(garbage)), 'malformed');
      assert.equal(codeOf(diallerHandshake(party('a')).take(garbage)), 'malformed');
    }),
  );
  const hostile: readonly unknown[] = [
    null,
    7,
    [],
    { step: 'hello' },
    { step: 'hello', versions: [1] },
    { step: 'hello', versions: 'x' },
  ];
  for (const value of hostile) assert.equal(codeOf(listenerHandshake(party('b')).take(encode(value))), 'malformed');
});
