/** What everybody of the model agrees on: the token, the catalogue, how long data is kept. The catalogue is small, so that batches are. */
import { dictionaryOf } from '@thrum/actors/wire/dictionary';
import { gauge, level, target } from '@thrum/actors/wire/schema';

export const modelToken = 'the token of the model';
export const prefix = 'thrum';
export const retentionDays = 30;
export const periodMs = 1000;

/** `number` names a sample: no two of a run have the same, whatever became of the agents. `mood` below zero fits no mapping, ever. */
const metrics = [level('number', 'count', 'Which sample it is.'), gauge('mood', 'count', 'Below zero: poison.')];
const machine = target({
  ...{ name: 'machine', title: 'Machine', sentence: 'One per host.', fields: [], metrics, charts: [] },
});
const disk = target({
  ...{ name: 'disk', title: 'Disk', sentence: 'A few per host.', metrics, charts: [] },
  fields: [{ name: 'device', sentence: 'Which one.' }],
});

export const modelCatalogue = [machine, disk];
export const modelDictionary = dictionaryOf(modelCatalogue);

export const hostIdOf = (agent: number): string =>
  `00000000-0000-4000-8000-0000000000${String(agent).padStart(2, '0')}`;
