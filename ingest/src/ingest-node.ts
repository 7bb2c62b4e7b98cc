/**
 * An ingest node put together: actor system, links, membership, topics, presence, store, live view, history and the door for agents, on an HTTP server that
 * listens already. This is the only file that knows all the rooms.
 */
import { randomInt } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import { startService } from '@thrum/actors/link/named-service';
import { joinMesh, type Mesh } from '@thrum/actors/mesh/join-mesh';
import { createActorSystem } from '@thrum/actors/system/actor-system';
import { systemClock } from '@thrum/actors/system/clock';
import { exposition } from '@thrum/actors/system/exposition';
import { createLog } from '@thrum/actors/system/log';
import { processValues } from '@thrum/actors/system/process-values';
import { documentsEndpoint } from '@thrum/actors/wire/documents';
import type { Target } from '@thrum/actors/wire/schema';
import { encodeStoreState, storeKey, storeTopic } from '@thrum/actors/wire/store-state';
import { nodeNameOf, type Config } from './config.ts';
import { watchLoopDelay } from './control/loop-delay.ts';
import { createDocumentsDoor } from './documents/documents.ts';
import { startHistory } from './history/history.ts';
import { Dictionaries } from './intake/dictionaries.ts';
import { startIntake, type Intake } from './intake/intake.ts';
import { startLive } from './live/live.ts';
import { openStore } from './store/open-store.ts';
import { createRightTime, type RightTime } from './store/right-time.ts';
import type { StoreHealth } from './store/store.ts';

export type IngestNode = {
  /** For the ready line. */
  readonly name: string;
  readonly meshPort: number;
  health(): { readonly ready: boolean; readonly body: object };
  metrics(): string;
  /** Agents first, so that they go elsewhere; then the store, so that what is under way lands; the mesh last. */
  stop(): Promise<void>;
};

const dayMs = 86_400_000;
const timeWithinMs = 1000;

const openConfiguredStore = (
  config: Config,
  catalogue: readonly Target[],
  time: RightTime,
  log: Parameters<typeof openStore>[0]['log'],
) =>
  openStore({
    url: config.store,
    ...(config.storeUser !== undefined && { user: config.storeUser }),
    ...(config.storePassword !== undefined && { password: config.storePassword }),
    ...(config.storeApiKey !== undefined && { apiKey: config.storeApiKey }),
    ...(config.storeCa !== undefined && { caFile: config.storeCa }),
    replicas: config.storeReplicas,
    prefix: config.storePrefix,
    retentionDays: config.retentionDays,
    catalogue,
    clock: time.clock,
    hearTime: time.heard,
    log: log.child({ part: 'store' }),
  });

/** Throws with a message for people when the mesh port or the store cannot be had. */
export const startIngestNode = async (
  config: Config,
  catalogue: readonly Target[],
  server: HttpServer,
  port: number,
): Promise<IngestNode> => {
  const name = nodeNameOf(config, port);
  const log = createLog({ name: 'ingest', level: config.logLevel }).child({ node: name });
  const time = createRightTime(systemClock, log, config.store.startsWith('elasticsearch:'));
  const { clock } = time;
  const store = await openConfiguredStore(config, catalogue, time, log);
  // Nobody is to be told a wrong time only because the store had no moment to say the right one.
  await Promise.race([time.told, new Promise<void>((resolve) => void clock.after(timeWithinMs, resolve))]);
  const system = createActorSystem({ name: 'ingest', clock, log });
  let mesh: Mesh;
  try {
    mesh = await joinMesh({
      self: { id: name, name, role: 'ingest' },
      key: config.meshKey,
      bind: config.bind,
      port: config.meshPort,
      seeds: config.meshSeeds,
      system,
      ...(config.meshAdvertise !== undefined && { advertise: config.meshAdvertise }),
    });
  } catch (error) {
    await store.close();
    throw error;
  }
  const { links, actors, membership, topics, presence } = mesh;
  const serve = (service: string, answer: (question: unknown) => unknown): (() => void) =>
    startService({ actors, system }, service, answer);
  const dictionaries = new Dictionaries(catalogue);
  const intakeDoor: { intake?: Intake } = {};
  const live = startLive({
    clock,
    log: log.child({ part: 'live' }),
    links,
    topics,
    presence,
    serve,
    // The intake stands on the live view, so it comes later; nobody asks before it is there.
    askRecent: (hostId, sinceMs, deadlineMs) => {
      if (!intakeDoor.intake) throw new Error('BUG: a snapshot was asked for before the intake started');
      return intakeDoor.intake.askRecent(hostId, sinceMs, deadlineMs);
    },
    findDictionary: (hash) => dictionaries.find(hash),
    isKnownTarget: (target) => dictionaries.isKnownTarget(target),
    newTableId: () => randomInt(1, 2 ** 32),
  });
  const history = startHistory({ store, catalogue, clock });
  serve('history', (question) => history.ask(question));
  const documents = createDocumentsDoor(store.documents);
  links.serve(documentsEndpoint, (question) => documents.ask(question));
  const retentionMs = config.retentionDays * dayMs;
  const intake = startIntake({
    server,
    system,
    live,
    store,
    dictionaries,
    token: config.token,
    nodeName: name,
    retentionMs,
    isTimeSure: time.isSure,
  });
  intakeDoor.intake = intake;
  const loopDelay = watchLoopDelay(clock);
  const tellStore = ({ state, sinceMs }: StoreHealth): void =>
    topics.publish(storeTopic, encodeStoreState({ awaySinceMs: state === 'ready' ? null : sinceMs }), {
      key: storeKey,
    });
  tellStore(store.health());
  store.onHealth(tellStore);
  let stopping: Promise<void> | undefined;

  const stop = async (): Promise<void> => {
    log.info({}, 'Stopping');
    await intake.close();
    live.close();
    await membership.leave();
    await store.close();
    await mesh.close();
    loopDelay.close();
    await system.stop();
  };

  return {
    name,
    meshPort: Number(links.self.address.split(':').at(-1)),
    health: () => ({
      ready: stopping === undefined,
      body: {
        ready: stopping === undefined,
        node: name,
        store: { kind: store.kind, ...store.health() },
        mesh: membership.members().map(({ node, state }) => ({ node: node.name, role: node.role, state })),
      },
    }),
    metrics: () => {
      const { refused, samplesRefused, ...counts } = intake.counts;
      return exposition(
        'ingest',
        [
          { part: 'intake', values: { ...counts, ...intake.gauges() } },
          { part: 'live', values: live.counters() },
          { part: 'store', values: { ready: store.health().state === 'ready' ? 1 : 0, ...store.counters() } },
          { part: 'history', values: history.counters() },
          { part: 'documents', values: documents.counters() },
          ...mesh.figures(),
          { part: 'actors', values: { ...system.counters() } },
          { part: 'clock', values: { off_seconds: time.offMs() / 1000, sure: time.isSure() ? 1 : 0 } },
          { part: 'process', values: { ...processValues(), ...loopDelay.values() } },
        ],
        [
          { part: 'intake', name: 'connections_refused', label: 'code', values: refused },
          { part: 'intake', name: 'samples_refused', label: 'code', values: samplesRefused },
        ],
      );
    },
    stop: () => (stopping ??= stop()),
  };
};
