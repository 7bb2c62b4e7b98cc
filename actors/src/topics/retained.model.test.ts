/** Whatever happens to the links, in the end every node has the newest value of every key of every publisher. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { fakeClock } from '../testing/fake-clock.ts';
import { startNodes } from '../testing/nodes.ts';
import type { TopicRules } from './rules.ts';

type Step =
  | { do: 'publish' | 'forget'; node: number; key: number }
  | { do: 'split'; node: number }
  | { do: 'heal' }
  | { do: 'subscribe'; node: number }
  | { do: 'wait'; ms: number };

const nodes = 3;
const node = fc.integer({ min: 0, max: nodes - 1 });
const key = fc.integer({ min: 0, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish' as const), node, key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('forget' as const), node, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('split' as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('heal' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('subscribe' as const), node }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 5000 }) }) },
);

const runRetained = async (steps: readonly Step[], seed: number, rules: Partial<TopicRules> = {}): Promise<void> => {
  const clock = fakeClock();
  const all = await startNodes(nodes, {
    clock,
    seed,
    unlinked: true,
    delayMs: { min: 0, max: 30 },
    lossRate: 0.02,
    rules: { topics: rules },
  });
  const run = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 25) {
      clock.advance(25);
      await nextTurn();
    }
  };
  const truth = all.nodes.map(() => new Map<string, number>());
  const views: Map<string, number>[] = [];
  const subscribe = (at: number): void => {
    const view = new Map<string, number>();
    views.push(view);
    all.nodes[at]?.topics.subscribe('roster', {
      deliver: ({ node: from, key: name, payload }) => {
        const value = payload[0];
        if (value === undefined) view.delete(`${from} ${name ?? ''}`);
        else view.set(`${from} ${name ?? ''}`, value);
      },
    });
  };
  let value = 0;
  const hosts = all.nodes.map(({ host }) => host);
  for (const one of steps) {
    if (one.do === 'publish' || one.do === 'forget') {
      const { topics, links } = all.nodes[one.node] ?? assert.fail();
      value = (value + 1) % 256;
      const name = `k${one.key}`;
      if (one.do === 'publish') topics.publish('roster', new Uint8Array([value]), { key: name });
      else topics.forget('roster', name);
      if (one.do === 'publish') truth[one.node]?.set(`${links.self.id} ${name}`, value);
      else truth[one.node]?.delete(`${links.self.id} ${name}`);
    } else if (one.do === 'split') {
      const host = hosts[one.node] ?? '';
      all.network.split(
        [host],
        hosts.filter((other) => other !== host),
      );
    } else if (one.do === 'heal') all.network.heal();
    else if (one.do === 'subscribe') subscribe(one.node);
    else if ('ms' in one) await run(one.ms);
  }
  all.network.heal();
  for (let at = 0; at < nodes; at += 1) subscribe(at);
  await run(12_000);
  const expected = [...truth.flatMap((map) => [...map])].toSorted();
  for (const view of views) assert.deepEqual([...view].toSorted(), expected);
  const closing = all.close();
  await run(5000);
  await closing;
};

test('after all faults every subscriber has the newest of every key, and nothing that was forgotten', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(1000), (steps, seed) => runRetained(steps, seed)),
    { numRuns: 150 },
  );
});

const whileAway: readonly Step[] = [
  { do: 'wait', ms: 3000 },
  { do: 'subscribe', node: 1 },
  { do: 'publish', node: 0, key: 1 },
  { do: 'publish', node: 0, key: 2 },
  { do: 'wait', ms: 1000 },
  { do: 'split', node: 0 },
  { do: 'wait', ms: 20_000 },
  { do: 'forget', node: 0, key: 1 },
  { do: 'publish', node: 0, key: 2 },
];
const mutants: readonly (readonly [name: string, rules: Partial<TopicRules>])[] = [
  ['what a publisher does not name is kept', { isForgotten: () => false }],
  ['a publisher that comes back is taken for another', { isSamePublisher: () => false }],
  ['a peer that becomes interested gets nothing', { needsAll: () => false }],
  ['interest is ignored', { interest: () => 'ignore' }],
];
for (const [name, rules] of mutants)
  test(`without the rule it is noticed: ${name}`, async () => {
    await assert.rejects(runRetained(whileAway, 7, rules), assert.AssertionError);
  });

test('with the rules nothing is noticed', () => runRetained(whileAway, 7));
