import { counter, gauge, level, target } from '../schema.ts';

export const agent = target({
  name: 'agent',
  title: 'Agent',
  sentence: 'What measuring this host costs, and how delivery is going.',
  fields: [],
  metrics: [
    gauge('cpu', '%', 'Processor time of the agent, in percent of one core.'),
    level('memory', 'bytes', 'Resident memory of the agent process.'),
    gauge('tick', 'ms', 'Time the last round of all collectors took.'),
    gauge('loop_delay', 'ms', 'Longest time the event loop was held up since the last sample.'),
    counter('values_collected', 'count', 'Values measured since the agent started.'),
    counter('values_left_out', 'count', 'Values that were not finite numbers and were left out.'),
    counter('collector_failures', 'count', 'Rounds in which a collector failed; its sample is missing then.'),
    level('queue_batches', 'count', 'Batches kept until ingest acknowledges them.'),
    level('queue_bytes', 'bytes', 'Size of the batches kept until ingest acknowledges them.'),
    counter('queue_dropped', 'count', 'Batches given up because the queue was full.'),
    counter('batches_sent', 'count', 'Batches sent for the first time.'),
    counter('batches_resent', 'count', 'Batches sent again.'),
    counter('batches_acknowledged', 'count', 'Batches the store has.'),
    counter('samples_refused', 'count', 'Samples that ingest refused with a reason.'),
    counter('reconnects', 'count', 'Connections opened after the first one.'),
  ],
  charts: [
    { title: 'Agent CPU', metrics: ['cpu'] },
    { title: 'Agent memory', metrics: ['memory'] },
    { title: 'Batches', metrics: ['batches_sent', 'batches_acknowledged', 'batches_resent'] },
    { title: 'Queue', metrics: ['queue_batches'] },
    { title: 'Time to measure', metrics: ['tick', 'loop_delay'] },
  ],
});
