import { gauge, target } from '../schema.ts';

export const load = target({
  name: 'load',
  title: 'Load',
  sentence: 'Average number of processes that run, are ready to run or wait for a disk.',
  fields: [],
  metrics: [
    gauge('load1', 'load', 'Average over one minute.'),
    gauge('load5', 'load', 'Average over five minutes.'),
    gauge('load15', 'load', 'Average over fifteen minutes.'),
  ],
  charts: [{ title: 'Load', metrics: ['load1', 'load5', 'load15'] }],
});
