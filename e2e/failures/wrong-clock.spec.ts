/** The clock of an ingest node is a day back at its start and jumps ahead while it runs: nothing is refused for that, and no agent is led astray. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { figuresOf } from '../bench/node-figures.ts';
import { makeFakedClock } from '../chaos/faked-clock.ts';
import { refresh, search } from '../harness/indices.ts';
import { meshFor } from '../harness/mesh-for.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

test('a wrong clock of an ingest node changes nothing of what is stored, and the node says that it is wrong', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-clock-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const clock = makeFakedClock(join(directory, 'clock'));
  if (!clock) return t.skip('libfaketime is not installed');
  clock.set(-dayMs);
  const startedMs = Date.now();
  const mesh = await meshFor(t, {
    ...{ ingest: 1, web: 0, agents: 1, balancer: false },
    settings: { ingest: clock.settings },
  });
  const url = mesh.ingest[0]?.url ?? assert.fail('no ingest node');
  const figure = async (name: string): Promise<number> => (await figuresOf(url)).get(`thrum_ingest_${name}`) ?? NaN;

  for (const offMs of [-dayMs, hourMs, 0]) {
    clock.set(offMs);
    await eventually(async () => assert.ok(Math.abs((await figure('clock_off_seconds')) - offMs / 1000) < 5), {
      withinMs: 15_000,
    });
    const before = await figure('store_documents_stored');
    await eventually(async () => assert.ok((await figure('store_documents_stored')) >= before + 30), {
      withinMs: 30_000,
    });
  }
  const refused = [...(await figuresOf(url))].filter(([name, n]) => name.includes('samples_refused') && n > 0);
  assert.deepEqual(refused, []);

  await refresh(mesh.elasticsearchUrl, mesh.prefix);
  const query = { size: 10_000, _source: ['@timestamp'] };
  const samples = await search(mesh.elasticsearchUrl, `${mesh.prefix}-1s-*`, query);
  assert.ok(samples.length >= 90, `${samples.length} samples`);
  for (const { _source } of samples) {
    const timeMs = Date.parse(String(_source['@timestamp']));
    assert.ok(timeMs > startedMs - 2000 && timeMs <= Date.now(), `a sample of ${String(_source['@timestamp'])}`);
  }
  assert.deepEqual(await search(mesh.elasticsearchUrl, `${mesh.prefix}-refused-*`, { size: 10 }), []);
});
