import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { eventually } from '@thrum/actors/testing/eventually';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import {
  decodeHostFrame,
  decodeSnapshot,
  encodeHostFrame,
  encodeSnapshot,
  type Snapshot,
} from '@thrum/actors/wire/frame';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import { createCounters } from './counters.ts';
import { createHostWatch, watchLimits, type SnapshotOutcome } from './host-watch.ts';

const hostId = '00000000-0000-4000-8000-000000000001';

const snapshotOf = (seq: number, table = 7, metrics = ['load1']): Snapshot => ({
  hostId,
  table: { id: table, series: [{ target: 'load', fields: [], metrics }] },
  seq,
  timesMs: Float64Array.from({ length: seq }, (_, i) => (i + 1) * 1000),
  columns: metrics.map(() => Float32Array.from({ length: seq }, (_, i) => i + 1)),
});
const answer = (snapshot: Snapshot): SnapshotOutcome => ({
  ok: true,
  gzip: true,
  bytes: new Uint8Array(gzipSync(encodeSnapshot(snapshot))),
});
const frame = (seq: number, table = 7, values = [seq]): Uint8Array =>
  encodeHostFrame({ hostId, table, seq, sampleMs: seq * 1000, ageMs: 1, values: Float32Array.from(values) });

/** Everything one tab was given, in order. */
const viewerOf = () => {
  const got: string[] = [];
  const snapshots: Snapshot[] = [];
  const ages: number[] = [];
  return {
    got,
    snapshots,
    ages,
    snapshot: (bytes: Uint8Array, gzip: boolean): void => {
      const read = decodeSnapshot(gzip ? new Uint8Array(gunzipSync(bytes)) : bytes);
      assert.ok(read);
      snapshots.push(read);
      got.push(`snapshot ${read.seq}`);
    },
    refused: (refusal: Refusal): void => void got.push(refusal.code),
    frame: (bytes: Uint8Array): void => {
      const read = decodeHostFrame(bytes);
      ages.push(read?.ageMs ?? NaN);
      got.push(`frame ${read?.seq}`);
    },
  };
};

const start = () => {
  const clock = fakeClock();
  const counters = createCounters();
  const asked: { node: string; answer: (outcome: SnapshotOutcome) => void }[] = [];
  const state: { owner: string | undefined } = { owner: 'a' };
  /** What is watched for its end, by node. */
  const downs = new Map<string, () => void>();
  const watch = createHostWatch({
    clock,
    counters,
    owner: () => state.owner,
    ask: (node) => new Promise((resolve) => asked.push({ node, answer: resolve })),
    watchServer: (node, down) => {
      downs.set(node, down);
      return () => void downs.delete(node);
    },
  });
  const nodes = (): string[] => asked.map((one) => one.node);
  return { clock, counters, asked, downs, nodes, state, watch };
};

test('a viewer gets the snapshot first and then the frames that came meanwhile', async () => {
  const { watch, asked } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  watch.deliver('a', frame(3));
  watch.deliver('a', frame(4));
  assert.deepEqual(viewer.got, []);
  asked[0]?.answer(answer(snapshotOf(3)));
  await eventually(() => viewer.got.length === 2);
  watch.deliver('a', frame(5));
  assert.deepEqual(viewer.got, ['snapshot 3', 'frame 4', 'frame 5']);
});

test('a second viewer shares the snapshot, brought up to date, without another question', async () => {
  const { watch, asked, clock } = start();
  const first = viewerOf();
  watch.join(first);
  asked[0]?.answer(answer(snapshotOf(3)));
  await eventually(() => first.got.length === 1);
  for (const seq of [4, 5, 6]) watch.deliver('a', frame(seq));
  clock.advance(5000);
  const second = viewerOf();
  watch.join(second);
  await eventually(() => second.got.length === 2);
  assert.deepEqual(second.got, ['snapshot 6', 'frame 6']);
  assert.deepEqual([...(second.snapshots[0]?.timesMs ?? [])], [1000, 2000, 3000, 4000, 5000, 6000]);
  assert.equal(second.ages[0], 5001, 'the newest frame is as old as it is now');
  assert.equal(asked.length, 1);
  watch.deliver('a', frame(7));
  assert.equal(second.got.at(-1), 'frame 7');
});

