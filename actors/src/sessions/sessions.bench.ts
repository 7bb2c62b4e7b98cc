/**
 * What sessions cost: a check, a sign-in and a sign-out on real files, memory per session, and how long a node that joins takes to know all.
 *   node actors/src/sessions/sessions.bench.ts
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../testing/eventually.ts';
import { openDirectory } from './disk.ts';
import { hostName, startNode } from '../testing/start-node.ts';
import { systemClock } from '../system/clock.ts';
import { loopbackNetwork } from '../testing/loopback-network.ts';
import { Replica } from './replica.ts';
import { rules, sessionLimits } from './rules.ts';
import { idOf } from './session-record.ts';

const say = (what: string, figure: string): void => void process.stdout.write(`${what.padEnd(58)} ${figure}\n`);
const directory = mkdtempSync(join(tmpdir(), 'thrum-sessions-bench-'));
const network = loopbackNetwork(1, { clock: systemClock });
const start = async (index: number) => {
  const disk = await openDirectory(join(directory, String(index)));
  const node = await startNode(index, {
    ...{ clock: systemClock, transport: network.transport(hostName(index)), role: 'web', disk },
  });
  if (!node.sessions) throw new Error('BUG: a web node without sessions');
  return { ...node, sessions: node.sessions };
};
const percentile = (sorted: readonly number[], of: number): string =>
  `${(sorted[Math.floor((sorted.length - 1) * of)] ?? 0).toFixed(1)} ms`;

{
  const before = process.memoryUsage().heapUsed;
  const replica = new Replica(rules, () => undefined);
  const nowMs = Date.now();
  const count = 50_000;
  const atMs = performance.now();
  for (let n = 0; n < count; n += 1)
    replica.merge(
      {
        ...{ id: idOf(String(n)), user: `user ${n % 1000}`, generation: 1, createdMs: nowMs },
        ...{ expiresMs: nowMs + sessionLimits.lifetimeMs, lastUseMs: nowMs, revoked: false },
      },
      nowMs,
    );
  say('merge of one session', `${(((performance.now() - atMs) * 1000) / count).toFixed(1)} µs`);
  globalThis.gc?.();
  say('memory per session', `${Math.round((process.memoryUsage().heapUsed - before) / replica.size)} B`);
  const sweepMs = performance.now();
  replica.sweep(nowMs);
  say(`sweep of ${count}`, `${(performance.now() - sweepMs).toFixed(1)} ms`);
}

const [one, two] = [await start(0), await start(1)];
await eventually(() => one.links.peers().length === 1);
const { sid } = await one.sessions.open({ user: 'ada', generation: 1 });
{
  const count = 200_000;
  const atMs = performance.now();
  for (let n = 0; n < count; n += 1) one.sessions.check(sid);
  say('check', `${(((performance.now() - atMs) * 1000) / count).toFixed(2)} µs`);
}
for (const what of ['open', 'revoke'] as const) {
  const tookMs: number[] = [];
  for (let n = 0; n < 300; n += 1) {
    const opened = what === 'revoke' ? await one.sessions.open({ user: `user ${n}`, generation: 1 }) : undefined;
    const atMs = performance.now();
    if (opened) await one.sessions.revoke(opened.session.id);
    else await one.sessions.open({ user: `user ${n}`, generation: 1 });
    tookMs.push(performance.now() - atMs);
  }
  tookMs.sort((a, b) => a - b);
  say(`${what}, one by one, two nodes, on disk (p50, p99)`, `${percentile(tookMs, 0.5)}, ${percentile(tookMs, 0.99)}`);
}
{
  const count = 10_000;
  const atMs = performance.now();
  for (let at = 0; at < count; at += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => one.sessions.open({ user: `many ${at + n}`, generation: 1 })),
    );
  say('open, a hundred at once', `${Math.round((count * 1000) / (performance.now() - atMs))}/s`);
}
await eventually(() => one.sessions.digest() === two.sessions.digest());
{
  const atMs = performance.now();
  const three = await start(2);
  await eventually(() => three.links.peers().length === 2);
  const linkedMs = performance.now();
  await eventually(() => three.sessions.digest() === one.sessions.digest());
  say('a node that joins: linked after', `${(linkedMs - atMs).toFixed(0)} ms`);
  say(
    `  and knows all ${one.sessions.counters()['held']} after another`,
    `${(performance.now() - linkedMs).toFixed(0)} ms`,
  );
  await three.close();
}
{
  await two.close();
  const atMs = performance.now();
  const again = await start(1);
  say('start with all of them on disk', `${(performance.now() - atMs).toFixed(0)} ms`);
  await again.close();
}
await one.close();
rmSync(directory, { recursive: true, force: true });
