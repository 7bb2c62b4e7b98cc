import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { startNodes } from '../testing/nodes.ts';
import type { TestNode, TestNodes, TestNodesOptions } from '../testing/nodes.ts';
import { endpoint } from './topic-messages.ts';
import type { Delivery, Topics } from './topics.ts';

const mesh = async (t: TestContext, count: number, options: TestNodesOptions = {}) => {
  const all = await startNodes(count, options);
  t.after(() => all.close());
  const at = (index: number): TestNode => {
    const node = all.nodes[index];
    assert.ok(node);
    return node;
  };
  return { ...all, at } satisfies TestNodes & { at: unknown };
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = ({ key, payload }: Delivery): string =>
  `${key === undefined ? '' : `${key}=`}${new TextDecoder().decode(payload)}`;
/** What a subscriber saw, as text. */
const listen = (topics: Topics, topic: string): { readonly seen: string[]; readonly stop: () => void } => {
  const seen: string[] = [];
  const stop = topics.subscribe(topic, {
    deliver: (delivery) => void seen.push(textOf(delivery)),
    lost: (node) => void seen.push(`lost ${node}`),
  });
  return { seen, stop };
};
const isWanted = (node: TestNode, topic: string): boolean => {
  let wanted = false;
  node.topics.onInterest(topic, (name, interested) => {
    if (name === topic) wanted = interested;
  })();
  return wanted;
};

test('a publication reaches subscribers on its own node and on others, in order', async (t) => {
  const { at } = await mesh(t, 3);
  const here = listen(at(0).topics, 'cpu');
  const there = listen(at(1).topics, 'cpu');
  const elsewhere = listen(at(2).topics, 'memory');
  await eventually(() => isWanted(at(0), 'cpu') && (at(0).topics.counters()['topics'] ?? 0) === 2);
  await eventually(() => {
    at(0).topics.publish('cpu', bytes('probe'));
    return there.seen.length > 0;
  });
  here.seen.length = 0;
  there.seen.length = 0;
  const all = Array.from({ length: 100 }, (_, number) => String(number));
  for (const one of all) at(0).topics.publish('cpu', bytes(one));
  await eventually(() => assert.deepEqual(there.seen.slice(-100), all));
  assert.deepEqual(here.seen, all);
  assert.deepEqual(elsewhere.seen, []);
});

test('one frame goes to an interested node, however many subscribers are there, and none to others', async (t) => {
  const { at } = await mesh(t, 3);
  const many = Array.from({ length: 200 }, () => listen(at(1).topics, 'cpu'));
  await eventually(() => isWanted(at(0), 'cpu'));
  at(0).topics.publish('cpu', bytes('x'));
  await eventually(() => many.every(({ seen }) => seen.length === 1));
  assert.equal(at(0).topics.counters()['sent'], 1);
  assert.equal(at(2).topics.counters()['unwanted'], 0);
});

test('the payload of a publication is the very same object for all subscribers of a node', async (t) => {
  const { at } = await mesh(t, 2);
  const payloads: Uint8Array[] = [];
  for (let count = 0; count < 3; count += 1)
    at(1).topics.subscribe('cpu', { deliver: ({ payload }) => void payloads.push(payload) });
  await eventually(() => isWanted(at(0), 'cpu'));
  at(0).topics.publish('cpu', bytes('x'));
  await eventually(() => assert.equal(payloads.length, 3));
  assert.equal(new Set(payloads).size, 1);
});

test('who subscribes late gets the newest value of every key, locally at once and from other nodes soon', async (t) => {
  const { at } = await mesh(t, 2);
  for (const [key, value] of [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
    ['c', '4'],
  ] as const)
    at(0).topics.publish('roster', bytes(value), { key });
  at(0).topics.forget('roster', 'c');
  const near = listen(at(0).topics, 'roster');
  assert.deepEqual(near.seen.toSorted(), ['a=3', 'b=2']);
  const far = listen(at(1).topics, 'roster');
  await eventually(() => assert.deepEqual(far.seen.toSorted(), ['a=3', 'b=2']));
  const second = listen(at(1).topics, 'roster');
  assert.deepEqual(second.seen.toSorted(), ['a=3', 'b=2']);
});

test('forgetting is delivered as an empty payload', async (t) => {
  const { at } = await mesh(t, 2);
  const far = listen(at(1).topics, 'roster');
  await eventually(() => isWanted(at(0), 'roster'));
  at(0).topics.publish('roster', bytes('1'), { key: 'a' });
  at(0).topics.forget('roster', 'a');
  await eventually(() => assert.deepEqual(far.seen, ['a=1', 'a=']));
  assert.equal(at(0).topics.counters()['retainedBytes'], 0);
  assert.deepEqual(listen(at(1).topics, 'roster').seen, []);
});

test('a lost publisher is announced; back again it tells what changed, and what it forgot meanwhile', async (t) => {
  const { at, network } = await mesh(t, 2);
  for (const key of ['a', 'b', 'c']) at(0).topics.publish('roster', bytes('1'), { key });
  const far = listen(at(1).topics, 'roster');
  await eventually(() => assert.equal(far.seen.length, 3));
  network.split(['h00'], ['h01']);
  await eventually(() => assert.deepEqual(far.seen.slice(3), ['lost n00']));
  await eventually(() => assert.equal(at(0).links.peers().length, 0));
  at(0).topics.publish('roster', bytes('2'), { key: 'a' });
  at(0).topics.forget('roster', 'b');
  assert.deepEqual(listen(at(1).topics, 'roster').seen, []);
  network.heal();
  await eventually(() => assert.deepEqual(far.seen.slice(4).toSorted(), ['a=2', 'b=', 'c=1']));
});

test('a publisher that started anew forgets nothing of what its former self said', async (t) => {
  const { at, network, start } = await mesh(t, 2);
  at(1).topics.publish('roster', bytes('1'), { key: 'a' });
  const far = listen(at(0).topics, 'roster');
  await eventually(() => assert.deepEqual(far.seen, ['a=1']));
  network.kill('h01');
  await at(1).close();
  network.revive('h01');
  const again = await start(1);
  again.topics.publish('roster', bytes('2'), { key: 'b' });
  await eventually(() => assert.deepEqual(far.seen, ['a=1', 'lost n01', 'b=2']));
});

test('interest is announced with the first subscriber and withdrawn a little after the last', async (t) => {
  const { at } = await mesh(t, 2);
  const events: string[] = [];
  at(0).topics.onInterest('host/', (topic, interested) => void events.push(`${topic} ${interested ? 'on' : 'off'}`));
  const first = listen(at(1).topics, 'host/1');
  const second = listen(at(1).topics, 'host/1');
  const other = listen(at(1).topics, 'overview');
  await eventually(() => assert.deepEqual(events, ['host/1 on']));
  first.stop();
  second.stop();
  other.stop();
  const again = listen(at(1).topics, 'host/1');
  again.stop();
  again.stop();
  await eventually(() => assert.deepEqual(events, ['host/1 on', 'host/1 off']));
});

test('a node that goes takes its interest with it, and a returning one brings it back', async (t) => {
  const { at, network } = await mesh(t, 2);
  listen(at(1).topics, 'host/1');
  await eventually(() => isWanted(at(0), 'host/1'));
  network.split(['h00'], ['h01']);
  await eventually(() => !isWanted(at(0), 'host/1'));
  network.heal();
  await eventually(() => isWanted(at(0), 'host/1'));
});

test('a listener for interest hears of what is wanted already', async (t) => {
  const { at } = await mesh(t, 1);
  listen(at(0).topics, 'host/1');
  assert.equal(isWanted(at(0), 'host/1'), true);
  assert.equal(isWanted(at(0), 'host/2'), false);
});

test('a subscriber that throws stays, and others get theirs', async (t) => {
  const { at } = await mesh(t, 1);
  at(0).topics.subscribe('cpu', { deliver: () => assert.fail('hostile'), lost: () => assert.fail('hostile') });
  const other = listen(at(0).topics, 'cpu');
  at(0).topics.publish('cpu', bytes('1'));
  at(0).topics.publish('cpu', bytes('2'));
  assert.deepEqual(other.seen, ['1', '2']);
  assert.equal(at(0).topics.counters()['subscriberFailures'], 2);
});

test('a publication made by a subscriber comes after the one it answers, for everybody', async (t) => {
  const { at } = await mesh(t, 1);
  at(0).topics.subscribe('cpu', {
    deliver: (delivery) => {
      if (textOf(delivery) === '1') at(0).topics.publish('cpu', bytes('2'));
    },
  });
  const other = listen(at(0).topics, 'cpu');
  at(0).topics.publish('cpu', bytes('1'));
  assert.deepEqual(other.seen, ['1', '2']);
});

test('a slow node misses live publications but ends with the newest of every key', async (t) => {
  const { at, network } = await mesh(t, 2, { links: { maxOutboxBytes: 50_000 }, windowBytes: 1000 });
  const live = listen(at(1).topics, 'overview');
  const kept = listen(at(1).topics, 'roster');
  await eventually(() => isWanted(at(0), 'overview') && isWanted(at(0), 'roster'));
  network.splitOneWay('h00', 'h01');
  const filler = 'x'.repeat(500);
  for (let round = 0; round < 20; round += 1)
    for (let key = 0; key < 50; key += 1) {
      at(0).topics.publish('overview', bytes(filler));
      at(0).topics.publish('roster', bytes(`${round} ${filler}`), { key: `k${key}` });
    }
  at(0).topics.forget('roster', 'k0');
  assert.ok((at(0).topics.counters()['notSent'] ?? 0) > 0);
  network.heal();
  const newest = (): Map<string, string> =>
    new Map(kept.seen.map((one) => [one.split('=')[0] ?? '', one.split('=')[1]?.split(' ')[0] ?? '']));
  await eventually(() => {
    assert.equal(newest().get('k0'), '');
    for (let key = 1; key < 50; key += 1) assert.equal(newest().get(`k${key}`), '19');
  });
  assert.ok(live.seen.length < 1000);
});

test('thousands of retained keys arrive whole, in parts', async (t) => {
  const { at } = await mesh(t, 2);
  for (let key = 0; key < 5000; key += 1)
    at(0).topics.publish('roster', new Uint8Array(500).fill(key), { key: `host-${key}` });
  const keys = new Set<string | undefined>();
  at(1).topics.subscribe('roster', { deliver: ({ key }) => void keys.add(key) });
  await eventually(() => assert.equal(keys.size, 5000));
});

test('what does not fit the bounds is published live, not retained, and counted', async (t) => {
  const { at } = await mesh(t, 1, { topics: { maxKeys: 2, maxBytes: 100 } });
  const live = listen(at(0).topics, 'roster');
  for (const key of ['a', 'b', 'c']) at(0).topics.publish('roster', bytes('1'), { key });
  at(0).topics.publish('roster', new Uint8Array(100), { key: 'b' });
  assert.equal(live.seen.length, 4);
  assert.equal(at(0).topics.counters()['retainedRefused'], 2);
  assert.deepEqual(listen(at(0).topics, 'roster').seen, ['a=1']);
});

test('the publisher may use its buffer again after publishing', async (t) => {
  const { at } = await mesh(t, 1);
  const buffer = bytes('before');
  at(0).topics.publish('roster', buffer, { key: 'a' });
  buffer.fill(0);
  assert.deepEqual(listen(at(0).topics, 'roster').seen, ['a=before']);
});

test('what no node says about topics is counted and ignored', async (t) => {
  const { at } = await mesh(t, 2);
  const far = listen(at(1).topics, 'cpu');
  const hostile: readonly unknown[] = [
    null,
    'interest',
    ['interest', 0, 1, 'cpu', []],
    ['interest', 0, 1, [1], []],
    ['interest', 0, 1, ['x'.repeat(513)], []],
    ['interest', 1, 1, ['cpu'], []],
    ['interest', 0.5, 1, ['cpu'], []],
    ['news', 'cpu', 'text', 1],
    ['news', 'cpu', new Uint8Array(1)],
    ['news', 'cpu', new Uint8Array(1), -1],
    ['upto', 'cpu', 1],
    ['upto', [['cpu', '1']]],
    ['refused', 1],
    ['retained', 'cpu', true, true, [['a', 'text']], 1],
    ['retained', 'cpu', true, true, []],
    ['retained', 'cpu', true, true],
    ['other'],
  ];
  for (const message of hostile) at(0).links.tell('n01', endpoint, message);
  at(0).links.tell('n01', endpoint, ['news', 'unwanted', new Uint8Array(1), 1]);
  await eventually(() => assert.equal(at(1).topics.counters()['malformed'], hostile.length));
  await eventually(() => assert.equal(at(1).topics.counters()['unwanted'], 1));
  assert.deepEqual(far.seen, []);
});

test('names that are too long are mistakes of the caller', async (t) => {
  const { at } = await mesh(t, 1);
  assert.throws(() => at(0).topics.publish('x'.repeat(513), bytes('1')), /at most 512 characters/);
  assert.throws(() => at(0).topics.publish('x', bytes('1'), { key: 'x'.repeat(513) }), /at most 512 characters/);
});
