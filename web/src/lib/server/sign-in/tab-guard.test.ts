import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { createTabGuard, tabGuardLimits } from './tab-guard.ts';
import type { Visitor } from './visitor.ts';

const start = () => {
  const alive = new Set(['s1', 's2']);
  const uses: string[] = [];
  const ended: string[] = [];
  const heard = new Set<(id: string) => void>();
  const clock = fakeClock();
  const guard = createTabGuard(
    {
      visitor: () => undefined,
      isAlive: (id) => alive.has(id),
      onEnd: (listener) => {
        heard.add(listener);
        return () => void heard.delete(listener);
      },
    },
    clock,
    (tab) => ended.push(tab),
  );
  const visitor = (id: string): Visitor => ({
    session: { id, user: 'ada', generation: 1, createdMs: 0, expiresMs: 1 },
    isStillIn: () => {
      uses.push(id);
      return alive.has(id);
    },
  });
  const end = (id: string): void => {
    alive.delete(id);
    for (const listener of heard) listener(id);
  };
  return { guard, alive, uses, ended, clock, visitor, end, heard };
};

test('every tab of a session that ends is closed at once, once, and no other', () => {
  const { guard, ended, visitor, end, clock } = start();
  for (const [tab, session] of [
    ['a', 's1'],
    ['b', 's1'],
    ['c', 's2'],
  ] as const)
    guard.join(tab, visitor(session));
  end('s1');
  end('s1');
  clock.advance(tabGuardLimits.lookEveryMs);
  assert.deepEqual(ended, ['a', 'b']);
  assert.deepEqual([guard.isIn('a'), guard.isIn('c')], [false, true]);
});

test('an end that nobody told is seen within five seconds, and nothing is served meanwhile', () => {
  const { guard, ended, visitor, alive, clock } = start();
  guard.join('a', visitor('s1'));
  alive.delete('s1');
  assert.equal(guard.isIn('a'), false);
  clock.advance(tabGuardLimits.lookEveryMs);
  assert.deepEqual(ended, ['a']);
});

test('a tab whose session ended on the way is not let in, and a tab that is gone is forgotten', () => {
  const { guard, ended, visitor, alive, end } = start();
  alive.delete('s1');
  assert.equal(guard.join('a', visitor('s1')), false);
  guard.join('c', visitor('s2'));
  guard.gone('c');
  end('s2');
  assert.deepEqual(ended, []);
});

test('an open tab uses its session once a minute, however many tabs there are', () => {
  const { guard, uses, visitor, clock, heard } = start();
  for (const tab of ['a', 'b', 'c']) guard.join(tab, visitor('s1'));
  for (let second = 0; second < 120; second += 1) clock.advance(1000);
  assert.deepEqual(uses, ['s1', 's1']);
  guard.close();
  clock.advance(10 * tabGuardLimits.useEveryMs);
  assert.equal(uses.length, 2);
  assert.equal(heard.size, 0);
});
