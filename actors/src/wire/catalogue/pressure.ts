import { gauge, target } from '../schema.ts';

export const pressure = target({
  name: 'pressure',
  title: 'Pressure',
  sentence: 'Time lost waiting for a resource, as the kernel accounts it (PSI).',
  fields: [{ name: 'resource', sentence: 'What was waited for: cpu, memory or io.' }],
  metrics: [
    gauge('some', '%', 'Time in which at least one process waited.'),
    gauge('full', '%', 'Time in which all processes waited at once.'),
  ],
  charts: [{ title: 'Pressure', metrics: ['some', 'full'], max: 100 }],
});
