import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { eventually } from '../testing/eventually.ts';
import { fakeClock } from '../testing/fake-clock.ts';
import { startNodes } from '../testing/nodes.ts';
import type { TestNode, TestNodes, TestNodesOptions } from '../testing/nodes.ts';

const mesh = async (t: TestContext, count: number, options: TestNodesOptions = {}): Promise<TestNodes> => {
  const nodes = await startNodes(count, options);
  t.after(() => nodes.close());
  return nodes;
};
/** The first two nodes. */
const two = ({ nodes }: TestNodes): [TestNode, TestNode] => {
  const [a, b] = nodes;
  assert.ok(a && b);
  return [a, b];
};

test('six nodes that know one seed form the full mesh, one link per pair', async (t) => {
  const { nodes } = await mesh(t, 6);
  for (const node of nodes) {
    assert.equal(node.links.peers().length, 5);
    assert.equal(node.links.counters()['linksUp'], 5);
    assert.equal(node.links.counters()['linksDown'], 0);
  }
});

test('messages to a peer arrive in order, whatever their size and however many are queued in one turn', async (t) => {
  const [a, b] = two(await mesh(t, 2));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 60 }), async (sizes) => {
      const got: number[] = [];
      const stop = b.links.serve('sizes', (message) => void got.push((message as Uint8Array).byteLength));
      for (const size of sizes) assert.deepEqual(a.links.tell('n01', 'sizes', new Uint8Array(size)), { ok: true });
      await eventually(() => assert.equal(got.length, sizes.length));
      stop();
      assert.deepEqual(got, sizes);
    }),
    { numRuns: 20 },
  );
});

test('what is told in one turn travels in one frame', async (t) => {
  const [a, b] = two(await mesh(t, 2));
  let got = 0;
  b.links.serve('count', () => void (got += 1));
  const before = a.links.counters()['framesOut'] ?? 0;
  for (let at = 0; at < 1000; at += 1) a.links.tell('n01', 'count', at);
  await eventually(() => assert.equal(got, 1000));
  assert.ok((a.links.counters()['framesOut'] ?? 0) - before <= 3);
});

test('a question is answered, by a value or a promise, and the asker is named', async (t) => {
  const [a, b] = two(await mesh(t, 2));
  b.links.serve('double', async (message, from) => {
    await nextTurn();
    return { double: Number(message) * 2, from: from.id };
  });
  assert.deepEqual(await a.links.ask('n01', 'double', 21, { deadlineMs: 5000 }), {
    ok: true,
    value: { double: 42, from: 'n00' },
  });
});

test('a question says why it has no answer', async (t) => {
  const [a, b] = two(await mesh(t, 2));
  b.links.serve('throws', () => {
    throw new Error('no such thing');
  });
  b.links.serve('hangs', () => new Promise(() => undefined));
  b.links.serve('unsendable', () => () => 1);
  const ask = (node: string, endpoint: string) => a.links.ask(node, endpoint, null, { deadlineMs: 200 });
  assert.deepEqual(await ask('n01', 'throws'), { ok: false, reason: 'failed', detail: 'no such thing' });
  assert.deepEqual(await ask('n01', 'hangs'), { ok: false, reason: 'deadline', detail: 'no answer within 200 ms' });
  assert.deepEqual(await ask('n01', 'nothing'), { ok: false, reason: 'failed', detail: 'nobody serves nothing here' });
  assert.deepEqual(await ask('n99', 'throws'), { ok: false, reason: 'no-link', detail: 'no link to node n99' });
  const unsendable = await ask('n01', 'unsendable');
  assert.ok(!unsendable.ok && unsendable.reason === 'failed');
  assert.match(unsendable.detail, /cannot be encoded/);
  const answers = await ask('n01', 'throws');
  assert.equal(answers.ok, false, 'the link is still there');
});

test('the own id works like any other, without a socket', async (t) => {
  const { nodes } = await mesh(t, 1);
  const [a] = nodes;
  assert.ok(a);
  const got: unknown[] = [];
  a.links.serve('mine', (message) => (got.push(message), 'seen'));
  assert.deepEqual(a.links.tell('n00', 'mine', 1), { ok: true });
  assert.deepEqual(await a.links.ask('n00', 'mine', 2, { deadlineMs: 1000 }), { ok: true, value: 'seen' });
  assert.deepEqual(got, [1, 2]);
  assert.equal((await a.links.ask('n00', 'other', 2, { deadlineMs: 1000 })).ok, false);
});

test('a peer that dies in the middle of a question ends it at once', async (t) => {
  const all = await mesh(t, 2);
  const [a, b] = two(all);
  let asked = false;
  b.links.serve('hangs', () => ((asked = true), new Promise(() => undefined)));
  const asking = a.links.ask('n01', 'hangs', null, { deadlineMs: 60_000 });
  await eventually(() => asked);
  all.network.kill('h01');
  const outcome = await asking;
  assert.ok(!outcome.ok && outcome.reason === 'no-link');
  assert.match(outcome.detail, /the process is gone/);
});

test('listeners hear of every peer once up and once down, also those there before', async (t) => {
  const all = await mesh(t, 3);
  const [a, b] = two(all);
  const events: string[] = [];
  const stop = a.links.onPeer({
    up: (peer) => void events.push(`up ${peer.id}`),
    down: (peer, reason) => void events.push(`down ${peer.id}: ${reason}`),
  });
  a.links.onPeer({ up: () => assert.fail('hostile'), down: () => assert.fail('hostile') });
  assert.deepEqual(events.toSorted(), ['up n01', 'up n02']);
  await b.close();
  await eventually(() => assert.deepEqual(events.slice(2), ['down n01: it was shut down']));
  await all.start(1);
  await eventually(() => assert.equal(events.at(-1), 'up n01'));
  stop();
});