test('frames of another node are held back until its snapshot has come', async () => {
  const { watch, asked, nodes, state, counters } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  asked[0]?.answer(answer(snapshotOf(3)));
  await eventually(() => viewer.got.length === 1);
  watch.deliver('b', frame(1));
  assert.equal(counters.read()['web_frames_foreign'], 1);
  state.owner = 'b';
  watch.rosterChanged(true);
  watch.deliver('b', frame(1));
  watch.deliver('a', frame(4));
  watch.deliver('b', frame(2));
  assert.deepEqual(nodes(), ['a', 'b']);
  assert.deepEqual(viewer.got, ['snapshot 3']);
  asked[1]?.answer(answer(snapshotOf(1)));
  await eventually(() => viewer.got.length === 3);
  assert.deepEqual(viewer.got, ['snapshot 3', 'snapshot 1', 'frame 2']);
});

test('when what serves the host goes down, its new owner is asked at once', async () => {
  const { watch, asked, downs, nodes, state, counters } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  asked[0]?.answer(answer(snapshotOf(3)));
  await eventually(() => viewer.got.length === 1);
  assert.deepEqual([...downs.keys()], ['a']);
  state.owner = 'b';
  downs.get('a')?.();
  assert.deepEqual(nodes(), ['a', 'b']);
  assert.deepEqual([...downs.keys()], ['b']);
  assert.equal(counters.read()['web_hosts_orphaned'], 1);
  watch.close();
  assert.deepEqual([...downs.keys()], []);
});

test('a late answer of the node that lost the host is not believed', async () => {
  const { watch, asked, nodes, state } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  state.owner = 'b';
  watch.rosterChanged(true);
  asked[0]?.answer(answer(snapshotOf(3)));
  await eventually(() => asked.length === 2);
  assert.deepEqual(nodes(), ['a', 'b']);
  asked[1]?.answer(answer(snapshotOf(9)));
  await eventually(() => viewer.got.length === 1);
  assert.deepEqual(viewer.got, ['snapshot 9']);
});

test('a frame that does not fit the table brings a new snapshot to everybody', async () => {
  const { watch, asked, clock } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  asked[0]?.answer(answer(snapshotOf(3)));
  await eventually(() => viewer.got.length === 1);
  clock.advance(watchLimits.renewEveryMs);
  watch.deliver('a', frame(4, 7, [1, 2]));
  asked[1]?.answer(answer(snapshotOf(4, 7, ['load1', 'load5'])));
  await eventually(() => viewer.snapshots.length === 2);
  watch.deliver('a', frame(5, 8));
  watch.deliver('a', frame(6, 8));
  assert.equal(asked.length, 2, 'not more often than every two seconds');
  clock.advance(watchLimits.renewEveryMs);
  assert.equal(asked.length, 3);
});

test('frames lost on the way bring a new snapshot', async () => {
  const { watch, asked, counters, clock } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  watch.deliver('a', frame(3));
  asked[0]?.answer(answer(snapshotOf(3)));
  await eventually(() => viewer.snapshots.length === 1);
  watch.deliver('a', frame(4));
  assert.equal(asked.length, 1);
  clock.advance(watchLimits.renewEveryMs);
  watch.deliver('a', frame(9));
  assert.equal(asked.length, 2);
  assert.equal(counters.read()['web_frames_missed'], 1);
});

