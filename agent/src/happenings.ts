/**
 * What the agent has to tell beside samples: its start and its stop, samples that are missing for good, and now and then how delivery stands. A
 * gap stays with the queue until the store has the event that tells it; told twice after a crash it has the same id and is stored once.
 */
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import type { AccountFacts, AgentEvent, EventKind, GapFacts } from '@thrum/actors/wire/events';
import type { Gap, Queue } from './queue/queue.ts';
import type { Recording } from './recording.ts';

const accountEveryMs = 3_600_000;
const lookForGapsMs = 1000;

export type Happenings = {
  /** Tells that the agent stops; fulfilled when that is safe. */
  stop(): Promise<void>;
};

/**
 * Only numbers that JSON has: an event that ingest cannot read would be refused for ever, and everything behind it in the queue with it. What
 * damage has left without a time gets that of its epoch, the same whenever it is told.
 */
const numberOr = (value: number, otherwise: number): number => (Number.isFinite(value) ? value : otherwise);

const gapFacts = (gap: Gap): GapFacts => ({
  reason: gap.reason,
  epoch: gap.epoch,
  first_seq: numberOr(gap.firstSeq, 0),
  last_seq: numberOr(gap.lastSeq, -1),
  batches: numberOr(gap.batches, 0),
  samples: numberOr(gap.samples, 0),
  from_ms: numberOr(gap.fromMs, gap.epoch * 1000),
  to_ms: numberOr(gap.toMs, gap.epoch * 1000),
});

/** For the log: what is missing, or that nobody knows. */
const sayGap = ({ samples, reason, firstSeq, lastSeq }: Gap): string => {
  if (samples > 0) return 'samples are missing for good';
  if (lastSeq >= firstSeq) return 'records without samples are missing for good';
  return reason === 'unclean'
    ? 'the agent was not stopped in order: what it measured in its last moments may be missing, nobody knows how much'
    : 'samples may be missing for good, nobody knows how many';
};

export const startHappenings = (options: {
  readonly queue: Pick<Queue, 'account' | 'durability' | 'nextGap' | 'gapIsToldIn'>;
  readonly recording: Pick<Recording, 'events' | 'counters'>;
  readonly epoch: number;
  readonly agentVersion: string;
  /** What the queue was found like. */
  readonly found: { readonly wasClean: boolean; readonly batches: number };
  readonly clock: Clock;
  /** Now by the sample clock. */
  readonly nowMs: () => number;
  readonly log: Log;
}): Happenings => {
  const { queue, recording, epoch, clock, log } = options;
  let accounts = 0;
  let isTelling = false;

  const event = (kind: EventKind, id: string, facts: AgentEvent['facts']): AgentEvent => ({
    ...{ kind, id: `${kind}-${id}`, timeMs: Math.max(0, Math.round(options.nowMs())), facts },
  });
  const accountFacts = (): AccountFacts & { readonly ticks_lost: number } => {
    const { produced, stored, refused, gap, queued } = queue.account();
    return { produced, stored, refused, gap, queued, ticks_lost: recording.counters.ticksLost };
  };
  const account = (): AgentEvent => event('account', `${epoch}-${(accounts += 1)}`, accountFacts());
  /** Recording has told its fault. */
  const tell = (...events: readonly AgentEvent[]): Promise<void> =>
    recording.events(events, events[0]?.timeMs ?? 0).safe.catch(() => undefined);

  /** Not while the disk takes nothing: the queue keeps a gap better than an event in memory would. */
  const mayTellGaps = (): boolean => queue.durability().state === 'durable';

  const tellGaps = async (): Promise<void> => {
    if (isTelling) return;
    isTelling = true;
    try {
      for (let gap = queue.nextGap(); gap && mayTellGaps(); gap = queue.nextGap()) {
        // The time is the gap's own: told twice it must be the same event, and where an event is kept goes by its time.
        const facts = gapFacts(gap);
        const timeMs = Math.max(0, Math.round(facts.to_ms));
        const id = gap.id.replaceAll(/[^0-9A-Za-z._-]/g, '_');
        const { at, safe } = recording.events([{ ...event('gap', id, facts), timeMs }], timeMs);
        queue.gapIsToldIn(gap.id, at);
        try {
          await safe;
        } catch (error) {
          queue.gapIsToldIn(gap.id, undefined);
          throw error;
        }
        log.warn(facts, sayGap(gap));
      }
    } catch (error) {
      log.error({ error }, 'a gap could not be told; trying again');
    } finally {
      isTelling = false;
    }
  };

  const { wasClean, batches } = options.found;
  const start = { agent_version: options.agentVersion, clean: wasClean, batches_waiting: batches };
  void tell(event('start', `${epoch}`, { ...start, ...accountFacts() }), account());
  void tellGaps();
  const timers = [
    clock.every(lookForGapsMs, () => void tellGaps()),
    clock.every(accountEveryMs, () => void tell(account())),
  ];

  return {
    stop: () => {
      for (const timer of timers) timer.cancel();
      return tell(event('stop', `${epoch}`, accountFacts()), account());
    },
  };
};
