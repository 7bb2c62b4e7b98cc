/** The agent killed again and again while ingest is away: everything that reached its disk is sent once ingest is there. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { freePort, run, runningAgent, settingsFor } from './agent-process.contract.ts';
import { startScriptedIngest } from './uplink/scripted-ingest.contract.ts';

type Line = { type: string; kind?: string; epoch: number; seq: number; samples: number; acknowledged: boolean };

it('sends all that a killed agent had on disk, as a backlog, and tells each start, its end and what is missing', async (t) => {
  const held = await freePort();
  held.close();
  const settings: Record<string, string> = { ...settingsFor(t), THRUM_INGEST: `http://127.0.0.1:${held.port}` };
  const onDisk = async (): Promise<Line[]> => {
    const words = ['queue', 'inspect', '--records', '--json', join(settings['THRUM_DATA'] ?? '', 'queue')];
    const inspect = run(t, { PATH: process.env['PATH'] ?? '' }, ...words);
    assert.equal(await inspect.exit, 0, inspect.err());
    const lines = inspect.out().trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Line).filter(({ type }) => type === 'record');
  };

  let records: Line[] = [];
  for (let killed = 0; killed < 2; killed += 1) {
    const agent = await runningAgent(t, settings);
    const had = await agent.figure('queue_batches');
    await eventually(async () => (await agent.figure('queue_batches')) >= had + 12, { withinMs: 20_000 });
    await agent.kill('SIGKILL');
    records = await onDisk();
    assert.ok(records.length >= 12 * (killed + 1), `${records.length} records after ${killed + 1} kills`);
  }
  assert.equal(new Set(records.map(({ epoch }) => epoch)).size, 2);

  const ingest = await startScriptedIngest({ backlog: 4 }, held.port);
  t.after(() => ingest.close());
  const last = await runningAgent(t, settings);
  const missing = (): string[] => {
    const came = new Set(ingest.arrived.map(({ epoch, seq }) => `${epoch}/${seq}`));
    return records.map(({ epoch, seq }) => `${epoch}/${seq}`).filter((name) => !came.has(name));
  };
  await eventually(() => assert.deepEqual(missing(), []), { withinMs: 30_000 });
  const epochs = new Set(records.map(({ epoch }) => epoch));
  const old = ingest.arrived.filter(({ epoch }) => epochs.has(epoch));
  assert.ok(
    old.every(({ resend, events }) => resend === true || events !== undefined),
    'not for the live view',
  );
  const places = old.map(({ epoch, seq }) => epoch * 1e6 + seq);
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
    'oldest first',
  );

  // Its own start comes behind all that waited.
  await eventually(() => {
    const events = ingest.arrived.flatMap((one) => one.events ?? []);
    const starts = events.filter(({ kind }) => kind === 'start').map(({ facts }) => facts['clean']);
    assert.deepEqual(starts, [true, false, false]);
  });
  await eventually(
    () => ingest.arrived.flatMap((one) => one.events ?? []).filter(({ kind }) => kind === 'gap').length >= 2,
  );
  for (const { kind, facts } of ingest.arrived.flatMap((one) => one.events ?? []))
    if (kind === 'gap') assert.equal(facts['reason'], 'unclean');

  const account = async (): Promise<{ produced: number; ended: number }> => {
    const of = (name: string): Promise<number> => last.figure(name);
    const parts = ['samples_stored_total', 'samples_refused_total', 'samples_gap_total', 'samples_queued'];
    const page = await Promise.all(['samples_produced_total', ...parts].map(of));
    return { produced: page[0] ?? 0, ended: page.slice(1).reduce((sum, one) => sum + one, 0) };
  };
  // Each figure is asked for by itself, so a tick may come in between.
  await eventually(async () => {
    const { produced, ended } = await account();
    return produced > 0 && produced === ended;
  });
  assert.equal(await last.figure('samples_gap_total'), 0, 'of the last moments nobody knows how many there were');
  assert.equal(await last.kill('SIGTERM'), 0);
  const stop = ingest.arrived.flatMap((one) => one.events ?? []).find(({ kind }) => kind === 'stop');
  assert.ok(stop, 'the stop is told before the goodbye');
  assert.equal(ingest.byes, 1);
});
