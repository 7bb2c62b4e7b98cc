import { gauge, target } from '../schema.ts';

export const cpu = target({
  name: 'cpu',
  title: 'CPU',
  sentence: 'Where processor time goes, over all cores together (cpu = total) and per core.',
  fields: [{ name: 'cpu', sentence: 'Number of the core, or "total" for all of them.' }],
  metrics: [
    gauge('usage', '%', 'Time not idle and not waiting for a disk.'),
    gauge('user', '%', 'Time in programs.'),
    gauge('nice', '%', 'Time in programs of lowered priority.'),
    gauge('system', '%', 'Time in the kernel.'),
    gauge('iowait', '%', 'Time idle while a disk request was pending.'),
    gauge('irq', '%', 'Time serving hardware interrupts.'),
    gauge('softirq', '%', 'Time serving software interrupts.'),
    gauge('steal', '%', 'Time the hypervisor gave to other machines.'),
    gauge('idle', '%', 'Time with nothing to do.'),
  ],
  charts: [
    {
      title: 'CPU',
      metrics: ['user', 'system', 'nice', 'iowait', 'irq', 'softirq', 'steal'],
      stacked: true,
      max: 100,
    },
  ],
});
