import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Mailbox } from './mailbox.ts';
import { afterFailure } from './restart-policy.ts';

test('a mailbox does what a plain list with a limit would', () => {
  const action = fc.oneof(fc.constant('take' as const), fc.constant('all' as const), fc.nat());
  const rule = fc.record({
    max: fc.integer({ min: 1, max: 20 }),
    whenFull: fc.constantFrom('refuse' as const, 'drop-oldest' as const),
  });
  fc.assert(
    fc.property(rule, fc.array(action, { maxLength: 300 }), (given, actions) => {
      const mailbox = new Mailbox<{ n: number }>(given);
      let list: { n: number }[] = [];
      for (const one of actions) {
        if (one === 'take') assert.equal(mailbox.take(), list.shift());
        else if (one === 'all') {
          assert.deepEqual(mailbox.takeAll(), list);
          list = [];
        } else {
          const item = { n: one };
          const offer = mailbox.offer(item);
          if (list.length < given.max) {
            assert.equal(offer.kind, 'taken');
            list.push(item);
          } else if (given.whenFull === 'refuse') assert.equal(offer.kind, 'refused');
          else {
            assert.deepEqual(offer, { kind: 'displaced', oldest: list.shift() });
            list.push(item);
          }
        }
        assert.equal(mailbox.size, list.length);
        assert.equal(mailbox.peek(), list[0]);
      }
    }),
  );
});

test('a mailbox without room is a mistake', () => {
  assert.throws(() => new Mailbox({ max: 0, whenFull: 'refuse' }), /room for a message, got max 0/);
});

test('restarts within the window are counted, their pause doubles up to a second, and one too many stops', () => {
  const policy = { times: 9, withinMs: 60_000 };
  const pauses: number[] = [];
  let restartsMs: readonly number[] = [];
  for (let at = 0; at < 9; at += 1) {
    const verdict = afterFailure(policy, restartsMs, at);
    assert.ok(verdict.kind === 'restart');
    pauses.push(verdict.pauseMs);
    restartsMs = verdict.restartsMs;
  }
  assert.deepEqual(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
  assert.deepEqual(afterFailure(policy, restartsMs, 100), { kind: 'stop' });
  assert.equal(afterFailure(policy, restartsMs, 60_008).kind, 'restart');
});
