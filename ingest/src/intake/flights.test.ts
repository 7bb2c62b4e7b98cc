import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import type { WriteResult } from '../store/store.ts';
import type { RefusedSamples } from './batch-check.ts';
import { Flights } from './flights.ts';
import { IntakeCounts } from './intake-counts.ts';
import { rules } from './rules.ts';
import { UnderWay } from './under-way.ts';

const ahead: RefusedSamples = { code: 'time-ahead', samples: 1, detail: 'load' };
const past: RefusedSamples = { code: 'time-past', samples: 2, detail: 'cpu' };

/** Two connections of one host after one another, on one node. */
const connections = () => {
  const underWay = new UnderWay();
  const acked: (readonly RefusedSamples[])[] = [];
  const open = (): Flights =>
    new Flights({
      ...{ hostId: 'a', clock: fakeClock(), counts: new IntakeCounts(), underWay, rules },
      ack: (_, refused) => acked.push(refused),
      busy: () => assert.fail('busy'),
      tooFast: () => assert.fail('too fast'),
      broke: (error) => assert.fail(String(error)),
      landed: () => undefined,
    });
  return { acked, open };
};
const name = { epoch: 1, seq: 7 };

test('what waits for a write of an earlier connection is told what that write came to, not what the clock says by now', async () => {
  const { acked, open } = connections();
  const write = Promise.withResolvers<WriteResult>();
  open().take(name, true, [past], () => ({ ok: true, done: write.promise }));
  open().take(name, true, [ahead], () => assert.fail('written twice'));
  write.resolve({ ok: true, refused: [{ code: 'not-stored', samples: 1, detail: 'x' }] });
  await eventually(() => assert.equal(acked.length, 2));
  for (const refused of acked)
    assert.deepEqual(
      refused.map(({ code, samples }) => [code, samples]),
      [
        ['time-past', 2],
        ['not-stored', 1],
      ],
    );
});
