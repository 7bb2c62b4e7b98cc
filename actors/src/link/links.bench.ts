/**
 * What a link costs beside the bare WebSocket it runs on: both ends in this process, over a real socket, one JSON line per figure.
 * Run by hand: node actors/src/link/links.bench.ts
 */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { createActorSystem } from '../system/actor-system.ts';
import { systemClock } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import { startLinks } from './links.ts';
import type { Links } from './links.ts';

const round = (value: number): number => Math.round(value * 100) / 100;
const print = (name: string, unit: string, value: number, peer: number): void =>
  void process.stdout.write(
    `${JSON.stringify({ name, value: round(value), unit, peer: round(peer), ratio: round(value / peer) })}\n`,
  );

const perSecond = async (count: number, run: (arrived: () => void) => Promise<void>): Promise<number> => {
  let arrived = 0;
  let finish: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (finish = resolve));
  const startMs = performance.now();
  await run(() => {
    arrived += 1;
    if (arrived === count) finish();
  });
  await all;
  return count / ((performance.now() - startMs) / 1000);
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

// The bare peer.
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
await once(server, 'listening');
const bare = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { perMessageDeflate: false });
const [far] = (await once(server, 'connection')) as [WebSocket];
if (bare.readyState !== WebSocket.OPEN) await once(bare, 'open');

// The link.
const node = async (id: string, seeds: readonly string[]): Promise<Links> => {
  const system = createActorSystem({ name: id, clock: systemClock, log: silentLog });
  const self = { id, name: id, role: 'ingest' } as const;
  return startLinks({ self, key: 'a key for this bench only', bind: '127.0.0.1', port: 0, seeds, system });
};
const b = await node('b', []);
const a = await node('a', [b.self.address]);
while (a.peers().length === 0) await nextTurn();

for (const [bytes, count] of [
  [200, 200_000],
  [8192, 40_000],
] as const) {
  const payload = new Uint8Array(bytes).fill(7);
  const rates: { bare: number[]; link: number[] } = { bare: [], link: [] };
  for (let turn = 0; turn < 5; turn += 1) {
    rates.bare.push(
      await perSecond(count, async (arrived) => {
        far.removeAllListeners('message').on('message', arrived);
        for (let sent = 0; sent < count; sent += 1) {
          bare.send(payload);
          while (bare.bufferedAmount > 4_000_000) await nextTurn();
        }
      }),
    );
    rates.link.push(
      await perSecond(count, async (arrived) => {
        const stop = b.serve('bench', arrived);
        for (let sent = 0; sent < count;) {
          if (a.tell('b', 'bench', payload).ok) sent += 1;
          else await nextTurn();
        }
        while ((a.counters()['outboxBytes'] ?? 0) > 0) await nextTurn();
        setTimeout(stop, 500);
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 600));
  }
  print(`tell ${bytes} B, beside bare ws frames`, 'messages/s', median(rates.link), median(rates.bare));
}

const roundTripUs = async (count: number, once_: () => Promise<unknown>): Promise<number> => {
  const startMs = performance.now();
  for (let at = 0; at < count; at += 1) await once_();
  return ((performance.now() - startMs) * 1000) / count;
};
far.removeAllListeners('message').on('message', (data) => far.send(data as Buffer));
b.serve('echo', (message) => message);
const small = new Uint8Array(200);
const trips: { bare: number[]; link: number[] } = { bare: [], link: [] };
for (let turn = 0; turn < 5; turn += 1) {
  trips.bare.push(
    await roundTripUs(2000, () => {
      const back = once(bare, 'message');
      bare.send(small);
      return back;
    }),
  );
  trips.link.push(await roundTripUs(2000, () => a.ask('b', 'echo', small, { deadlineMs: 5000 })));
}
print('ask and answer of 200 B, beside a bare ws echo', 'us', median(trips.link), median(trips.bare));

await a.close();
await b.close();
bare.terminate();
server.close();
