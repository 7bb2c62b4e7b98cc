import { gauge, level, target } from '../schema.ts';

export const memory = target({
  name: 'memory',
  title: 'Memory',
  sentence: 'What main memory and swap are used for.',
  fields: [],
  metrics: [
    gauge('usage', '%', 'Part of main memory that is not available to new programs.'),
    level('total', 'bytes', 'Main memory.'),
    level('available', 'bytes', 'Memory new programs could get without swapping.'),
    level('free', 'bytes', 'Memory used for nothing.'),
    level('used', 'bytes', 'Memory of programs and the kernel: total less free, buffers and cache.'),
    level('buffers', 'bytes', 'Memory buffering raw block devices.'),
    level('cached', 'bytes', 'Memory caching files, reclaimable slab included.'),
    level('shared', 'bytes', 'Shared memory and temporary filesystems.'),
    level('dirty', 'bytes', 'Memory waiting to be written to a disk.'),
    level('swap_total', 'bytes', 'Swap space.'),
    level('swap_used', 'bytes', 'Swap space in use.'),
  ],
  charts: [
    { title: 'Memory', metrics: ['used', 'buffers', 'cached', 'free'], stacked: true },
    { title: 'Swap', metrics: ['swap_used', 'swap_total'] },
  ],
});
