import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { beginSampleTime, hearServerClock, nextSampleTime, untilNextTickMs } from './sample-time.ts';

const start = 1_800_000_000_000;
const periodMs = 1000;

/** A host whose wall clock can be set while time passes. */
const hostAt = (lastMs?: number) => {
  let state = beginSampleTime(lastMs);
  let monotonicMs = 0;
  let wallMs = start;
  return {
    set: (ms: number) => (wallMs += ms),
    hear: (offsetMs: number) => (state = hearServerClock(state, offsetMs)),
    tick: (passedMs = periodMs) => {
      monotonicMs += passedMs;
      wallMs += passedMs;
      const step = nextSampleTime(state, { wallMs, monotonicMs, periodMs });
      state = step.state;
      return step;
    },
    wall: () => wallMs,
  };
};

describe('the time of samples', () => {
  it('lies on the period, also when a timer is a little early or late', () => {
    const host = hostAt();
    assert.deepEqual(
      [host.tick(1000), host.tick(999), host.tick(1003), host.tick(998)].map((step) => (step.timeMs ?? 0) - start),
      [1000, 2000, 3000, 4000],
    );
    assert.equal(untilNextTickMs(5_000_002, 1000), 998);
    assert.equal(untilNextTickMs(4_999_999, 1000), 1001);
    assert.equal(untilNextTickMs(5_000_000, 250), 250);
  });

  it('leaves ticks out after a small step back', () => {
    const host = hostAt();
    host.tick();
    host.set(-1500);
    // The last sample lies half a second ahead of the first tick after the step, and behind the one after that.
    assert.equal(host.tick().timeMs, undefined);
    assert.equal(host.tick().timeMs, start + 2000);
  });

  it('goes on a tenth slower after a step back of a minute until the clock has caught up', () => {
    const host = hostAt();
    const first = host.tick().timeMs ?? 0;
    host.set(-60_000);
    const step = host.tick();
    assert.equal(step.hasStepped, true);
    assert.equal(step.timeMs, first + 900);
    assert.equal(host.tick().timeMs, first + 1800);
    let last = first + 1800;
    let ticks = 0;
    for (; host.wall() < last - 2000; ticks += 1) last = host.tick().timeMs ?? last;
    assert.ok(ticks < 620, `${ticks} ticks`);
  });

  it('takes a step forward at once', () => {
    const host = hostAt();
    host.tick();
    host.set(86_400_000);
    const step = host.tick();
    assert.equal(step.timeMs, start + 2000 + 86_400_000);
    assert.equal(step.hasStepped, true);
  });

  it('begins at the right time again when a clock that was a day ahead is set right and ingest has said so', () => {
    const host = hostAt(start + 86_400_000);
    assert.equal(host.tick().timeMs, start + 86_400_000 + 900, 'nobody has said yet which clock is right');
    host.hear(12);
    assert.equal(host.tick().timeMs, start + 2000);
  });

  it('does not go back below what was measured before the clock leapt, however ingest counts the seconds', () => {
    const host = hostAt();
    host.hear(-6000); // within what is no error, so our own clock counted
    const last = host.tick().timeMs ?? 0;
    host.set(3_600_000);
    assert.equal(host.tick().timeMs, last + 3_601_000);
    host.hear(-3_606_000);
    assert.equal(host.tick().timeMs, last + 900, 'by the clock of ingest this is seconds before');
  });

  it('does not fall back to a wrong clock before ingest was asked', () => {
    const host = hostAt();
    host.hear(0);
    const first = host.tick().timeMs ?? 0;
    host.set(-86_400_000);
    assert.equal(host.tick().timeMs, first + 900);
    host.hear(86_400_000);
    assert.equal(host.tick().timeMs, start + 3000, 'and then goes by the clock of ingest');
  });

  it('is that of ingest for a clock more than five minutes off, and its own for less', () => {
    const host = hostAt();
    host.hear(240_000);
    assert.equal(host.tick().timeMs, start + 1000);
    host.hear(-400_000);
    // Five minutes and more ahead of what ingest takes: nothing from there was stored.
    assert.equal(host.tick().timeMs, start + 2000 - 400_000);
  });

  it('is a strictly increasing whole number whatever the clock does while ingest says nothing', () => {
    const event = fc.tuple(
      fc.constantFrom(0, 0, 0, 1, -1),
      fc.integer({ min: 1, max: 4_000_000 }),
      fc.integer({ min: 100, max: 5000 }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const host = hostAt();
        let last = -1;
        for (const [way, ms, passedMs] of events) {
          host.set(way * ms);
          const { timeMs } = host.tick(passedMs);
          if (timeMs === undefined) continue;
          assert.ok(Number.isSafeInteger(timeMs));
          assert.ok(timeMs > last);
          last = timeMs;
        }
      }),
    );
  });

  it('ignores what no clock can say', () => {
    for (const absurd of [1e308, -1e300, Number.NaN, Number.POSITIVE_INFINITY]) {
      const host = hostAt();
      host.hear(absurd);
      assert.equal(host.tick().timeMs, start + 1000);
    }
  });
});

