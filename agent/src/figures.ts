/** What the agent's own page of figures says: its counters, and a few of the newest values it measured. */
import type { Rounds } from './collectors/round.ts';
import type { Figure } from './figures-page.ts';
import type { DeliveryFigures } from './delivery-figures.ts';
import type { Recording } from './recording.ts';
import type { Recent } from './uplink/recent.ts';
import type { Uplink } from './uplink/uplink.ts';

export const figuresOf = (of: {
  rounds: Rounds;
  recent: Recent;
  uplink: Uplink;
  recording: Recording;
  sampling: { tickMs: number; leftOut: number };
  delivery: DeliveryFigures;
}): readonly Figure[] => {
  const { rounds, recent, sampling, delivery } = of;
  const sent = of.uplink.counters;
  const counter = (name: string, help: string, value: number | undefined): Figure => ({
    name: `thrum_agent_${name}`,
    help,
    kind: 'counter',
    value,
  });
  const gauge = (name: string, help: string, value: number | undefined): Figure => ({
    name: `thrum_agent_${name}`,
    help,
    kind: 'gauge',
    value,
  });
  return [
    gauge('connected', 'Whether a conversation with an ingest node is open.', of.uplink.isOpen() ? 1 : 0),
    counter('rounds_total', 'Rounds of all collectors.', rounds.counters.rounds),
    counter('ticks_left_out_total', 'Ticks left out because the clock was set back.', sampling.leftOut),
    counter('ticks_lost_total', 'Ticks whose batch could not be kept.', of.recording.counters.ticksLost),
    counter('values_collected_total', 'Values measured.', rounds.counters.values),
    counter('values_left_out_total', 'Values that were not finite.', of.recording.counters.valuesLeftOut),
    counter('collector_failures_total', 'Rounds in which a collector failed.', rounds.counters.failures),
    counter('instances_over_limit_total', 'Samples over 256 per target.', rounds.counters.overLimit),
    gauge('round_milliseconds', 'Time the last round took.', sampling.tickMs),
    gauge('queue_batches', 'Batches kept until they are acknowledged.', delivery.queueBatches),
    gauge('queue_bytes', 'Bytes kept until they are acknowledged.', delivery.queueBytes),
    counter('queue_dropped_total', 'Batches given up since the start.', delivery.queueDropped),
    gauge('queue_oldest_seconds', 'Age of the oldest samples in the queue.', delivery.queueAgeSeconds),
    gauge('queue_degraded', '1 while the disk takes nothing and samples are in memory only.', delivery.queueDegraded),
    counter('samples_produced_total', 'Samples put into the queue since it was made.', delivery.samplesProduced),
    counter('samples_stored_total', 'Of these the store has.', delivery.samplesStored),
    counter('samples_refused_total', 'Of these were refused for good.', delivery.samplesRefusedTotal),
    counter('samples_gap_total', 'Of these are missing for good.', delivery.samplesGap),
    gauge('samples_queued', 'Of these wait in the queue.', delivery.samplesQueued),
    gauge('recent_bytes', 'Bytes of the last minutes kept for who starts to watch.', recent.bytes()),
    counter('batches_sent_total', 'Batches sent for the first time.', sent.sent),
    counter('batches_resent_total', 'Batches sent again.', sent.resent),
    counter('batches_acknowledged_total', 'Batches the store has.', sent.acknowledged),
    counter('batches_busy_total', 'Batches ingest had no room to store at the moment.', sent.busy),
    counter('batches_unanswered_total', 'Batches without an answer in time.', sent.unanswered),
    counter('messages_ignored_total', 'Messages from ingest that made no sense.', sent.nonsense),
    counter('connections_total', 'Conversations opened.', sent.connections),
    gauge('resident_memory_bytes', 'Resident memory of the agent.', process.memoryUsage.rss()),
    gauge('cpu_usage_percent', 'Newest total processor usage of the host.', rounds.latest('cpu', ['total'], 'usage')),
    gauge('memory_usage_percent', 'Newest memory usage of the host.', rounds.latest('memory', [], 'usage')),
    gauge('load1', 'Newest load average over one minute.', rounds.latest('load', [], 'load1')),
  ];
};
