import { counter, gauge, level, target } from '../schema.ts';

export const host = target({
  name: 'host',
  title: 'Host',
  sentence: 'The machine as a whole.',
  fields: [],
  metrics: [
    gauge('uptime', 'seconds', 'Time since the machine was started.'),
    level('processes', 'count', 'Threads known to the scheduler.'),
    level('processes_running', 'count', 'Processes running or ready to run.'),
    level('processes_blocked', 'count', 'Processes waiting for a disk.'),
    counter('forks', 'count', 'Processes started since boot.'),
    counter('context_switches', 'count', 'Context switches since boot.'),
    counter('interrupts', 'count', 'Interrupts served since boot.'),
    level('open_files', 'count', 'File handles in use.'),
  ],
  charts: [
    { title: 'Processes', metrics: ['processes_running', 'processes_blocked'] },
    { title: 'Context switches and interrupts', metrics: ['context_switches', 'interrupts'] },
    { title: 'Process starts', metrics: ['forks'] },
    { title: 'Open files', metrics: ['open_files'] },
  ],
});
