/**
 * The store on Elasticsearch: one document per sample in time-series day indices (README.md shows them to people).
 * Opening never waits for the server; a probe looks for it until it answers, and again whenever nothing else says that it lives.
 */
import type { Target } from '@thrum/actors/wire/schema';
import { defaultMaxHeldBytes } from '../admissible.ts';
import { createHealth } from '../health.ts';
import { dayMs } from '../sample-time.ts';
import type { Store, StoreOptions } from '../store.ts';
import { createLetterAllowance } from '../letter-allowance.ts';
import { rules as realRules, type StoreRules } from '../rules.ts';
import { createBulkWriter } from './bulk-writer.ts';
import { createElasticsearchClient, reasonOf, type ElasticsearchClient, type Reply } from './client.ts';
import { createCollisionCheck } from './collisions.ts';
import { dayOf } from './day-index.ts';
import { createDocumentLines } from './document-lines.ts';
import { createElasticsearchDocuments } from './elasticsearch-documents.ts';
import { createEventSearch } from './event-search.ts';
import { eventsIndex } from './events-index.ts';
import { createIndices } from './indices.ts';
import { createOtherLines } from './other-lines.ts';
import { refusedIndex } from './refused-index.ts';
import { namesForDay, sampleDays } from './sample-days.ts';
import { createSearch } from './search.ts';
import { serverTimeMs, timeQuestion } from './server-time.ts';

const probeEveryMs = 2_000;
const probeTimeoutMs = 5_000;
/** How often outdated days are looked for and the next day is prepared. */
const upkeepEveryMs = 10 * 60_000;
const prepareAheadMs = 30 * 60_000;
const closeWithinMs = 2_000;

export type ElasticsearchStoreOptions = StoreOptions & {
  /** Instead of the one that goes to the addresses of `url`. */
  readonly client?: ElasticsearchClient;
  readonly random?: () => number;
  /** For tests that put a wrong rule in the place of a right one. */
  readonly rules?: Partial<StoreRules>;
};

export const openElasticsearchStore = (options: ElasticsearchStoreOptions): Store => {
  const { prefix, replicas, clock, retentionDays, maxHeldBytes = defaultMaxHeldBytes, random = Math.random } = options;
  const log = options.log.child({ store: 'elasticsearch' });
  const client = options.client ?? createElasticsearchClient(options);
  const rules: StoreRules = { ...realRules, ...options.rules };
  const catalogue: ReadonlyMap<string, Target> = new Map(options.catalogue.map((target) => [target.name, target]));
  const health = createHealth(clock, log, client.urls.map((url) => new URL(url).host).join(', '));
  const kinds = [
    sampleDays({ prefix, replicas, retentionDays, catalogue }),
    eventsIndex(prefix, replicas),
    refusedIndex(prefix, replicas),
  ];
  const indices = createIndices({ client, kinds, log });
  const around = { client, indices, catalogue, retentionDays, maxHeldBytes, health, clock, random, rules, log };
  const writer = createBulkWriter({
    ...around,
    lines: createDocumentLines({ prefix, catalogue, clock, rules }),
    otherLines: createOtherLines({ prefix, catalogue, rules }),
    collisions: createCollisionCheck({ client, prefix, catalogue }),
    allowance: createLetterAllowance(clock, log),
  });
  const search = createSearch({ client, prefix, health, clock });
  const events = createEventSearch({ client, prefix, health });
  const documents = createElasticsearchDocuments({ client, prefix, replicas, health, clock });
  let closed = false;
  let isClosing = false;
  let probing = false;
  const isClosed = (): boolean => closed;

  const upkeep = async (): Promise<void> => {
    const nowMs = clock.wallMs();
    await indices.deleteOutdated(nowMs);
    if ((nowMs + prepareAheadMs) % dayMs >= prepareAheadMs) return;
    for (const name of namesForDay(prefix, indices.known(), dayOf(nowMs) + 1)) await indices.ensure(name);
  };

  /** Any answer of a server that knows us will do: not everybody may ask for the health of a cluster. */
  const isAlive = (reply: Reply): boolean =>
    reply.ok && reply.status < 500 && reply.status !== 401 && reply.status !== 429;

  const tellTime = async (): Promise<void> => {
    const askedAtMs = clock.monotonicMs();
    const reply = await client.request({ ...timeQuestion, timeoutMs: probeTimeoutMs });
    if (reply.ok && isAlive(reply)) options.hearTime?.(serverTimeMs(reply.body), askedAtMs);
  };

  const probe = async (): Promise<void> => {
    if (probing || isClosed()) return;
    probing = true;
    const query = { filter_path: 'status' };
    const reply = await client.request({ method: 'GET', path: '/_cluster/health', query, timeoutMs: probeTimeoutMs });
    probing = false;
    if (isClosed()) return;
    if (!isAlive(reply)) return health.down(reasonOf(reply));
    void tellTime();
    if (!writer.isFailing()) health.up(''); // while writing fails, only a written document says otherwise
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
    writeEvents: (request) => writer.writeEvents(request),
    room: () => writer.room(),
    ask: (question, { deadlineMs }) => search.ask(question, deadlineMs),
    askEvents: (question, { deadlineMs }) => events.ask(question, deadlineMs),
    documents,
    health: () => health.now(),
    onHealth: (listener) => health.on(listener),
    counters: () => ({ ...writer.counters(), ...search.counters(), ...events.counters() }),
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
