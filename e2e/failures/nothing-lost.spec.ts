/**
 * The promise of the whole: what reached the disk of an agent is in the store exactly once, or accounted for, whatever dies in between. Ninety
 * seconds of `npm run chaos` (e2e/chaos), always the same faults.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { differencesOf, reportLines } from '../chaos/report.ts';
import { runChaos } from '../chaos/run.ts';

const forMs = 90_000;
/** Among its faults are a killed Elasticsearch, set clocks, a full disk, and all ingest nodes at once. */
const seed = 2673;

test('nothing is lost and nothing is stored twice while everything is killed, paused, filled and set at random', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-chaos-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const said: string[] = [];
  const report = await runChaos({
    directory,
    seed,
    forMs,
    perMinute: 14,
    agents: 4,
    periodMs: 500,
    ingestClocks: false,
    say: (line) => said.push(line),
  });
  const lines = reportLines(report, { commit: 'this one', seed });
  for (const line of lines) t.diagnostic(line);
  assert.equal(differencesOf(report), 0, [...said, ...lines].join('\n'));
  assert.ok(report.done.length >= 12, `${report.done.length} faults`);
  if (report.notTried.length === 0)
    assert.ok(report.done.some(({ fault }) => fault.kind === 'kill' && fault.of === 'elasticsearch'));
  const { agents, gaps } = report.comparison;
  // Of one the clock goes two hours ahead, so that most of what it measures is refused.
  for (const { name, sums } of agents)
    assert.ok(sums.stored + sums.refused + sums.gap > 500 && sums.stored > 100, `${name}: ${JSON.stringify(sums)}`);
  assert.ok(
    agents.filter(({ sums }) => sums.stored > 500).length >= agents.length - 1,
    'more than one has little stored',
  );
  if (report.notTried.length === 0) {
    const kinds = new Set(gaps.map(({ reason }) => reason));
    assert.ok(kinds.has('unclean') && kinds.size >= 3, `gaps of the kinds ${[...kinds].join(', ')}`);
  }
});
