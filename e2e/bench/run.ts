/**
 * `npm run bench -- GROUP...`: measures on real parts and prints one JSON line per figure. Without a group the short ones run (about ten
 * minutes), one after another, because they share the processors. Timings of different runs do not compare; what stands beside a figure does.
 */
import { agentCost } from './agent-cost.ts';
import { benchBeside } from './bench-beside.ts';
import { fanOut } from './fan-out.ts';
import { firstSight } from './first-sight.ts';
import { ingestCost } from './ingest-cost.ts';
import { ingestThroughput } from './ingest-throughput.ts';
import { liveLatency } from './live-latency.ts';
import { nodeFailures } from './node-failures.ts';
import { outage } from './outage.ts';
import { reconnect } from './reconnect.ts';
import { storeDown } from './store-down.ts';

const groups: Readonly<Record<string, () => Promise<void>>> = {
  'agent-cost': agentCost,
  'fan-out': fanOut,
  'first-sight': firstSight,
  'ingest-cost': ingestCost,
  'ingest-throughput': ingestThroughput,
  'live-latency': liveLatency,
  'mesh-tell': benchBeside('actors/src/link/mesh-tell.bench.ts'),
  'node-failures': nodeFailures,
  outage,
  presence: benchBeside('actors/src/presence/presence.bench.ts', '--expose-gc'),
  queue: benchBeside('agent/src/queue/queue.bench.ts'),
  reconnect,
  'store-down': storeDown,
};

/** Five minutes and more each: only by name. */
const long: readonly string[] = ['fan-out', 'node-failures', 'outage', 'store-down'];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in groups));
if (unknown.length > 0) {
  process.stderr.write(`There is no group ${unknown.join(', ')}. Groups: ${Object.keys(groups).join(', ')}.\n`);
  process.exit(2);
}
for (const [name, measure] of Object.entries(groups)) {
  if (asked.length > 0 ? !asked.includes(name) : long.includes(name)) continue;
  process.stderr.write(`# ${name}\n`);
  try {
    await measure();
  } catch (error) {
    process.stderr.write(
      `${name} could not be measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