test('a node that was killed and starts again replaces its former self', async (t) => {
  const all = await mesh(t, 3);
  const [a] = all.nodes;
  assert.ok(a);
  const first = a.links.peers().find((peer) => peer.id === 'n02')?.incarnation ?? 0;
  all.network.kill('h02');
  await all.nodes[2]?.close();
  all.network.revive('h02');
  const again = await all.start(2);
  await eventually(() => assert.ok((a.links.peers().find((peer) => peer.id === 'n02')?.incarnation ?? 0) > first));
  await eventually(() => assert.equal(again.links.peers().length, 2));
});

test('a split is noticed after 5 s of silence on both sides, and healed by itself', async (t) => {
  const clock = fakeClock();
  const all = await startNodes(4, { clock, unlinked: true });
  t.after(() => all.close());
  const run = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 50) {
      clock.advance(50);
      await nextTurn();
      await nextTurn();
    }
  };
  const counts = (): number[] => all.nodes.map((node) => node.links.peers().length);
  await run(2000);
  assert.deepEqual(counts(), [3, 3, 3, 3]);
  all.network.split(['h00', 'h01'], ['h02', 'h03']);
  await run(3900);
  assert.deepEqual(counts(), [3, 3, 3, 3]);
  await run(1500);
  assert.deepEqual(counts(), [1, 1, 1, 1]);
  await run(60_000);
  all.network.heal();
  await run(8000);
  assert.deepEqual(counts(), [3, 3, 3, 3]);
});

test('nodes that dial each other at once end with one link, whatever the delays', async () => {
  for (let seed = 1; seed <= 15; seed += 1) {
    const clock = fakeClock();
    const all = await startNodes(3, { clock, seed, unlinked: true, delayMs: { min: 0, max: 80 }, lossRate: 0.05 });
    for (let at = 0; at < 4000; at += 10) {
      clock.advance(10);
      await nextTurn();
    }
    const total = (name: string): number =>
      all.nodes.reduce((sum, { links }) => sum + (links.counters()[name] ?? 0), 0);
    assert.deepEqual([total('links'), total('linksUp'), total('linksDown')], [6, 6, 0], `seed ${seed}`);
    const closing = all.close();
    clock.advance(10_000);
    await closing;
  }
});

test('a slow peer costs a bounded outbox: live messages are dropped, others refused, control passes, and all is counted', async (t) => {
  const all = await mesh(t, 2, { links: { maxOutboxBytes: 100_000 }, windowBytes: 1000 });
  const [a, b] = two(all);
  const got: string[] = [];
  b.links.serve('kept', () => void got.push('kept'));
  b.links.serve('live', (message) => void got.push(`live ${String((message as { at: number }).at)}`));
  all.network.splitOneWay('h00', 'h01');
  const payload = new Uint8Array(1000);
  for (let at = 0; at < 2000; at += 1) a.links.tell('n01', 'live', { at, payload }, { droppable: true });
  for (let at = 2000; at < 6000; at += 1) {
    a.links.tell('n01', 'live', { at, payload }, { droppable: true });
    if (at % 100 === 0) await nextTurn();
  }
  let refused = 0;
  for (let at = 0; at < 500; at += 1) if (!a.links.tell('n01', 'kept', payload).ok) refused += 1;
  const counters = a.links.counters();
  assert.ok((counters['outboxBytes'] ?? 0) < 100_000 + 400 * 1024, `${counters['outboxBytes'] ?? 0}`);
  assert.ok(refused > 300 && counters['full'] === refused);
  assert.ok((counters['dropped'] ?? 0) > 5000);
  all.network.heal();
  await eventually(() => assert.equal(got.filter((one) => one === 'kept').length, 500 - refused));
});

test('a message larger than a frame is refused, an answer of that size fails, and the link stays', async (t) => {
  const [a, b] = two(await mesh(t, 2));
  const huge = new Uint8Array(17 * 1024 * 1024);
  assert.deepEqual(a.links.tell('n01', 'x', huge), { ok: false, reason: 'full' });
  b.links.serve('huge', () => huge);
  const outcome = await a.links.ask('n01', 'huge', null, { deadlineMs: 5000 });
  assert.ok(!outcome.ok && outcome.reason === 'failed');
  assert.match(outcome.detail, /the answer has 17825\d+ bytes/);
});

test('an endpoint is served once, and free again after', async (t) => {
  const { nodes } = await mesh(t, 1);
  const links = nodes[0]?.links;
  assert.ok(links);
  const stop = links.serve('x', () => 1);
  assert.throws(() => links.serve('x', () => 2), /endpoint x is served already/);
  stop();
  links.serve('x', () => 3);
});

test('after close nothing is left: no timers, no links, and telling says no-link', async () => {
  const clock = fakeClock();
  const all = await startNodes(3, { clock, unlinked: true });
  for (let at = 0; at < 100; at += 1) {
    clock.advance(20);
    await nextTurn();
  }
  const [a] = all.nodes;
  assert.ok(a && a.links.peers().length === 2);
  await all.close();
  assert.deepEqual(a.links.tell('n01', 'x', 1), { ok: false, reason: 'no-link' });
  assert.deepEqual(a.links.tell('n00', 'x', 1), { ok: false, reason: 'no-link' });
  assert.equal((await a.links.ask('n00', 'x', 1, { deadlineMs: 10 })).ok, false);
  await eventually(() => assert.equal(clock.pending(), 0));
});
