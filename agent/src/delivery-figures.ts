/** How delivery stands, in numbers: for the target `agent`, the page of figures and whoever asks whether the agent is well. */
import type { AgentFigures } from './collectors/collector.ts';
import type { Queue } from './queue/queue.ts';
import type { Uplink } from './uplink/uplink.ts';

export type DeliveryFigures = Omit<AgentFigures, 'tickMs' | 'valuesCollected' | 'valuesLeftOut' | 'collectorFailures'>;

/** Age of the oldest record by the clock of the samples themselves, which does not jump when the host's does. */
export const queueAgeSeconds = (queue: Pick<Queue, 'size'>, newestMs: number | undefined): number => {
  const { oldestMs } = queue.size();
  return oldestMs === undefined || newestMs === undefined ? 0 : Math.max(0, newestMs - oldestMs) / 1000;
};

export const deliveryFigures = (
  queue: Pick<Queue, 'size' | 'account' | 'durability'>,
  sent: Uplink['counters'],
  newestMs: number | undefined,
): DeliveryFigures => {
  const size = queue.size();
  const account = queue.account();
  return {
    queueBatches: size.batches,
    queueBytes: size.bytes,
    queueDropped: size.dropped,
    batchesSent: sent.sent,
    batchesResent: sent.resent,
    batchesAcknowledged: sent.acknowledged,
    samplesRefused: sent.samplesRefused,
    reconnects: Math.max(0, sent.connections - 1),
    samplesProduced: account.produced,
    samplesStored: account.stored,
    samplesGap: account.gap,
    samplesQueued: account.queued,
    queueDegraded: queue.durability().state === 'degraded' ? 1 : 0,
    queueAgeSeconds: queueAgeSeconds(queue, newestMs),
    samplesRefusedTotal: account.refused,
  };
};

/** What `/healthz` answers: the agent works either way. */
export const healthOf = (queue: Pick<Queue, 'durability'>): string => {
  const { state, detail } = queue.durability();
  return state === 'durable' ? 'ok\n' : `degraded: ${detail}\n`;
};
