/** Interest between nodes: versions, and peers that say too much. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { startNodes } from '../testing/nodes.ts';
import type { TestNode } from '../testing/nodes.ts';
import { interestBounds, rules } from './rules.ts';
import { endpoint } from './topic-messages.ts';

const mesh = async (t: TestContext, count: number) => {
  const all = await startNodes(count);
  t.after(() => all.close());
  return (index: number): TestNode => all.nodes[index] ?? assert.fail();
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const wants = (node: TestNode): string[] => {
  const topics = new Set<string>();
  node.topics.onInterest('', (topic, interested) => {
    if (interested) topics.add(topic);
  })();
  return [...topics].toSorted();
};

test('a change of interest counts only on top of the version it was made for', () => {
  assert.equal(rules.interest(0, { base: 0, version: 1 }), 'anew');
  assert.equal(rules.interest(1, { base: 1, version: 2 }), 'apply');
  assert.equal(rules.interest(2, { base: 3, version: 4 }), 'ask');
  assert.equal(rules.interest(4, { base: 1, version: 2 }), 'ignore');
  assert.equal(rules.interest(4, { base: 0, version: 1 }), 'anew');
  assert.equal(rules.interest(4, { base: 0, version: 7 }), 'anew');
});

test('a node that missed a change asks for the whole set, and loses what is not in it', async (t) => {
  const at = await mesh(t, 2);
  at(1).topics.subscribe('kept', { deliver: () => undefined });
  await eventually(() => assert.deepEqual(wants(at(0)), ['kept']));
  at(1).links.tell('n00', endpoint, ['interest', 0, 40, ['kept', 'stray'], []]);
  await eventually(() => assert.deepEqual(wants(at(0)), ['kept', 'stray']));
  // A change on top of a version that never came: as if one had been missed.
  at(1).links.tell('n00', endpoint, ['interest', 50, 51, ['surprise'], ['kept']]);
  await eventually(() => assert.deepEqual(wants(at(0)), ['kept']));
  assert.equal(at(0).topics.counters()['interestGaps'], 1);
  at(1).topics.subscribe('more', { deliver: () => undefined });
  await eventually(() => assert.deepEqual(wants(at(0)), ['kept', 'more']));
});

test('a peer interested in more topics than allowed gets those that fit, and is told why it gets no more', async (t) => {
  const at = await mesh(t, 2);
  const names = Array.from({ length: 20_010 }, (_, number) => `t${number}`);
  at(1).links.tell('n00', endpoint, ['interest', 0, 5, names, []]);
  await eventually(() => assert.equal(at(0).topics.counters()['topics'], interestBounds.maxTopicsPerPeer));
  assert.equal(at(0).topics.counters()['interestRefused'], 10);
  await eventually(() => assert.equal(at(1).topics.counters()['interestRefusedByPeers'], 1));
});

test('a peer that changes its interest like mad is refused and told, costs others nothing, and is heard again after it', async (t) => {
  const at = await mesh(t, 3);
  const others: string[] = [];
  const own: string[] = [];
  at(2).topics.subscribe('cpu', { deliver: ({ payload }) => void others.push(new TextDecoder().decode(payload)) });
  at(1).topics.subscribe('cpu', { deliver: ({ payload }) => void own.push(new TextDecoder().decode(payload)) });
  await eventually(() => {
    at(0).topics.publish('cpu', bytes('begin'));
    return others.length > 0 && own.length > 0;
  });
  const floods = interestBounds.messagesBurst * 3;
  at(1).links.tell('n00', endpoint, ['interest', 0, 1, ['cpu'], []]);
  for (let version = 2; version < floods; version += 1)
    at(1).links.tell('n00', endpoint, ['interest', version - 1, version, [`flood${version}`], [`flood${version - 1}`]]);
  const sent = Array.from({ length: 100 }, (_, number) => `during ${number}`);
  for (const text of sent) at(0).topics.publish('cpu', bytes(text));
  await eventually(() => assert.deepEqual(others.slice(-100), sent));
  await eventually(() => assert.ok((at(0).topics.counters()['interestFloods'] ?? 0) > interestBounds.messagesBurst));
  await eventually(() => assert.equal(at(1).topics.counters()['interestRefusedByPeers'], 1));
  at(1).topics.subscribe('after', { deliver: () => undefined });
  await eventually(() => assert.deepEqual(wants(at(0)), ['after', 'cpu']));
});

test('what is retained of a topic is told a peer whole at most once a second, however often it changes its mind', async (t) => {
  const at = await mesh(t, 2);
  for (let key = 0; key < 50; key += 1) at(0).topics.publish('roster', new Uint8Array(10_000), { key: `k${key}` });
  const bytesOut = (): number => at(0).links.counters()['bytesOut'] ?? 0;
  const before = bytesOut();
  let version = 1;
  at(1).links.tell('n00', endpoint, ['interest', 0, version, ['roster'], []]);
  const answered = async (): Promise<void> => {
    const unwanted = at(0).links.counters()['messagesIn'] ?? 0;
    at(1).links.tell('n00', endpoint, ['again']);
    await eventually(() => (at(0).links.counters()['messagesIn'] ?? 0) > unwanted);
  };
  for (let round = 0; round < 20; round += 1) {
    at(1).links.tell('n00', endpoint, ['interest', version, version + 1, [], ['roster']]);
    at(1).links.tell('n00', endpoint, ['interest', version + 1, version + 2, ['roster'], []]);
    version += 2;
    await answered();
  }
  assert.ok(bytesOut() - before < 3 * 510_000, `${bytesOut() - before} bytes were told`);
});
