/** The way from one ingest node to the simulated server: requests and answers take their time, and some are never answered. */
import type { Life } from '@thrum/actors/simulation/virtual-time';
import type { Clock } from '@thrum/actors/system/clock';
import type { ElasticsearchClient, Reply } from '../../ingest/src/store/elasticsearch/client.ts';
import { readBulk, type SimulatedElasticsearch } from './simulated-elasticsearch.ts';

const refusedMs = 1;
const unreachable: Reply = { ok: false, reason: 'unreachable', detail: 'ConnectionError: as simulated' };
const timeout: Reply = { ok: false, reason: 'timeout', detail: 'TimeoutError: as simulated' };

export const storeClient = (options: {
  readonly server: SimulatedElasticsearch;
  readonly life: Life;
  /** The server's side of time: what it does, it does whether or not whoever asked still lives. */
  readonly world: Clock;
  readonly random: () => number;
  readonly delayMs: { readonly min: number; readonly max: number };
}): ElasticsearchClient => {
  const { server, life, world, random } = options;
  const delayMs = (): number => options.delayMs.min + random() * (options.delayMs.max - options.delayMs.min);
  return {
    urls: ['http://simulated:9200'],
    close: () => Promise.resolve(),
    request: (ask) =>
      new Promise((resolve) => {
        let isOver = false;
        const end = (reply: Reply): void => {
          if (isOver) return;
          isOver = true;
          patience.cancel();
          resolve(reply);
        };
        const patience = life.clock.after(ask.timeoutMs, () => end(timeout));
        const heard = (reply: Reply): void => life.soon(() => end(reply));
        const items = ask.lines ? readBulk(ask.lines) : [];
        world.after(delayMs(), () => {
          const { gone, slowMs = 0 } = server.trouble;
          if (gone === 'refuses') world.after(refusedMs, () => heard(unreachable));
          if (gone !== undefined) return;
          world.after(slowMs * random(), () => {
            const answer = server.answer(ask, items);
            // A lost connection is noticed, or is not.
            if (!answer && random() < 0.7) world.after(delayMs(), () => heard(unreachable));
            if (answer) world.after(delayMs(), () => heard({ ok: true, ...answer }));
          });
        });
      }),
  };
};