/**
 * A host, its ingest with the right clock, and a store that refuses what lies more than five minutes ahead when it arrives. While ingest is away
 * the samples wait. `restart` begins with the newest time that was ever recorded, as the queue knows it.
 */
const world = () => {
  const day = 86_400_000;
  let trueMs = start;
  let wallMs = start;
  let monotonicMs = 0;
  let newest = 0;
  let state = beginSampleTime(undefined);
  let isConnected = true;
  let waiting: number[] = [];
  const stored: number[] = [];
  const refused: number[] = [];
  const deliver = (): void => {
    for (const timeMs of waiting) (timeMs > trueMs + 5 * 60_000 ? refused : stored).push(timeMs);
    waiting = [];
  };
  return {
    stored,
    refused,
    step: (ms: number) => (wallMs += ms),
    connect: (yes: boolean) => {
      isConnected = yes;
      if (!yes) return;
      state = hearServerClock(state, trueMs - wallMs);
      deliver();
    },
    restart: () => {
      state = beginSampleTime(newest);
      monotonicMs = 0;
      if (isConnected) state = hearServerClock(state, trueMs - wallMs);
    },
    run: (ticks: number) => {
      for (let i = 0; i < ticks; i += 1) {
        trueMs += periodMs;
        wallMs += periodMs;
        monotonicMs += periodMs;
        const next = nextSampleTime(state, { wallMs, monotonicMs, periodMs });
        state = next.state;
        if (next.timeMs !== undefined) {
          waiting.push(next.timeMs);
          newest = Math.max(newest, next.timeMs);
        }
        if (!isConnected) continue;
        deliver();
        // Asked again after a step; the answer comes after the tick.
        if (next.hasStepped) state = hearServerClock(state, trueMs - wallMs);
      }
    },
    trueMs: () => trueMs,
    day,
  };
};

describe('a clock that is set by a day', () => {
  const isIncreasing = (times: readonly number[]): boolean =>
    times.every((ms, i) => i === 0 || ms > (times[i - 1] ?? 0));
  const isNear = (a: number | undefined, b: number): boolean => a !== undefined && Math.abs(a - b) <= 2000;

  for (const [name, days] of [
    ['forward', 1],
    ['back', -1],
  ] as const) {
    it(`${name} while ingest is there costs a tick or two, and the times stay right and increasing`, () => {
      const w = world();
      w.connect(true);
      w.run(50);
      w.step(days * w.day);
      w.run(50);
      w.step(-days * w.day);
      w.run(50);
      assert.ok(isIncreasing(w.stored));
      assert.ok(w.stored.length >= 145, `${w.stored.length} stored`);
      assert.ok(w.refused.length <= 2, `${w.refused.length} refused`);
      assert.ok(isNear(w.stored.at(-1), w.trueMs()));
    });

    it(`${name} and right again over restarts stores no time twice`, () => {
      const w = world();
      w.connect(true);
      w.run(50);
      w.step(days * w.day);
      w.restart();
      w.run(50);
      w.step(-days * w.day);
      w.restart();
      w.run(50);
      assert.ok(isIncreasing(w.stored));
      assert.ok(w.stored.length >= 145, `${w.stored.length} stored`);
      assert.ok(isNear(w.stored.at(-1), w.trueMs()));
    });

    it(`${name} and right again while ingest is away stores no time twice, and every sample is stored or refused`, () => {
      for (const restarts of [false, true]) {
        const w = world();
        w.connect(true);
        w.run(50);
        w.connect(false);
        w.step(days * w.day);
        if (restarts) w.restart();
        w.run(50);
        w.step(-days * w.day);
        if (restarts) w.restart();
        w.run(50);
        w.connect(true);
        w.run(50);
        assert.equal(new Set(w.stored).size, w.stored.length, 'a time stored twice');
        assert.ok(isIncreasing(w.stored));
        assert.ok(w.stored.length + w.refused.length >= 185);
        assert.ok(isNear(w.stored.at(-1), w.trueMs()));
        if (days < 0) assert.equal(w.refused.length, 0, 'a clock that is behind loses nothing');
      }
    });
  }
});
