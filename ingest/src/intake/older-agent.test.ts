/** An agent of an earlier version, which knows fewer metrics of a target and in another order, all the way to the store and the screen. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@thrum/actors/system/clock';
import { silentLog } from '@thrum/actors/system/log';
import { eventually } from '@thrum/actors/testing/eventually';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { dictionaryHash, dictionaryOf, type Dictionary } from '@thrum/actors/wire/dictionary';
import { decodeHostFrame, type HostFrame } from '@thrum/actors/wire/frame';
import { openStore } from '../store/open-store.ts';
import type { StoreQuestion } from '../store/store.ts';
import { dictionary, sampleOf, startNode } from './intake.contract.ts';

/** `load` without its second metric, the others the other way round. */
const older = (): Dictionary => {
  const targets = dictionary.targets.map((one) =>
    one.name === 'load'
      ? { ...one, metrics: one.metrics.filter((metric) => metric.name !== 'load5').toReversed() }
      : one,
  );
  return { hash: dictionaryHash(targets), targets };
};

test('a batch of an older agent is stored and shown under the right names, without the metrics it does not know', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'thrum-older-'));
  const store = await openStore({
    url: `duckdb:${path.join(directory, 'store.duckdb')}`,
    replicas: 0,
    prefix: 'thrum',
    retentionDays: 5,
    catalogue,
    clock: systemClock,
    log: silentLog,
  });
  const node = await startNode({ store });
  try {
    const theirs = older();
    assert.notEqual(theirs.hash, dictionaryOf(catalogue).hash);
    const agent = node.agent({ dictionary: theirs.hash });
    await agent.ask('hello', agent.hello);
    assert.deepEqual(await agent.ask('dictionary', theirs), { ok: true });
    const frames: HostFrame[] = [];
    const deliver = ({ payload }: { payload: Uint8Array }): void => {
      const frame = decodeHostFrame(payload);
      if (frame) frames.push(frame);
    };
    node.topics.subscribe(`host/${agent.hello.host}`, { deliver });
    const timeMs = Math.floor(Date.now() / 1000) * 1000;
    const samples = [sampleOf('load', { load1: 0.5, load15: 1.5, load5: 9 }, { timeMs, in: theirs })];
    agent.sendBytes(encodeBatch(theirs, agent.hello.epoch, 1, samples).bytes);
    await eventually(() => assert.ok(agent.acknowledged(1)));
    assert.deepEqual(
      agent.acks.flatMap((ack) => ack.refused),
      [],
    );

    const shown = theirs.targets.find((one) => one.name === 'load')?.metrics.map((metric) => metric.name) ?? [];
    await eventually(() => assert.equal(frames.length, 1));
    const values = [...(frames[0]?.values ?? [])];
    assert.deepEqual([values[shown.indexOf('load1')], values[shown.indexOf('load15')]], [0.5, 1.5]);

    const target = dictionary.targets.find((one) => one.name === 'load');
    assert.ok(target);
    const question: StoreQuestion = {
      target,
      metrics: ['load1', 'load5', 'load15'],
      hostId: agent.hello.host,
      fromMs: timeMs,
      toMs: timeMs + 1000,
      bucketMs: 1000,
      aggregate: 'avg',
      maxSeries: 10,
    };
    const answer = await store.ask(question, { deadlineMs: 5_000 });
    assert.deepEqual(answer.ok && answer.series[0]?.values, [[0.5], [null], [1.5]]);
  } finally {
    await node.close();
    await store.close();
    rmSync(directory, { recursive: true });
  }
});
