import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fullPatience, wait, type Patience, type Taken } from './patience.ts';

const minuteMs = 60_000;
/** After how many minutes the agent goes, while it is told this every second; `undefined` when it does not within half a day. */
const goesAfter = (from: Patience, taken: (second: number) => Taken, random = 0.5) => {
  let state = from;
  for (let second = 0; second < 12 * 3600; second += 1) {
    const step = wait(state, taken(second), { nowMs: second * 1000, random: () => random });
    state = step.state;
    if (step.leaves) return { minutes: (second * 1000) / minuteMs, state };
  }
  return { minutes: undefined, state };
};

describe('an agent whose node takes nothing of its backlog', () => {
  it('goes after some minutes, which are not the same for all', () => {
    const minutes = [0, 0.5, 0.999].map((random) =>
      Math.round(goesAfter(fullPatience, () => 'none', random).minutes ?? 0),
    );
    assert.deepEqual(minutes, [4, 5, 6]);
  });

  it('goes less and less often while no node takes anything, but never stops to', () => {
    let state = fullPatience;
    const minutes: (number | undefined)[] = [];
    for (let times = 0; times < 6; times += 1) {
      const gone = goesAfter(state, () => 'none');
      minutes.push(gone.minutes);
      ({ state } = gone);
    }
    assert.deepEqual(minutes, [5, 10, 20, 40, 40, 40]);
    assert.deepEqual(wait(state, 'some', { nowMs: 0, random: () => 0.5 }).state, fullPatience);
  });

  it('stays when the node takes some now and then, or nothing waits, or there is no connection for a moment', () => {
    assert.equal(goesAfter(fullPatience, (second) => (second % 240 === 0 ? 'some' : 'none')).minutes, undefined);
    assert.equal(goesAfter(fullPatience, (second) => (second % 240 === 0 ? 'unknown' : 'none')).minutes, undefined);
    assert.equal(goesAfter(fullPatience, () => 'unknown').minutes, undefined);
  });
});
