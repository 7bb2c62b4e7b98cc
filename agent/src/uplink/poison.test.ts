/** Which record is found to end connections, from what was sent, acknowledged and refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RefusalCode } from '@thrum/actors/wire/refusal';
import type { Position } from '../queue/queue.ts';
import { isProbing, noPoison, watch, type Poison } from './poison.ts';

const at = (seq: number): Position => ({ epoch: 7, seq });

/** One connection: what is sent, what is acknowledged of it, and the refusal it ends with, if it does. */
const connection = (
  state: Poison,
  sent: readonly number[],
  taken: readonly number[],
  code: RefusalCode | 'none' = 'malformed',
): { state: Poison; giveUp: number | undefined } => {
  let now = state;
  for (const seq of sent) now = watch(now, { type: 'sent', at: at(seq) }).state;
  for (const seq of taken) now = watch(now, { type: 'acknowledged', epoch: 7, ranges: [[seq, seq]] }).state;
  const step = code !== 'none' ? watch(now, { type: 'refused', code }) : { state: now };
  return { state: watch(step.state, { type: 'closed' }).state, giveUp: step.giveUp?.seq };
};

describe('a record that ends connections', () => {
  it('is looked for one by one from the second end on, and given up when it was alone at an end twice', () => {
    let step = connection(noPoison, [0, 1, 2], []);
    assert.equal(isProbing(step.state), false, 'once may be a bad moment');
    step = connection(step.state, [0, 1, 2, 3], [3]);
    assert.equal(isProbing(step.state), true);
    step = connection(step.state, [0, 1], [0]);
    assert.equal(step.giveUp, undefined, 'once alone may be a bad moment');
    step = connection(step.state, [1], []);
    assert.equal(step.giveUp, 1);
    assert.equal(isProbing(step.state), false);
  });

  it('is not given up while ingest takes nothing else either', () => {
    let state = noPoison;
    for (let i = 0; i < 20; i += 1) {
      const step = connection(state, [0], []);
      assert.equal(step.giveUp, undefined);
      state = step.state;
    }
    const step = connection(state, [5, 0], [5]);
    assert.equal(step.giveUp, 0);
  });

  it('is not given up when another was on the way too', () => {
    let state = noPoison;
    for (let i = 0; i < 20; i += 1) {
      const step = connection(state, [0, 1, 10 + i], [10 + i]);
      assert.equal(step.giveUp, undefined);
      state = step.state;
    }
  });

  it('is cleared by an acknowledgement, and one by one ends when all that were on the way are', () => {
    let step = connection(noPoison, [0, 1], []);
    step = connection(step.state, [0, 1], []);
    step = connection(step.state, [0, 1], [0], 'none');
    assert.equal(isProbing(step.state), true);
    step = connection(step.state, [1], [1], 'none');
    assert.equal(isProbing(step.state), false);
    assert.deepEqual(step.state, noPoison);
  });

  it('is not found in refusals of other reasons, or where nothing was on the way', () => {
    let state = noPoison;
    for (const code of ['too-fast', 'leaving', 'replaced', 'bad-token', 'try-later'] as const)
      for (let i = 0; i < 5; i += 1) state = connection(state, [0, 5], [5], code).state;
    for (let i = 0; i < 5; i += 1) state = connection(state, [5], [5]).state;
    assert.deepEqual(state, noPoison);
  });

  it('that is not in the queue any more does not slow the others for ever', () => {
    let { state } = connection(connection(noPoison, [0], []).state, [0], []);
    for (let seq = 1; seq < 300; seq += 1) state = connection(state, [seq], [seq], 'none').state;
    assert.equal(isProbing(state), false);
  });
});
