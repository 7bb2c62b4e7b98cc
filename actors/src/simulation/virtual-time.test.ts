import assert from 'node:assert/strict';
import { test } from 'node:test';
import { virtualTime } from './virtual-time.ts';
import type { VirtualTime } from './virtual-time.ts';

const within = async (run: (time: VirtualTime) => Promise<void>): Promise<void> => {
  const time = virtualTime();
  try {
    await run(time);
  } finally {
    time.close();
  }
};

test('all that an event causes in microtasks and immediates happens before the next timer, and at its time', () =>
  within(async (time) => {
    const seen: string[] = [];
    const note = (what: string): void => void seen.push(`${what} ${time.nowMs()}`);
    const { clock } = time.live('a', { wallAheadMs: 0 });
    clock.after(10, () => {
      note('timer');
      void Promise.resolve().then(async () => {
        await Promise.resolve();
        note('microtask');
        setImmediate(() => note('immediate'));
      });
    });
    clock.after(10.5, () => note('next timer'));
    await time.runUntil(20);
    assert.deepEqual(seen, ['timer 10', 'microtask 10', 'immediate 10', 'next timer 10.5']);
  }));

test('a life that stands still runs nothing, then all that was due, its timers first, an interval once', () =>
  within(async (time) => {
    const seen: string[] = [];
    const life = time.live('a', { wallAheadMs: 0 });
    const note = (what: string): void => void seen.push(`${what} ${time.nowMs()}`);
    life.clock.every(10, () => note('every'));
    life.clock.after(15, () => note('after'));
    time.world.clock.after(12, () => life.pause());
    time.world.clock.after(14, () => life.soon(() => note('arrived')));
    time.world.clock.after(45, () => life.resume());
    await time.runUntil(50);
    assert.deepEqual(seen, ['every 10', 'after 45', 'every 45', 'arrived 45']);
  }));

test('a life that ended runs nothing any more, whatever it still had to do', () =>
  within(async (time) => {
    const ran: string[] = [];
    const life = time.live('a', { wallAheadMs: 0 });
    life.clock.after(5, () => {
      setImmediate(() => ran.push('immediate'));
      life.end();
    });
    life.clock.every(1, () => ran.push('every'));
    await time.runUntil(50);
    life.soon(() => ran.push('soon'));
    await time.runUntil(60);
    assert.deepEqual(ran, ['every', 'every', 'every', 'every']);
  }));

test('wall clocks differ and jump, the monotonic one does neither', () =>
  within(async (time) => {
    const early = time.live('a', { wallAheadMs: -2000 });
    const late = time.live('b', { wallAheadMs: 3000 });
    assert.equal(late.clock.wallMs() - early.clock.wallMs(), 5000);
    await time.runUntil(100);
    late.stepWall(-5000);
    assert.equal(late.clock.wallMs(), early.clock.wallMs());
    assert.deepEqual([late.clock.monotonicMs(), early.clock.monotonicMs()], [100, 100]);
  }));

test('what an event throws ends the run and is said', () =>
  within(async (time) => {
    time.world.clock.after(5, () => {
      throw new Error('no such thing');
    });
    await time.runUntil(50);
    assert.match(time.failure() ?? '', /no such thing/);
    assert.equal(time.nowMs(), 5);
  }));
