import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { refusals, refuse, type RefusalCode } from '@thrum/actors/wire/refusal';
import { backoffMs, politeBackoffMs, slowBackoffMs } from './backoff.ts';
import { advance, beginConversation, type Conversation, type Effect, type Happening } from './conversation.ts';

const url = 'http://one';
const two = [url, 'http://two'];

/** Lets things happen at their times and remembers what was to be done. */
const play = (urls: readonly string[] = [url], random = 0.5) => {
  let state: Conversation = beginConversation(urls, 0);
  let nowMs = 0;
  const told: string[] = [];
  const happen = (happening: Happening): readonly Effect[] => {
    const step = advance(state, happening, { nowMs, random });
    state = step.state;
    for (const effect of step.effects) if (effect.type === 'tell') told.push(effect.level);
    return step.effects.filter((effect) => effect.type !== 'tell');
  };
  return {
    happen,
    told,
    state: () => state,
    pass: (ms: number) => {
      nowMs += ms;
      return happen({ type: 'time' });
    },
    /** Waits as long as the state says and goes on. */
    untilDue: () => {
      nowMs = Math.max(nowMs, state.deadlineMs);
      return happen({ type: 'time' });
    },
    waitMs: () => state.deadlineMs - nowMs,
    open: () => {
      nowMs = Math.max(nowMs, state.deadlineMs);
      happen({ type: 'time' });
      happen({ type: 'connected', pingEveryMs: 4000 });
      return happen({ type: 'welcomed', node: 'n', needDictionary: false });
    },
  };
};

