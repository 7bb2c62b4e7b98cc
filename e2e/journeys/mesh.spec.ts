/** The second journey: several nodes of each kind behind the balancer on a real Elasticsearch, and one number followed through all of it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { browserFor, openPage } from '../harness/browser.ts';
import { refresh, search } from '../harness/indices.ts';
import { meshFor } from '../harness/mesh-for.ts';
import { readHosts, readValue, untilLive, untilNewer } from '../harness/readings.ts';

test('two ingest and two web nodes behind a balancer show three hosts live, whichever web node serves', async (t) => {
  const mesh = await meshFor(t, { ingest: 2, web: 2, agents: 3 });
  const browser = await browserFor(t);
  for (const url of [mesh.dashboardUrl, ...mesh.web.map((node) => node.url)]) {
    const { page, complaints, close } = await openPage(browser, url);
    await untilLive(page, 3);
    const names = (await readHosts(page)).map((host) => /host-\d/.exec(host.text)?.[0]);
    assert.deepEqual(names.sort(), ['host-1', 'host-2', 'host-3']);
    const before = await readValue(page, 'cpu.usage');
    await untilNewer(page, 'cpu.usage', before?.sampleMs ?? 0);
    assert.deepEqual(complaints, []);
    await close();
  }
});

test('agents are spread over the ingest nodes, and the same wire serves them all', async (t) => {
  const mesh = await meshFor(t, { ingest: 2, web: 1, agents: 4 });
  const counted = async (figure: string): Promise<[number, number]> => {
    const each = await Promise.all(
      mesh.ingest.map(async ({ url }) => {
        const text = await (await fetch(`${url}/metrics`)).text();
        return Number(new RegExp(`^thrum_ingest_intake_${figure} (\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
      }),
    );
    return [each[0] ?? Number.NaN, each[1] ?? Number.NaN];
  };
  // An agent that learned more of its machine connects a second time, so sessions may stand 3 to 1; connections are dealt in turn.
  await eventually(
    async () => {
      const [here, there] = await counted('sessions');
      assert.equal(here + there, 4);
      const [first, second] = await counted('hellos');
      assert.ok(Math.abs(first - second) <= 1, `${first} and ${second} connections`);
    },
    { withinMs: 10_000 },
  );
});

test('what an agent measures is the value in the page and the document in Elasticsearch', async (t) => {
  const mesh = await meshFor(t, { ingest: 2, web: 2, agents: 1 });
  const browser = await browserFor(t);
  const overview = await openPage(browser, mesh.dashboardUrl);
  await untilLive(overview.page, 1);
  const id = (await readHosts(overview.page))[0]?.id ?? assert.fail('no host');
  const { page } = await openPage(browser, `${mesh.dashboardUrl}/hosts/${id}`);
  // The first tick of an agent has no processor time yet.
  await page.waitForSelector('[data-metric="cpu.usage"][data-sample-ms]:not([data-value=""])');

  const documentsAt = async (target: string, sampleMs: number) => {
    await refresh(mesh.elasticsearchUrl, mesh.prefix);
    // The page's times are corrected by the offset of the clocks measured at hello, a few ms on one machine.
    const range = { '@timestamp': { gte: sampleMs - 400, lte: sampleMs + 400, format: 'epoch_millis' } };
    return search(mesh.elasticsearchUrl, `${mesh.prefix}-1s-${target}-*`, {
      query: { bool: { filter: [{ term: { host_id: id } }, { range }] } },
    });
  };
  const valueIn = (source: Readonly<Record<string, unknown>> | undefined, metric: string): number | undefined =>
    (source?.['m'] as Record<string, number> | undefined)?.[metric];

  const shown = await readValue(page, 'cpu.usage');
  assert.ok(shown?.value !== undefined && shown.sampleMs !== undefined);
  const { value, sampleMs } = shown;
  await eventually(
    async () => {
      const hits = await documentsAt('cpu', sampleMs);
      const total = hits.filter((hit) => hit._source['cpu'] === 'total');
      assert.equal(total.length, 1);
      assert.equal(Math.fround(valueIn(total[0]?._source, 'usage') ?? Number.NaN), Math.fround(value));
    },
    { withinMs: 20_000 },
  );

  // A figure that anybody can read off the machine: how much memory it has.
  const memoryBytes = Number(/^MemTotal:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
  const [document] = await documentsAt('memory', sampleMs);
  assert.equal(valueIn(document?._source, 'total'), memoryBytes);
});
