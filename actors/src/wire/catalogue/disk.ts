import { counter, gauge, level, target } from '../schema.ts';

export const disk = target({
  name: 'disk',
  title: 'Disk',
  sentence: 'Traffic of one block device.',
  fields: [{ name: 'device', sentence: 'Name of the block device, such as sda.' }],
  metrics: [
    counter('read_bytes', 'bytes', 'Bytes read.'),
    counter('written_bytes', 'bytes', 'Bytes written.'),
    counter('reads', 'count', 'Read requests completed.'),
    counter('writes', 'count', 'Write requests completed.'),
    counter('read_time', 'ms', 'Time spent on reads, summed over requests.'),
    counter('write_time', 'ms', 'Time spent on writes, summed over requests.'),
    gauge('utilization', '%', 'Time with at least one request pending.'),
    level('in_progress', 'count', 'Requests pending at the moment of the sample.'),
  ],
  charts: [
    { title: 'Disk throughput', metrics: ['read_bytes'], below: ['written_bytes'] },
    { title: 'Disk operations', metrics: ['reads'], below: ['writes'] },
    { title: 'Disk utilization', metrics: ['utilization'], max: 100 },
  ],
});
