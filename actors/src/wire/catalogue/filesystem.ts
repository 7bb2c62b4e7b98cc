import { gauge, level, target } from '../schema.ts';

export const filesystem = target({
  name: 'filesystem',
  title: 'Filesystem',
  sentence: 'Room on one mounted filesystem.',
  fields: [
    { name: 'mount', sentence: 'Directory it is mounted on.' },
    { name: 'device', sentence: 'What is mounted.' },
    { name: 'fstype', sentence: 'Kind of filesystem, such as ext4.' },
  ],
  metrics: [
    gauge('usage', '%', 'Part in use of what unprivileged programs may use.'),
    level('size', 'bytes', 'Size of the filesystem.'),
    level('used', 'bytes', 'Bytes in use.'),
    level('available', 'bytes', 'Bytes left to unprivileged programs.'),
    level('inodes', 'count', 'Inodes of the filesystem.'),
    level('inodes_used', 'count', 'Inodes in use.'),
  ],
  charts: [{ title: 'Filesystem usage', metrics: ['usage'], max: 100 }],
});