describe('a conversation with ingest', () => {
  it('connects, says hello, declares the dictionary when asked to, and is open', () => {
    const talk = play();
    assert.deepEqual(talk.pass(0), [{ type: 'connect', url }]);
    assert.deepEqual(talk.happen({ type: 'connected', pingEveryMs: undefined }), [{ type: 'hello' }]);
    assert.deepEqual(talk.happen({ type: 'welcomed', node: 'n', needDictionary: true }), [{ type: 'declare' }]);
    assert.deepEqual(talk.happen({ type: 'declared' }), [{ type: 'open' }]);
    assert.equal(talk.state().phase, 'open');
  });

  it('gives up a connection, a hello or a dictionary that gets no answer and tries again', () => {
    const steps: Happening[] = [
      { type: 'connected', pingEveryMs: 4000 },
      { type: 'welcomed', node: 'n', needDictionary: true },
    ];
    for (let done = 0; done <= steps.length; done += 1) {
      const talk = play();
      talk.pass(0);
      for (const step of steps.slice(0, done)) talk.happen(step);
      assert.deepEqual(talk.pass(1000), []);
      assert.deepEqual(talk.untilDue(), [{ type: 'disconnect' }]);
      assert.equal(talk.state().phase, 'waiting');
      assert.deepEqual(talk.untilDue(), [{ type: 'connect', url }]);
    }
  });

  it('is ended by silence and not by anything while something is heard', () => {
    const talk = play();
    talk.open();
    for (let i = 0; i < 100; i += 1) {
      assert.deepEqual(talk.pass(7999), []);
      talk.happen({ type: 'heard' });
    }
    assert.deepEqual(talk.pass(8000), [{ type: 'disconnect' }]);
  });

  it('allows a node that pings rarely a longer silence', () => {
    const talk = play();
    talk.pass(0);
    talk.happen({ type: 'connected', pingEveryMs: 20_000 });
    talk.happen({ type: 'welcomed', node: 'n', needDictionary: false });
    assert.deepEqual(talk.pass(22_000), []);
    assert.deepEqual(talk.pass(1000), [{ type: 'disconnect' }]);
  });

  it('is back within 200 ms after a good connection broke, and ever slower while it fails', () => {
    const talk = play([url], 0.999);
    talk.open();
    talk.pass(6000);
    talk.happen({ type: 'lost', reason: 'transport close' });
    assert.ok(talk.waitMs() <= 200);
    let last = 0;
    for (let i = 0; i < 20; i += 1) {
      talk.untilDue();
      talk.happen({ type: 'lost', reason: 'refused' });
      assert.ok(talk.waitMs() >= last && talk.waitMs() <= 30_000);
      last = talk.waitMs();
    }
    assert.ok(last > 29_000);
  });

  it('goes on slowing down when connections open and break at once', () => {
    const talk = play([url], 0.999);
    for (let i = 0; i < 6; i += 1) {
      talk.open();
      talk.happen({ type: 'lost', reason: 'transport close' });
    }
    assert.ok(talk.waitMs() > 1000);
  });

  it('tries several addresses in turn before it slows down', () => {
    const talk = play(two, 0.999);
    const tried: unknown[] = [];
    const waits: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      tried.push(...talk.untilDue().map((effect) => (effect.type === 'connect' ? effect.url : effect.type)));
      talk.happen({ type: 'lost', reason: 'refused' });
      waits.push(talk.waitMs());
    }
    assert.deepEqual(tried, [...two, ...two]);
    assert.deepEqual(waits, [100, 100, 200, 200]);
  });

  it('tries again soon what is refused over one message, and every minute when that does not end', () => {
    const talk = play();
    for (let times = 0; times < 10; times += 1) {
      talk.open();
      talk.happen({ type: 'refused', refusal: refuse('malformed', 'batch: header') });
      assert.ok(talk.waitMs() >= 1000 && talk.waitMs() <= 31_000, `${talk.waitMs()} ms after ${times} refusals`);
    }
    talk.open();
    talk.happen({ type: 'refused', refusal: refuse('malformed', 'batch: header') });
    assert.ok(talk.waitMs() >= 45_000);
    const replaced = play();
    replaced.open();
    replaced.happen({ type: 'refused', refusal: refuse('replaced') });
    assert.ok(replaced.waitMs() >= 45_000, 'another agent is to blame, not a message');
  });

  it('is back in seconds when it was too late with its hello, because one of the two stood still', () => {
    for (const before of [[], [{ type: 'connected', pingEveryMs: 4000 }]] as const) {
      const talk = play([url], 0.999);
      for (let times = 0; times < 3; times += 1) {
        talk.untilDue();
        for (const happening of before) talk.happen(happening);
        talk.happen({ type: 'refused', refusal: refuse('hello-first', 'nothing was said in time') });
        assert.equal(talk.state().phase, 'waiting');
        assert.ok(talk.waitMs() >= 1000 && talk.waitMs() < 10_000, `${talk.waitMs()} ms`);
      }
      assert.ok(!talk.told.includes('error'));
    }
  });

  it('tells a refusal that a person must mend once, and tries again about every minute', () => {
    const talk = play();
    for (let i = 0; i < 5; i += 1) {
      talk.untilDue();
      talk.happen({ type: 'connected', pingEveryMs: 4000 });
      assert.deepEqual(talk.happen({ type: 'refused', refusal: refuse('bad-token') }), [{ type: 'disconnect' }]);
      assert.ok(talk.waitMs() >= 45_000 && talk.waitMs() <= 75_000);
      // Told again only when a minute has passed since it was told.
      assert.ok(talk.told.length <= 1 + i);
    }
    assert.equal(talk.told[0], 'error');
  });

  it('goes to the next address at once when one of several refuses', () => {
    const talk = play(two);
    talk.untilDue();
    talk.happen({ type: 'refused', refusal: refuse('bad-token') });
    assert.ok(talk.waitMs() < 1000);
    assert.deepEqual(talk.untilDue(), [{ type: 'connect', url: 'http://two' }]);
    talk.happen({ type: 'refused', refusal: refuse('bad-token') });
    assert.ok(talk.waitMs() > 40_000);
  });

  it('is patient with a node that is too busy and quick when a node says it is leaving', () => {
    const busy = play([url], 0);
    busy.untilDue();
    busy.happen({ type: 'refused', refusal: refuse('try-later') });
    assert.ok(busy.waitMs() >= 1000);
    const leaving = play([url], 0.999);
    leaving.open();
    leaving.happen({ type: 'refused', refusal: refuse('leaving') });
    assert.ok(leaving.waitMs() <= 100);
  });

  it('tells the same fault once a minute at most', () => {
    const talk = play();
    for (let i = 0; i < 10; i += 1) {
      talk.pass(5000);
      talk.untilDue();
      talk.happen({ type: 'lost', reason: `refused ${i}` });
    }
    assert.ok(talk.told.length <= 2, `${talk.told.length} times in 50 s`);
  });

  it('changes nothing for an answer that came too late, and nothing at all after a stop', () => {
    const talk = play();
    talk.open();
    talk.happen({ type: 'lost', reason: 'gone' });
    const before = talk.state();
    for (const late of [
      { type: 'connected', pingEveryMs: 1 },
      { type: 'welcomed', node: 'n', needDictionary: false },
      { type: 'declared' },
      { type: 'heard' },
      { type: 'lost', reason: 'again' },
      { type: 'refused', refusal: refuse('bad-token') },
      { type: 'renew', reason: 'x' },
    ] as const)
      assert.deepEqual(talk.happen(late), []);
    assert.equal(talk.state(), before);
    assert.deepEqual(talk.happen({ type: 'stop' }), [{ type: 'disconnect' }]);
    assert.deepEqual(talk.pass(1e9), []);
  });

  it('can always go on: no order of happenings leaves it without a deadline or with two connections', () => {
    const code = fc.constantFrom(...(Object.keys(refusals) as RefusalCode[]));
    const happening: fc.Arbitrary<Happening> = fc.oneof(
      fc.constant({ type: 'time' } as const),
      fc.constant({ type: 'connected', pingEveryMs: 4000 } as const),
      fc.record({ type: fc.constant('welcomed' as const), node: fc.string(), needDictionary: fc.boolean() }),
      fc.constant({ type: 'declared' } as const),
      fc.constant({ type: 'heard' } as const),
      fc.record({ type: fc.constant('lost' as const), reason: fc.string() }),
      code.map((one) => ({ type: 'refused', refusal: refuse(one) }) as const),
      fc.constant({ type: 'renew', reason: 'x' } as const),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(happening, fc.nat(20_000)), { maxLength: 80 }), (script) => {
        let state = beginConversation(two, 0);
        let nowMs = 0;
        let connections = 0;
        for (const [what, ms] of script) {
          nowMs += ms;
          const step = advance(state, what, { nowMs, random: 0.5 });
          state = step.state;
          for (const effect of step.effects) {
            if (effect.type === 'disconnect') connections = 0;
            if (effect.type === 'connect') connections += 1;
          }
          assert.ok(connections <= 1);
          assert.equal(state.phase === 'waiting', connections === 0);
          assert.ok(state.deadlineMs <= nowMs + 76_000);
        }
      }),
    );
  });
});

describe('backoff', () => {
  it('is a random time below a limit that doubles from 100 ms to 30 s', () => {
    assert.equal(backoffMs(0, 0), 0);
    assert.equal(backoffMs(0, 1), 100);
    assert.equal(backoffMs(3, 1), 800);
    assert.equal(backoffMs(1000, 1), 30_000);
    assert.ok(politeBackoffMs(0, 0) >= 1000);
    assert.deepEqual([slowBackoffMs(0), slowBackoffMs(1)], [45_000, 75_000]);
  });
});
