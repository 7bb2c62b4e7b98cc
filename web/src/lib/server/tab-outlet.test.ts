import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Refusal } from '@thrum/actors/wire/refusal';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import { createCounters } from './counters.ts';
import { pacingLimits } from './pacing.ts';
import { createTabOutlet } from './tab-outlet.ts';

const entry = (hostId: string): RosterEntry => ({ hostId }) as RosterEntry;
const bytes = (size: number): Uint8Array => new Uint8Array(size);

const start = () => {
  const sent: string[] = [];
  const state = { queued: 0, nowMs: 0, closed: undefined as Refusal | undefined, again: 0 };
  const counters = createCounters();
  const outlet = createTabOutlet(
    {
      queuedBytes: () => state.queued,
      emit: (event: string, ...args: unknown[]) => {
        const [first] = args;
        sent.push(first instanceof Uint8Array ? `${event} ${first.length}` : event);
      },
      close: (refusal) => (state.closed = refusal),
    },
    {
      nowMs: () => state.nowMs,
      serverMs: () => 1,
      overview: () => bytes(999),
      roster: (hostId) => (hostId === 'gone' ? undefined : entry(hostId)),
      ingest: () => [],
    },
    counters,
  );
  const slow = (): void => void (state.queued = pacingLimits.easyBytes + 1);
  const drain = (): void => {
    state.queued = 0;
    outlet.drained();
  };
  return { outlet, sent, state, counters, slow, drain };
};

test('a tab that keeps up is sent everything as it comes', () => {
  const { outlet, sent } = start();
  const viewer = outlet.watch('h');
  viewer?.snapshot(bytes(5000), true);
  viewer?.frame(bytes(100));
  outlet.overview(bytes(64));
  assert.equal(outlet.takesRoster({ entries: [entry('h')], gone: [] }), true);
  outlet.ingest();
  assert.deepEqual(sent, ['snapshot 5000', 'frame 100', 'frame 64', 'ingest']);
});

test('a slow tab gets the latest frame, the whole overview and the roster of now when there is room again', () => {
  const { outlet, sent, slow, drain, counters } = start();
  const viewer = outlet.watch('h');
  slow();
  for (const size of [100, 101, 102]) viewer?.frame(bytes(size));
  outlet.overview(bytes(64));
  outlet.overview(bytes(64));
  assert.equal(outlet.takesRoster({ entries: [entry('a'), entry('b')], gone: ['gone'] }), false);
  outlet.ingest();
  assert.deepEqual(sent, []);
  drain();
  assert.deepEqual(sent, ['ingest', 'roster', 'frame 102', 'frame 999']);
  assert.equal(counters.read()['web_frames_skipped'], 4);
  drain();
  assert.equal(sent.length, 4);
});

test('a snapshot that finds no room is asked for anew later, and no frame overtakes it', () => {
  const { outlet, sent, slow, drain, state } = start();
  const viewer = outlet.watch('h', () => (state.again += 1));
  slow();
  viewer?.snapshot(bytes(5000), true);
  viewer?.frame(bytes(100));
  drain();
  assert.deepEqual(sent, []);
  assert.equal(state.again, 1);
});

test('what belongs to the host before is not sent any more', () => {
  const { outlet, sent, slow, drain } = start();
  const before = outlet.watch('h');
  slow();
  before?.frame(bytes(100));
  outlet.watch('other');
  drain();
  before?.frame(bytes(100));
  before?.snapshot(bytes(100), false);
  assert.deepEqual(sent, []);
});

test('silence is broken once a second, and only silence', () => {
  const { outlet, sent } = start();
  outlet.beat();
  outlet.overview(bytes(64));
  outlet.beat();
  outlet.beat();
  assert.deepEqual(sent, ['beat', 'frame 64', 'beat']);
});

test('a tab that takes nothing for 15 s is closed with a reason, once, and costs nothing after', () => {
  const { outlet, sent, slow, state, counters } = start();
  slow();
  for (let second = 0; second <= 15; second += 1) {
    state.nowMs = second * 1000;
    assert.equal(state.closed, undefined);
    outlet.beat();
  }
  assert.equal(state.closed?.code, 'too-fast');
  outlet.overview(bytes(64));
  outlet.beat();
  assert.deepEqual(sent, []);
  assert.equal(counters.read()['web_tabs_too_slow'], 1);
});

test('a large answer waits for room', () => {
  const { outlet, slow, drain } = start();
  const ran: number[] = [];
  outlet.whenRoom(() => ran.push(1));
  slow();
  outlet.whenRoom(() => ran.push(2));
  assert.deepEqual(ran, [1]);
  drain();
  assert.deepEqual(ran, [1, 2]);
});