test('a host that is away is said once, frames come without a snapshot, and it is asked again when it is back', async () => {
  const { watch, asked, clock } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  asked[0]?.answer(refuse('host-away'));
  await eventually(() => viewer.got.length === 1);
  watch.deliver('a', frame(1));
  clock.advance(600_000);
  assert.equal(asked.length, 1);
  watch.rosterChanged(false);
  assert.equal(asked.length, 1);
  watch.rosterChanged(true);
  asked[1]?.answer(answer(snapshotOf(2)));
  await eventually(() => viewer.got.length >= 3);
  assert.deepEqual(viewer.got.slice(0, 3), ['host-away', 'frame 1', 'snapshot 2']);
});

test('a refusal that may pass is tried again, more and more rarely', async () => {
  const { watch, asked, clock } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  const delays: number[] = [];
  for (let i = 0; i < 7; i += 1) {
    asked.at(-1)?.answer(refuse('busy'));
    await eventually(() => clock.pending() === 1);
    const before = clock.monotonicMs();
    const count = asked.length;
    while (asked.length === count) clock.advance(100);
    delays.push(clock.monotonicMs() - before);
  }
  assert.deepEqual(delays, [2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(watchLimits.maxRetryMs, 30_000);
});

test('a host nobody knows is refused, and watched from the moment the roster names it', async () => {
  const { watch, asked, state } = start();
  state.owner = undefined;
  const viewer = viewerOf();
  watch.join(viewer);
  assert.deepEqual(viewer.got, ['unknown-host']);
  state.owner = 'a';
  watch.rosterChanged(true);
  asked[0]?.answer(answer(snapshotOf(2)));
  await eventually(() => viewer.got.length === 2);
  assert.equal(viewer.got[1], 'snapshot 2');
});

test('frames behind the snapshot are made part of it, so that they stay few', async () => {
  const { watch, asked } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  asked[0]?.answer(answer(snapshotOf(3)));
  await eventually(() => viewer.got.length === 1);
  for (let seq = 4; seq <= 1000; seq += 1) watch.deliver('a', frame(seq));
  assert.equal(viewer.got.length, 998);
  const late = viewerOf();
  watch.join(late);
  await eventually(() => late.got.length > 0);
  assert.equal(late.got[0], 'snapshot 1000');
  assert.equal(late.snapshots[0]?.timesMs.length, 601, 'ten minutes are kept');
  assert.equal(asked.length, 1);
});

test('bytes that are no frame and answers that are no snapshot hurt nobody', async () => {
  const { watch, asked, counters, clock } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  watch.deliver('a', new Uint8Array([1, 2, 3]));
  asked[0]?.answer({ ok: true, gzip: true, bytes: new Uint8Array([31, 139, 8, 0, 1]) });
  await eventually(() => viewer.got.length === 1);
  assert.deepEqual(viewer.got, ['host-away']);
  assert.equal(counters.read()['web_frames_malformed'], 1);
  watch.close();
  assert.equal(clock.pending(), 0);
});

test('missed frames are made up for by another snapshot, also when they were missed while one was asked', async () => {
  const { watch, asked, clock } = start();
  const viewer = viewerOf();
  watch.join(viewer);
  watch.stale('a', 'begins');
  asked[0]?.answer(answer(snapshotOf(3)));
  await eventually(() => viewer.got.includes('snapshot 3'));
  clock.advance(watchLimits.renewEveryMs);
  assert.equal(asked.length, 1, 'a stream that begins before the answer is whole');
  watch.stale('b', 'gap');
  assert.equal(asked.length, 1, 'of a node that does not own the host');
  watch.stale('a', 'gap');
  assert.equal(asked.length, 2);
  watch.stale('a', 'gap');
  asked[1]?.answer(answer(snapshotOf(5)));
  await eventually(() => viewer.got.includes('snapshot 5'));
  clock.advance(watchLimits.renewEveryMs);
  assert.equal(asked.length, 3, 'the answer may be older than the gap');
  asked[2]?.answer(answer(snapshotOf(8)));
  await eventually(() => viewer.got.includes('snapshot 8'));
  watch.stale('a', 'begins');
  clock.advance(watchLimits.renewEveryMs);
  assert.equal(asked.length, 4, 'its link was gone meanwhile');
});
