/**
 * What writing bulk bodies costs, beside joining strings as one would first write it; and, with THRUM_TEST_ELASTICSEARCH set, what the whole store
 * costs and reaches against raw bulk requests with the same bytes in the same run. One JSON line per figure.
 * `node ingest/src/store/elasticsearch/bulk-body.bench.ts [seconds]`
 */
import { silentLog } from '@thrum/actors/system/log';
import { systemClock } from '@thrum/actors/system/clock';
import { decodeBatch, encodeBatch, type Batch, type Sample } from '@thrum/actors/wire/batch';
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { counter, gauge, target, type Target } from '@thrum/actors/wire/schema';
import { rules } from '../rules.ts';
import type { Origin } from '../store.ts';
import { createDocumentLines } from './document-lines.ts';
import { openElasticsearchStore } from './elasticsearch-store.ts';
import { cleanUp, curl, newPrefix, testServerUrl } from './test-server.ts';

const targets: readonly Target[] = Array.from({ length: 7 }, (_, t) =>
  target({
    name: `load_${t}`,
    title: 'Load',
    sentence: 'Made up.',
    fields: [{ name: 'part', sentence: 'Made up.' }],
    metrics: Array.from({ length: 100 }, (__, m) =>
      m % 3 === 1 ? counter(`some_counter_${m}`, 'bytes', 'Made up.') : gauge(`some_gauge_${m}`, '%', 'Made up.'),
    ),
    charts: [],
  }),
);
const catalogue = new Map(targets.map((one) => [one.name, one]));
const dictionary = dictionaryOf(targets);
const agents = 100;
const valuesPerBatch = 700;
const nowMs = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;

/** Ticks of all agents, each agent with a shape of its own, as intake hands them over. */
const ticks = (count: number): { origin: Origin; batch: Batch }[][] => {
  const memories = new Map<number, Parameters<typeof decodeBatch>[2]>();
  const labels = { env: 'bench' };
  return Array.from({ length: count }, (_, tick) =>
    Array.from({ length: agents }, (__, agent) => {
      const hostId = `00000000-0000-4000-8000-${String(agent).padStart(12, '0')}`;
      const samples: Sample[] = targets.map((one, k) => ({
        target: k,
        fields: ['one'],
        timeMs: nowMs + tick * 1000,
        values: one.metrics.map((metric, m) =>
          metric.type === 'long'
            ? tick * 1000 * m + agent
            : Math.round(((tick * 7 + m * 13 + agent) % 100) * 123.4) / 100,
        ),
      }));
      const decoded = decodeBatch(encodeBatch(dictionary, 1, tick, samples).bytes, dictionary, memories.get(agent));
      if (!decoded.ok) throw new Error(decoded.detail);
      memories.set(agent, decoded.memory);
      const origin = { hostId, hostName: `host-${agent}`, cluster: 'bench', labels, epoch: 1, seq: tick };
      return { origin, batch: decoded.batch };
    }),
  );
};

const say = (name: string, value: number, unit: string, peer?: string, ratio?: number): void =>
  void process.stdout.write(
    `${JSON.stringify({
      ...{ name, value: Number(value.toPrecision(3)), unit },
      ...(peer === undefined ? {} : { peer, ratio: Number((ratio ?? 0).toPrecision(3)) }),
    })}\n`,
  );

const cpuUs = (run: () => void): number => {
  run(); // warm
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
};

const bodies = (): void => {
  const rounds = ticks(10);
  const values = 10 * agents * valuesPerBatch;
  const lines = createDocumentLines({ prefix: 'bench', catalogue, clock: systemClock, rules });
  const buffer = Buffer.allocUnsafeSlow(2 * 1024 * 1024);
  let sink = 0;
  const bytes = cpuUs(() => {
    for (const tick of rounds)
      for (const { origin, batch } of tick) {
        let at = 0;
        const prepared = lines.prepare(origin, batch.shape);
        for (let i = 0; i < batch.shape.series.length; i += 1) {
          if (at + lines.maxBytes(prepared, i) > buffer.length) throw new Error('BUG: room');
          at = lines.write(buffer, at, origin, prepared, batch, i);
        }
        sink += at;
      }
  });
  const joined = cpuUs(() => {
    for (const tick of rounds)
      for (const { origin, batch } of tick) {
        const parts: string[] = [];
        batch.shape.series.forEach((series, i) => {
          const m: Record<string, number> = {};
          const first = batch.shape.offsets[i] ?? 0;
          series.target.metrics.forEach((metric, k) => (m[metric.name] = batch.values[first + k] ?? 0));
          parts.push(`{"create":{"_index":"bench-1s-${series.target.name}-2026.11.22"}}`);
          parts.push(
            JSON.stringify({
              '@timestamp': batch.timesMs[i],
              host_id: origin.hostId,
              host: origin.hostName,
              part: series.fields[0],
              m,
            }),
          );
        });
        sink += Buffer.from(parts.join('\n')).length;
      }
  });
  if (sink === 0) throw new Error('BUG: nothing was written');
  say('bulk-body', bytes / values, 'µs CPU/value', 'JSON.stringify', bytes / joined);
  say('bulk-body-batch', bytes / (10 * agents), 'µs CPU/batch of 700 values');
};

