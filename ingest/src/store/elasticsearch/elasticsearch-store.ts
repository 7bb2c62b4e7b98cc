/**
 * The store on Elasticsearch: one document per sample in time-series day indices (README.md shows them to people).
 * Opening never waits for the server; a probe looks for it until it answers, and again whenever nothing else says that it lives.
 */
import type { Target } from '@thrum/actors/wire/schema';
import { defaultMaxHeldBytes } from '../admissible.ts';
import { createHealth } from '../health.ts';
import { dayMs } from '../sample-time.ts';
import type { Store, StoreOptions } from '../store.ts';
import { createBulkWriter } from './bulk-writer.ts';
import { createCollisionCheck } from './collisions.ts';
import { createElasticsearchClient, reasonOf, type ElasticsearchClient, type Reply } from './client.ts';
import { dayOf } from './day-index.ts';
import { createDayIndices } from './day-indices.ts';
import { createDocumentLines } from './document-lines.ts';
import { createElasticsearchDocuments } from './elasticsearch-documents.ts';
import { createSearch } from './search.ts';

const probeEveryMs = 2_000;
const probeTimeoutMs = 5_000;
/** How often outdated days are looked for and the next day is prepared. */
const upkeepEveryMs = 10 * 60_000;
const prepareAheadMs = 30 * 60_000;
const closeWithinMs = 2_000;

export type ElasticsearchStoreOptions = StoreOptions & {
  /** In the place of one made from the options. */
  readonly client?: ElasticsearchClient;
  readonly random?: () => number;
};

export const openElasticsearchStore = (options: ElasticsearchStoreOptions): Store => {
  const { prefix, clock, retentionDays, maxHeldBytes = defaultMaxHeldBytes } = options;
  const log = options.log.child({ store: 'elasticsearch' });
  const client = options.client ?? createElasticsearchClient(options);
  const catalogue: ReadonlyMap<string, Target> = new Map(options.catalogue.map((target) => [target.name, target]));
  const health = createHealth(clock, log, client.urls.map((url) => new URL(url).host).join(', '));
  const indices = createDayIndices({ client, prefix, replicas: options.replicas, catalogue, log });
  const lines = createDocumentLines(prefix, catalogue);
  const { random = Math.random } = options;
  const writer = createBulkWriter({
    client,
    indices,
    lines,
    checkCollisions: createCollisionCheck({ client, prefix, catalogue }),
    catalogue,
    retentionDays,
    maxHeldBytes,
    health,
    clock,
    random,
  });
  const search = createSearch({ client, prefix, health, clock });
  const documents = createElasticsearchDocuments({ client, prefix, replicas: options.replicas, health, clock });
  let closed = false;
  let isClosing = false;
  let probing = false;
  const isClosed = (): boolean => closed;

  const upkeep = async (): Promise<void> => {
    const nowMs = clock.wallMs();
    await indices.deleteOutdated(nowMs, retentionDays);
    if ((nowMs + prepareAheadMs) % dayMs < prepareAheadMs) await indices.prepare(dayOf(nowMs) + 1);
  };

  /** Any answer of a server that knows us will do: not everybody may ask for the health of a cluster. */
  const isAlive = (reply: Reply): boolean =>
    reply.ok && reply.status < 500 && reply.status !== 401 && reply.status !== 429;

  const probe = async (): Promise<void> => {
    if (probing || isClosed()) return;
    probing = true;
    const query = { filter_path: 'status' };
    const reply = await client.request({ method: 'GET', path: '/_cluster/health', query, timeoutMs: probeTimeoutMs });
    probing = false;
    if (isClosed()) return;
    if (!isAlive(reply)) health.down(reasonOf(reply));
    else if (!writer.isFailing()) health.up(''); // while writing fails, only a written document says otherwise
  };

  const stopListening = health.on(({ state }) => {
    if (state === 'ready') void indices.forbidAutomatic().then(upkeep);
    else {
      // who knows what comes back: a restored or an empty server
      indices.forgetAll();
      documents.forget();
    }
  });
  const timers = [clock.every(probeEveryMs, () => void probe()), clock.every(upkeepEveryMs, () => void upkeep())];
  void probe();

  return {
    kind: 'elasticsearch',
    write: (request) => writer.write(request),
    ask: (question, { deadlineMs }) => search.ask(question, deadlineMs),
    documents,
    health: () => health.now(),
    onHealth: (listener) => health.on(listener),
    counters: () => ({ ...writer.counters(), ...search.counters() }),
    close: async () => {
      if (isClosing) return;
      isClosing = true;
      for (const timer of timers) timer.cancel();
      await writer.close(closeWithinMs);
      closed = true;
      stopListening();
      await client.close();
    },
  };
};
