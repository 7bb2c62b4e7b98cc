import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Log } from '@thrum/actors/system/log';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { agentEventSchema, type AgentEvent } from '@thrum/actors/wire/events';
import { startHappenings } from './happenings.ts';
import type { Durability, Gap, Position } from './queue/queue.ts';

const warnings: string[] = [];
const quiet: Log = {
  ...{ debug: () => undefined, info: () => undefined, error: () => undefined },
  warn: (_fields, message) => void warnings.push(message),
  child: () => quiet,
};
const gap = (id: string): Gap => ({
  ...{
    id,
    epoch: 6,
    firstSeq: 3,
    lastSeq: 5,
    batches: 3,
    samples: 40,
    bytes: 1000,
    fromMs: 1,
    toMs: 2,
    reason: 'full',
  },
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const rig = (gaps: Gap[] = []) => {
  const clock = fakeClock();
  const told: AgentEvent[] = [];
  const toldIn = new Map<string, Position>();
  const log: string[] = [];
  const state: { durability: Durability; fails: boolean; hold: Promise<void> } = {
    durability: { state: 'durable', detail: '' },
    fails: false,
    hold: Promise.resolve(),
  };
  const happenings = startHappenings({
    queue: {
      account: () => ({ produced: 10, stored: 4, refused: 1, gap: 2, queued: 3 }),
      durability: () => state.durability,
      nextGap: () => gaps.find(({ id }) => !toldIn.has(id)),
      gapIsToldIn: (id, at) => {
        log.push(at ? `${id} in ${at.epoch}/${at.seq}` : `${id} in none`);
        if (at) toldIn.set(id, at);
        else toldIn.delete(id);
      },
    },
    recording: {
      counters: { valuesLeftOut: 0, ticksLost: 5 },
      events: (events) => {
        const at = { epoch: 7, seq: told.length };
        if (state.fails) return { at, safe: Promise.reject(new Error('BUG: no')) };
        told.push(...events);
        return {
          at,
          safe: state.hold.then(() => {
            for (const one of events) log.push(`safe ${one.id}`);
          }),
        };
      },
    },
    ...{ epoch: 7, agentVersion: '1.2', found: { wasClean: false, batches: 12 }, clock, log: quiet },
    nowMs: () => clock.wallMs() + 0.25,
  });
  const untold = (): number => gaps.filter(({ id }) => !toldIn.has(id)).length;
  return { clock, told, log, state, happenings, gaps, untold, ids: () => told.map(({ id }) => id) };
};

describe('what happens on an agent', () => {
  it('is told at the start with what was found, and every hour and at the stop with the account', async () => {
    const r = rig();
    await turn();
    assert.deepEqual(r.ids(), ['start-7', 'account-7-1']);
    const account = { produced: 10, stored: 4, refused: 1, gap: 2, queued: 3, ticks_lost: 5 };
    assert.deepEqual(r.told[0]?.facts, { agent_version: '1.2', clean: false, batches_waiting: 12, ...account });
    assert.deepEqual(r.told[1]?.facts, account);
    r.clock.advance(2 * 3_600_000);
    await r.happenings.stop();
    assert.deepEqual(r.ids().slice(2), ['account-7-2', 'account-7-3', 'stop-7', 'account-7-4']);
    assert.equal(r.clock.pending(), 0);
    for (const one of r.told) agentEventSchema.parse(one);
  });

  it('is a gap told by an event, and the queue knows at once in which record', async () => {
    const r = rig([gap('6-3-a'), gap('6-9-b')]);
    await turn();
    assert.deepEqual(r.ids(), ['start-7', 'account-7-1', 'gap-6-3-a', 'gap-6-9-b']);
    const ofGaps = r.log.filter((line) => /6-[39]/.test(line));
    assert.deepEqual(ofGaps, ['6-3-a in 7/2', 'safe gap-6-3-a', '6-9-b in 7/3', 'safe gap-6-9-b']);
    const facts = {
      reason: 'full',
      epoch: 6,
      first_seq: 3,
      last_seq: 5,
      batches: 3,
      samples: 40,
      from_ms: 1,
      to_ms: 2,
    };
    assert.deepEqual(agentEventSchema.parse(r.told[2]).facts, facts);
    r.gaps.push(gap('7-0-c'));
    r.clock.advance(1000);
    await turn();
    assert.equal(r.ids().at(-1), 'gap-7-0-c');
  });

  it('is a gap in numbers that ingest can read, whatever damage has left of it', async () => {
    const r = rig([{ ...gap('damaged-6-1e+300'), fromMs: Infinity, toMs: -Infinity, samples: NaN, batches: Infinity }]);
    await turn();
    const told = JSON.parse(JSON.stringify(r.told[2])) as unknown;
    const { facts, timeMs } = agentEventSchema.parse(told);
    assert.deepEqual([facts['from_ms'], facts['to_ms'], timeMs], [6000, 6000, 6000]);
    assert.deepEqual([facts['samples'], facts['batches']], [0, 0]);
  });

  it('is said in the log in words that fit: samples, none, or nobody knows', async () => {
    warnings.length = 0;
    const unknown = { firstSeq: 6, lastSeq: 5, samples: 0, batches: 0 };
    const r = rig([
      gap('a'),
      { ...gap('b'), ...unknown, reason: 'unclean' },
      { ...gap('c'), ...unknown, reason: 'damaged' },
      { ...gap('d'), samples: 0 },
    ]);
    await turn();
    assert.equal(r.untold(), 0);
    assert.match(warnings[0] ?? '', /^samples are missing/);
    assert.match(warnings[1] ?? '', /last moments may be missing, nobody knows how much/);
    assert.match(warnings[2] ?? '', /may be missing for good, nobody knows how many/);
    assert.match(warnings[3] ?? '', /without samples/);
  });

  it('is one gap at a time, however long its event takes', async () => {
    const r = rig();
    let release: () => void = () => undefined;
    r.state.hold = new Promise((resolve) => (release = resolve));
    r.gaps.push(gap('a'), gap('b'));
    r.clock.advance(10_000);
    await turn();
    assert.deepEqual(r.ids().slice(2), ['gap-a']);
    release();
    await turn();
    assert.equal(r.untold(), 0);
  });

  it('leaves gaps with the queue while the disk takes nothing or the event was not taken', async () => {
    const r = rig();
    await turn();
    r.state.fails = true;
    r.gaps.push(gap('a'));
    r.clock.advance(1000);
    await turn();
    const degraded: Durability = { state: 'degraded', detail: 'disk full' };
    Object.assign(r.state, { fails: false, durability: degraded });
    r.clock.advance(5000);
    await turn();
    assert.equal(r.untold(), 1);
    r.state.durability = { state: 'durable', detail: '' };
    r.clock.advance(1000);
    await turn();
    assert.equal(r.untold(), 0);
  });
});
