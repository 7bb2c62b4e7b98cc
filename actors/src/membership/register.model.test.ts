/** A register under any claims in any order: the order of incarnations holds, and what is told fits together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Claim } from './messages.ts';
import { maxKnown } from './messages.ts';
import { isHere, Register } from './register.ts';
import { pace, rules } from './rules.ts';

const claim = (id: string, incarnation: number, state: Claim['state'], agoMs = 0): Claim => ({
  node: { id, name: id, role: 'ingest', incarnation: 1, address: `${id}:1` },
  ...{ incarnation, state, why: 'x', agoMs },
});
const claims = fc.array(
  fc.record({ id: fc.constantFrom('a', 'b'), incarnation: fc.nat(5), state: fc.constantFrom('alive', 'dead', 'left') }),
  { maxLength: 40 },
);

test('joined and gone come in turns, once per incarnation, and no incarnation comes back', () => {
  fc.assert(
    fc.property(claims, (list) => {
      const register = new Register(rules);
      const told = new Map<string, { here: number | undefined; gone: number }>();
      for (const { id, incarnation, state } of list) {
        const about = told.get(id) ?? { here: undefined, gone: -1 };
        for (const one of register.take(claim(id, incarnation, state), 0)) {
          if (one.kind === 'joined') {
            assert.equal(about.here, undefined);
            assert.ok(one.incarnation > about.gone);
            about.here = one.incarnation;
          } else if (one.kind === 'gone') {
            assert.equal(one.incarnation, about.here);
            about.gone = one.incarnation;
            about.here = undefined;
          }
        }
        told.set(id, about);
        const member = register.get(id);
        assert.equal(member && isHere(member) ? member.incarnation : undefined, about.here);
        assert.ok(about.gone < 0 || register.isGone(id, about.gone));
      }
    }),
  );
});

test('whoever hears the same claims ends with the same digest, in whatever order', () => {
  fc.assert(
    fc.property(claims, fc.nat(), (list, seed) => {
      const digestOf = (ordered: typeof list): string => {
        const register = new Register(rules);
        for (const { id, incarnation, state } of ordered) register.take(claim(id, incarnation, state), 0);
        return register.digest({ id: 'self', incarnation: 1 }, 0);
      };
      const shuffled = list.map((one, index) => ({ one, at: (index * 7919 + seed) % 101 })).sort((a, b) => a.at - b.at);
      assert.equal(digestOf(shuffled.map(({ one }) => one)), digestOf(list));
    }),
  );
});

test('a tombstone is kept for a day, its age goes with it, and an older one is not taken in again', () => {
  const register = new Register(rules);
  register.take(claim('a', 5, 'dead', pace.tombstoneMs - 1000), 0);
  assert.ok(register.isGone('a', 5));
  assert.equal(register.claimOf(register.get('a') ?? assert.fail(), 500).agoMs, pace.tombstoneMs - 500);
  register.forgetOld(999);
  assert.ok(register.isGone('a', 5));
  register.forgetOld(1000);
  assert.ok(!register.isGone('a', 5));
  register.take(claim('a', 5, 'dead', pace.tombstoneMs), 2000);
  assert.equal(register.get('a'), undefined);
});

test('a thousand nodes are remembered: the longest dead make room, the living never', () => {
  const register = new Register(rules);
  for (let at = 0; at < maxKnown; at += 1) register.take(claim(`n${at}`, 1, at < 10 ? 'dead' : 'alive'), at);
  for (let at = 0; at < 20; at += 1) register.take(claim(`m${at}`, 1, 'alive'), 5000);
  assert.equal(register.all().length, maxKnown);
  assert.equal(register.refused, 10);
  assert.ok(!register.isGone('n0', 1) && register.get('n10') && register.get('m9') && !register.get('m10'));
});

test('suspicion is undone by nothing another claims, and tells nobody that the node joined', () => {
  const register = new Register(rules);
  register.take(claim('a', 1, 'alive'), 0);
  assert.equal(register.mark('a', 'suspect', 'silent', 1).length, 1);
  assert.deepEqual(register.take(claim('a', 1, 'alive'), 2), []);
  assert.equal(register.get('a')?.state, 'suspect');
  assert.deepEqual(register.mark('a', 'suspect', 'silent', 3), []);
  assert.equal(register.mark('a', 'alive', 'heard', 4)[0]?.kind, 'changed');
});