/** Raw bulks of the same documents: bodies ready beforehand, three requests at a time. */
const raw = async (rounds: ReturnType<typeof ticks>, prefix: string, seconds: number): Promise<number> => {
  const lines = createDocumentLines({ prefix, catalogue, clock: systemClock, rules });
  const queue: { body: Buffer; values: number }[] = [];
  let body = Buffer.allocUnsafeSlow(1_200_000);
  let at = 0;
  let values = 0;
  for (const tick of rounds)
    for (const { origin, batch } of tick) {
      const prepared = lines.prepare(origin, batch.shape);
      for (let i = 0; i < batch.shape.series.length; i += 1) at = lines.write(body, at, origin, prepared, batch, i);
      values += valuesPerBatch;
      if (at < 1_048_576) continue;
      queue.push({ body: body.subarray(0, at), values });
      [body, at, values] = [Buffer.allocUnsafeSlow(1_200_000), 0, 0];
    }
  let written = 0;
  const started = performance.now();
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next && performance.now() - started < seconds * 1000; next = queue.shift()) {
      const response = await fetch(`${testServerUrl()}/_bulk?filter_path=errors,items.*.status`, {
        method: 'POST',
        body: next.body,
        headers: { 'content-type': 'application/x-ndjson' },
      });
      const answer = (await response.json()) as { errors?: boolean };
      if (!response.ok || answer.errors !== false) throw new Error(`raw bulk failed: ${response.status}`);
      written += next.values;
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  return written / ((performance.now() - started) / 1000);
};

/** Batches of one agent on their way, as intake grants it. */
const windowBatches = 4;

const through = async (
  rounds: ReturnType<typeof ticks>,
  prefix: string,
  seconds: number,
): Promise<{ rate: number; cpuPerValueUs: number }> => {
  const url = `elasticsearch:${testServerUrl()}`;
  const options = {
    url,
    prefix,
    replicas: 0,
    retentionDays: 5,
    catalogue: targets,
    clock: systemClock,
    log: silentLog,
  };
  const store = openElasticsearchStore(options);
  const accepted = new Uint8Array(targets.length).fill(1);
  const write = async (one: { origin: Origin; batch: Batch }): Promise<void> => {
    const outcome = store.write({ ...one, accepted });
    if (!outcome.ok) throw new Error('full');
    const result = await outcome.done;
    if (!result.ok || result.refused.length > 0) throw new Error(JSON.stringify(result));
  };
  const [first, ...rest] = rounds;
  await Promise.all((first ?? []).map(write)); // makes the indices
  const started = performance.now();
  const cpu = process.cpuUsage();
  let written = 0;
  const run = async (agent: number, queue: (typeof rest)[number][]): Promise<void> => {
    for (let tick = queue.shift(); tick && performance.now() - started < seconds * 1000; tick = queue.shift()) {
      const one = tick[agent];
      if (one) await write(one);
      written += valuesPerBatch;
    }
  };
  await Promise.all(
    Array.from({ length: agents }, (_, agent) => {
      const queue = [...rest];
      return Promise.all(Array.from({ length: windowBatches }, () => run(agent, queue)));
    }),
  );
  const elapsed = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await store.close();
  return { rate: written / elapsed, cpuPerValueUs: (user + system) / written };
};

const onServer = async (seconds: number): Promise<void> => {
  const rounds = ticks(120);
  const rates: { raw: number[]; store: number[]; again: number[]; cpu: number[] } = {
    raw: [],
    store: [],
    again: [],
    cpu: [],
  };
  for (let round = 0; round < 2; round += 1) {
    const prefix = newPrefix();
    try {
      const mine = await through(rounds, prefix, seconds);
      rates.store.push(mine.rate);
      rates.cpu.push(mine.cpuPerValueUs);
      // everything once more: each document is told 409 and compared
      rates.again.push((await through(rounds, prefix, seconds)).rate);
      // the same again into empty indices, which the store makes with one tick
      await cleanUp(prefix);
      await through(rounds.slice(0, 1), prefix, seconds);
      rates.raw.push(await raw(rounds.slice(1), prefix, seconds));
      await curl('POST', `/${prefix}-1s-*/_refresh`);
    } finally {
      await cleanUp(prefix);
    }
  }
  const best = (list: number[]): number => Math.max(...list);
  say('store-throughput', best(rates.store), 'values/s', 'raw _bulk', best(rates.store) / best(rates.raw));
  say('store-compare', best(rates.again), 'values/s sent again', 'written', best(rates.again) / best(rates.store));
  say('raw-bulk-throughput', best(rates.raw), 'values/s');
  say('store-cpu', Math.min(...rates.cpu), 'µs CPU/value');
};

bodies();
if ((process.env['THRUM_TEST_ELASTICSEARCH'] ?? '') !== '') await onServer(Number(process.argv[2] ?? 10));
