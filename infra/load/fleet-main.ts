/**
 * `node infra/load/fleet-main.ts --url http://127.0.0.1:7071 --token @.thrum/token --agents 100 --rate max`: a simulated fleet, with a
 * line of figures each second and a JSON line at its end. The ingest nodes must know its targets (see `catalogue.ts`).
 */
import { systemClock } from '@thrum/actors/system/clock';
import { flag, integer, secret, settingsOrExit, text, url } from '@thrum/actors/system/settings';
import { startFleet } from './fleet.ts';

const spec = {
  url: url({ default: 'http://127.0.0.1:7071', help: 'an ingest node or the balancer before them' }),
  token: secret({ help: "the agents' token" }),
  agents: integer({ default: 100, min: 1, max: 20_000, help: 'simulated agents' }),
  targets: integer({ default: 7, min: 1, max: 200, help: 'targets of each, one sample each per batch' }),
  values: integer({ default: 100, min: 1, max: 500, help: 'values of each sample' }),
  rate: text({
    default: '1',
    pattern: /^(max|\d+(\.\d+)?)$/,
    expected: 'max, or batches per second',
    help: 'batches per second and agent, or max',
  }),
  first: integer({ default: 1, min: 1, help: 'number of the first agent, for several fleets at once' }),
  protocol: integer({ default: 3, min: 1, max: 3, help: 'version of the protocol that is spoken' }),
  connectPerSecond: integer({ default: 200, min: 1, help: 'connections opened per second' }),
  seconds: integer({ default: 0, help: 'end after this time; 0: at Ctrl-C' }),
  quiet: flag({ default: false, help: 'only the JSON line at the end' }),
};
const settings = settingsOrExit(spec, 'fleet-main.ts');

const fleet = startFleet({
  ...settings,
  rate: settings.rate === 'max' ? 'max' : Number(settings.rate),
  clock: systemClock,
});
const { counts, latencies } = fleet;
const beganMs = performance.now();
let before = { atMs: beganMs, batches: 0, values: 0, cpu: process.cpuUsage() };

const listed = (map: ReadonlyMap<string, number>): string =>
  Array.from(map, ([code, count]) => `${code} ${count}`).join(', ');

const report = (): void => {
  const atMs = performance.now();
  const seconds = (atMs - before.atMs) / 1000;
  const cpu = process.cpuUsage(before.cpu);
  const line = [
    `${fleet.ready()}/${settings.agents} connected`,
    `${Math.round((counts.batchesAcknowledged - before.batches) / seconds)} batches/s`,
    `${Math.round((counts.valuesAcknowledged - before.values) / seconds)} values/s`,
    `ack p50 ${latencies.quantileMs(0.5).toFixed(1)} p99 ${latencies.quantileMs(0.99).toFixed(1)} ms`,
    `${fleet.unacknowledged()} on the way`,
    `busy ${counts.batchesBusy}`,
    `cpu ${((cpu.user + cpu.system) / 10_000 / seconds).toFixed(0)} %`,
    counts.refused.size + counts.samplesRefused.size > 0 &&
      `refused ${listed(counts.refused)} ${listed(counts.samplesRefused)}`,
  ];
  if (!settings.quiet) console.log(line.filter(Boolean).join('  '));
  before = { atMs, batches: counts.batchesAcknowledged, values: counts.valuesAcknowledged, cpu: process.cpuUsage() };
};
const reporting = setInterval(report, 1000);

let ending = false;
const end = async (): Promise<void> => {
  if (ending) process.exit(1);
  ending = true;
  clearInterval(reporting);
  fleet.setRate(0);
  const seconds = (performance.now() - beganMs) / 1000;
  const { refused, samplesRefused, details } = counts;
  console.log(
    JSON.stringify({
      agents: settings.agents,
      ready: fleet.ready(),
      over: fleet.over(),
      seconds,
      batchesPerSecond: counts.batchesAcknowledged / seconds,
      valuesPerSecond: counts.valuesAcknowledged / seconds,
      ackP50Ms: latencies.quantileMs(0.5),
      ackP99Ms: latencies.quantileMs(0.99),
      connections: counts.connections,
      connectErrors: counts.connectErrors,
      batchesSent: counts.batchesSent,
      batchesResent: counts.batchesResent,
      batchesAcknowledged: counts.batchesAcknowledged,
      valuesAcknowledged: counts.valuesAcknowledged,
      batchesBusy: counts.batchesBusy,
      paces: counts.paces,
      unacknowledged: fleet.unacknowledged(),
      batchesWaited: counts.batchesWaited,
      ticksGivenUp: counts.ticksGivenUp,
      refused: Object.fromEntries(refused),
      samplesRefused: Object.fromEntries(samplesRefused),
      details: Object.fromEntries(details),
    }),
  );
  await fleet.stop();
  process.exit(fleet.over() > 0 ? 1 : 0);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end());
if (settings.seconds > 0) setTimeout(() => void end(), settings.seconds * 1000);
