import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeOverviewFrame, overviewColumns } from '@thrum/actors/wire/frame';
import type { RosterEntry } from '@thrum/actors/wire/roster';
import type { Greeting } from '@thrum/actors/wire/web-to-browser';
import { Fleet } from './fleet.svelte.ts';

const id = (n: number): string => `00000000-0000-4000-8000-${n.toString().padStart(12, '0')}`;

const entry = (n: number, more: Partial<RosterEntry> = {}): RosterEntry => ({
  hostId: id(n),
  machine: {
    name: `host-${n}`,
    os: '',
    kernel: '',
    arch: '',
    model: '',
    cpu: '',
    cores: 2,
    memoryBytes: 0,
    virtual: '',
  },
  cluster: 'default',
  labels: {},
  agentVersion: '1',
  periodMs: 1000,
  connection: 'connected',
  sinceMs: 0,
  clockOffsetMs: 0,
  node: 'n',
  epoch: 1,
  attempt: 1,
  degraded: [],
  ...more,
});

const rows = (...list: { n: number; sampleMs: number; ageMs?: number; cpu?: number }[]): Uint8Array =>
  encodeOverviewFrame(
    list.map(({ n, sampleMs, ageMs = 10, cpu = 5 }) => ({
      hostId: id(n),
      sampleMs,
      ageMs,
      values: Float32Array.from([cpu]),
    })),
  );

const greeting = (entries: readonly RosterEntry[], overview: readonly Uint8Array[] = []): Greeting => ({
  protocol: 1,
  node: 'web',
  version: '1',
  serverMs: 100_000,
  roster: entries,
  columns: overviewColumns,
  overview,
  ingest: [],
});

const greeted = (...hosts: number[]): Fleet => {
  const fleet = new Fleet();
  fleet.greet(greeting(hosts.map((n) => entry(n))), 0, true);
  return fleet;
};

test('a host goes from waiting to live to late to stale by the clock alone', () => {
  const fleet = greeted(1);
  fleet.survey(0, false);
  assert.equal(fleet.counts.waiting, 1);
  fleet.frame(rows({ n: 1, sampleMs: 99_990 }), 1000, true);
  const seen = [1000, 4000, 7000].map((nowMs) => fleet.survey(nowMs, false).map(({ to }) => to));
  assert.deepEqual(seen, [['live'], ['late'], ['stale']]);
});

test('values that came a long time ago do not look young because they are repeated', () => {
  const fleet = new Fleet();
  fleet.greet(greeting([entry(1)], [rows({ n: 1, sampleMs: 40_000 })]), 0, true);
  assert.equal(fleet.host(id(1))?.ageMs(0), 60_000);
  fleet.survey(0, false);
  assert.equal(fleet.counts.stale, 1);
});

test('numbers that move are no reason to reorder, a state of another rank is', () => {
  const fleet = greeted(1, 2);
  fleet.frame(rows({ n: 1, sampleMs: 1 }, { n: 2, sampleMs: 1 }), 0, true);
  fleet.survey(0, false);
  const { ranks } = fleet;
  fleet.frame(rows({ n: 1, sampleMs: 1000, cpu: 99 }), 1000, true);
  fleet.survey(1000, false);
  assert.equal(fleet.ranks, ranks);
  fleet.roster({ entries: [entry(2, { connection: 'down' })], gone: [] });
  assert.deepEqual(
    fleet.survey(1100, false).map(({ from, to }) => [from, to]),
    [['live', 'down']],
  );
  assert.equal(fleet.ranks, ranks + 1);
});

test('what is said of a host last is what is shown', () => {
  const fleet = greeted(1);
  fleet.roster({ entries: [entry(1, { attempt: 5, node: 'b' })], gone: [] });
  assert.equal(fleet.host(id(1))?.entry.node, 'b');
});

test('a host nobody knows any more is gone', () => {
  const fleet = greeted(1, 2);
  fleet.roster({ entries: [], gone: [id(1)] });
  assert.deepEqual(
    [...fleet.hosts].map((host) => host.id),
    [id(2)],
  );
});

test('another web node that does not know a host yet has ten seconds to learn of it', () => {
  const fleet = greeted(1, 2);
  fleet.greet(greeting([entry(1)]), 1000, true);
  fleet.survey(10_900, false);
  assert.equal(fleet.size, 2);
  fleet.survey(11_000, false);
  assert.equal(fleet.size, 1);
});

test('in a hidden tab nothing that is drawn changes, and all of it is there when the tab is seen', () => {
  const fleet = greeted(1);
  fleet.frame(rows({ n: 1, sampleMs: 1000, cpu: 1 }), 0, true);
  fleet.frame(rows({ n: 1, sampleMs: 2000, cpu: 2 }), 1000, false);
  assert.equal(fleet.host(id(1))?.value('cpu'), 1);
  fleet.see();
  assert.equal(fleet.host(id(1))?.value('cpu'), 2);
});

test('a column no host has values for is known as such', () => {
  const fleet = greeted(1);
  fleet.frame(rows({ n: 1, sampleMs: 1000 }), 0, true);
  fleet.survey(0, false);
  assert.deepEqual([...fleet.columns], ['cpu']);
  assert.equal(fleet.host(id(1))?.value('memory'), undefined);
});

test('under a dead link nothing is live', () => {
  const fleet = greeted(1);
  fleet.frame(rows({ n: 1, sampleMs: 1000 }), 0, true);
  fleet.survey(0, true);
  assert.equal(fleet.counts.live, 0);
  assert.equal(fleet.counts.stale, 1);
});
