/** The lines of what is no sample: dead letters and events; and, out of what the server refused, what is sent instead. */
import type { AgentEvent } from '@thrum/actors/wire/events';
import type { Target } from '@thrum/actors/wire/schema';
import { columnName } from '../column-name.ts';
import type { Reason } from '../admissible.ts';
import type { DeadLetter } from '../dead-letter.ts';
import type { StoreRules } from '../rules.ts';
import type { Origin } from '../store.ts';
import type { Item } from './bulk.ts';
import { readDayIndexName } from './day-index.ts';
import { bareEvent, eventDocument } from './events-index.ts';
import { letterMonthOf, monthIndexName, nearMonthOf } from './month-index.ts';
import { bareLetter, letterDocument } from './refused-index.ts';

export type Lines = { readonly index: string; readonly text: string };

type Options = {
  readonly prefix: string;
  readonly catalogue: ReadonlyMap<string, Target>;
  readonly rules: Pick<StoreRules, 'idOfLetter' | 'idOfEvent'>;
};

export type OtherLines = {
  letter(letter: DeadLetter, nowMs: number): Lines;
  event(origin: Origin, event: AgentEvent, nowMs: number): Lines;
  /** The dead letter of a sample that the server refused, out of the lines that were sent. */
  letterOfRefused(item: Item, lines: Buffer, reason: Reason): DeadLetter;
  /** A dead letter or an event again, without what the server may have refused. */
  bare(item: Item, lines: Buffer): Lines;
};

type Document = Record<string, unknown>;

const read = (lines: Buffer): { action: string; document: Document } => {
  const at = lines.indexOf(10);
  return { action: lines.toString('utf8', 0, at), document: JSON.parse(lines.toString('utf8', at + 1)) as Document };
};

const textOf = (index: string, id: string, document: object): string =>
  `{"create":${JSON.stringify({ _index: index, _id: id })}}\n${JSON.stringify(document)}\n`;

export const createOtherLines = ({ prefix, catalogue, rules }: Options): OtherLines => ({
  letter: (letter, nowMs) => {
    const index = monthIndexName(prefix, 'refused', letterMonthOf(letter.timeMs, nowMs));
    return { index, text: textOf(index, rules.idOfLetter(letter.origin, letter.i), letterDocument(letter, nowMs)) };
  },
  event: (origin, event, nowMs) => {
    const index = monthIndexName(prefix, 'events', nearMonthOf(event.timeMs, nowMs));
    return { index, text: textOf(index, rules.idOfEvent(origin, event.id), eventDocument(origin, event)) };
  },
  letterOfRefused: ({ write, index, i }, lines, reason) => {
    const { document } = read(lines);
    const name = readDayIndexName(prefix, index)?.target ?? '';
    const fields = catalogue.get(name)?.fields ?? [];
    return {
      ...{ origin: write.origin, i, reason, target: name },
      fields: fields.map((field) => String(document[columnName(field.name)])),
      timeMs: Number(document['@timestamp']),
      values: document['m'] as Record<string, number>,
    };
  },
  bare: ({ kind, index }, lines) => {
    const { action, document } = read(lines);
    const bare = kind === 'event' ? bareEvent(document) : bareLetter(document);
    return { index, text: `${action}\n${JSON.stringify(bare)}\n` };
  },
});
