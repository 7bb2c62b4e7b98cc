/**
 * One start of an ingest node: the real sessions, what they share, and the real store on Elasticsearch, behind simulated connections. Nothing
 * of it outlives its life. Left out are the sockets, the actors around the sessions and the mesh: the live view is a list of what it was offered.
 */
import type { Life } from '@thrum/actors/simulation/virtual-time';
import { silentLog, type Log } from '@thrum/actors/system/log';
import { readBatchHeader, type Batch, type BatchHeader } from '@thrum/actors/wire/batch';
import type { Ack } from '@thrum/actors/wire/ingest-to-agent';
import type { Hello } from '@thrum/actors/wire/agent-to-ingest';
import { limits } from '@thrum/actors/wire/limits';
import { Dictionaries } from '../../ingest/src/intake/dictionaries.ts';
import { EventAllowance } from '../../ingest/src/intake/event-allowance.ts';
import { IntakeCounts } from '../../ingest/src/intake/intake-counts.ts';
import { SeriesCounts, seriesCountsDefaults } from '../../ingest/src/intake/series-counts.ts';
import { startPacing } from '../../ingest/src/intake/pacing.ts';
import { rules as intakeRules } from '../../ingest/src/intake/rules.ts';
import { Session } from '../../ingest/src/intake/session.ts';
import type { Surroundings } from '../../ingest/src/intake/surroundings.ts';
import { Sessions } from '../../ingest/src/intake/sessions.ts';
import { StrangerLog } from '../../ingest/src/intake/stranger-log.ts';
import { UnderWay } from '../../ingest/src/intake/under-way.ts';
import type { Live } from '../../ingest/src/live/live.ts';
import type { ElasticsearchClient } from '../../ingest/src/store/elasticsearch/client.ts';
import { openElasticsearchStore } from '../../ingest/src/store/elasticsearch/elasticsearch-store.ts';
import { createRightTime } from '../../ingest/src/store/right-time.ts';
import type { Store } from '../../ingest/src/store/store.ts';
import type { Door } from './balancer.ts';
import { newConversationCheck } from './conversation-check.ts';
import { modelCatalogue, modelToken, prefix, retentionDays } from './installation.ts';
import type { WrongRules } from './mutant.ts';

export type IngestLife = {
  readonly life: Life;
  readonly store: Store;
  readonly door: Door;
  /** As the intake and the node stop in order. */
  leave(): Promise<void>;
};

export type IngestWatch = {
  readonly broken: (what: string, detail: string) => void;
  /** From one end to the other and back, at most. */
  readonly roundTripMs: () => number;
  /** A session says that these are done for good. */
  acknowledged(host: string, ack: Ack): void;
  /** Whether nobody can read this batch. */
  isUnreadable(host: string, header: BatchHeader): boolean;
  /** The live view was offered this. */
  shown(host: string, batch: Batch): void;
};

const leaveWithinMs = 2000;
const nonsense = Uint8Array.of(1, 2, 3);

export const startIngest = (options: {
  readonly life: Life;
  readonly name: string;
  readonly client: ElasticsearchClient;
  readonly random: () => number;
  readonly rules: WrongRules;
  readonly maxHeldBytes: number;
  readonly watch: IngestWatch;
  readonly log?: Log | undefined;
}): IngestLife => {
  const { life, name, watch, rules, log = silentLog } = options;
  const time = createRightTime(life.clock, log, true);
  const { clock } = time;
  const store = openElasticsearchStore({
    url: 'elasticsearch:http://simulated:9200',
    ...{
      replicas: 0,
      prefix,
      retentionDays,
      catalogue: modelCatalogue,
      maxHeldBytes: options.maxHeldBytes,
      clock,
      hearTime: time.heard,
      log,
    },
    ...{ client: options.client, random: options.random, rules: rules.store ?? {} },
  });
  const live: Live = {
    greet: ({ hostId }) => ({
      hostId,
      accept: (batch) => watch.shown(hostId, batch),
      heard: () => undefined,
      refused: () => undefined,
      lost: () => undefined,
      left: () => undefined,
      isSuperseded: () => false,
    }),
    snapshot: () => Promise.reject(new Error('BUG: nobody watches')),
    counters: () => ({}),
    close: () => undefined,
  };
  const counts = new IntakeCounts();
  const ownRules = { ...intakeRules, ...rules.intake };
  const sessions = new Sessions(ownRules);
  const tells = new Set<() => void>();
  const pacing = startPacing({ clock, store, counts, sessions: () => sessions.size, tells });
  const around: Surroundings = {
    ...{ clock, isTimeSure: time.isSure, log, nodeName: name, live, store, counts, sessions, rules: ownRules },
    pacing,
    isOurToken: (token) => token === modelToken,
    dictionaries: new Dictionaries(modelCatalogue),
    seriesCounts: new SeriesCounts({ ...seriesCountsDefaults, maxSeriesPerHost: limits.maxSeriesPerHost }),
    strangerLog: new StrangerLog(),
    underWay: new UnderWay(),
    eventAllowance: new EventAllowance(),
    retentionMs: retentionDays * 86_400_000,
  };
  const open = new Set<Session>();
  const door: Door = {
    life,
    enter: (end) => {
      let host = '';
      const check = newConversationCheck({ ...watch, nowMs: () => clock.monotonicMs() });
      const session: Session = new Session(around, {
        address: 'simulated',
        send: (event, message) => {
          if (event === 'ack') watch.acknowledged(host, message as Ack);
          check.told(event, message);
          end().say(event, [message]);
        },
        close: () => end().close('io server disconnect'),
        greeted: () => void tells.add(tellPace),
        replaced: (quietly) => life.soon(() => session.replaced(quietly)),
        superseded: () => life.soon(() => session.superseded()),
      });
      open.add(session);
      const tellPace = (): void => session.pace();
      clock.after(5000, () => session.overdue());
      return {
        said: (event, args, reply) => {
          if (event === 'hello') host = (args[0] as Hello).host;
          const answered =
            reply &&
            ((answer: unknown): void => {
              if (event === 'hello') check.told('welcome', answer);
              reply(answer);
            });
          const header = event === 'batch' ? readBatchHeader(args[0] as Uint8Array) : undefined;
          const came = header && watch.isUnreadable(host, header) ? [nonsense, ...args.slice(1)] : args;
          check.came(event, args, () => session.said(event, answered ? [...came, answered] : came));
        },
        heard: () => session.heard(),
        ended: (reason) => {
          tells.delete(tellPace);
          open.delete(session);
          session.gone(reason === 'ping timeout');
        },
      };
    },
  };
  const leave = async (): Promise<void> => {
    pacing.close();
    for (const session of open) session.leave();
    await new Promise<void>((resolve) => void clock.after(leaveWithinMs, resolve));
    await store.close();
  };
  return { life, store, door, leave };
};
