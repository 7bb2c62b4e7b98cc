/** What `thrum-agent queue inspect` says to a person: how much waits and since when first, then what is lost and why, then the files. */
import { gapReasons } from '@thrum/actors/wire/events';
import type { CheckpointLine, DamageLine, InspectLine, SegmentLine, SummaryLine } from './inspect.ts';
import type { Gap } from './queue.ts';

const number = (value: number): string => Math.round(value).toLocaleString('en-US');
const count = (value: number, noun: string): string => `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
const size = (bytes: number): string =>
  bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** In UTC, to the second; what is no time is said to be none. */
export const time = (ms: number | undefined): string =>
  ms !== undefined && Math.abs(ms) <= 8.64e15
    ? `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
    : 'unknown';

const units = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
] as const;

const ago = (ms: number, nowMs: number): string => {
  const passed = nowMs - ms;
  if (passed < 0) return 'in the future by the clock of this machine';
  for (const [unitMs, name] of units)
    if (passed >= unitMs * 2) return `${count(Math.floor(passed / unitMs), name)} ago`;
  return 'just now';
};

const gapText = ({ reason, epoch, firstSeq, lastSeq, batches, samples, fromMs, toMs }: Gap): string => {
  const what =
    lastSeq < firstSeq ? 'nobody knows how many samples' : `${count(samples, 'sample')} in ${count(batches, 'record')}`;
  const where = lastSeq < firstSeq ? `epoch ${epoch}` : `epoch ${epoch}, records ${firstSeq} to ${lastSeq}`;
  return `  ${what}, ${time(fromMs)} to ${time(toMs)}: ${gapReasons[reason]} (${where})`;
};

const damageText = ({ segment, epoch, fromByte, toByte, firstSeq, lastSeq, records, samples }: DamageLine): string =>
  records === 0
    ? `  ${segment}, bytes ${fromByte} to ${toByte}: no record is missing there`
    : `  ${segment}, bytes ${fromByte} to ${toByte}: ${count(records, 'record')} with ${count(samples, 'sample')} gone (epoch ${epoch}, ${firstSeq} to ${lastSeq})`;

const columns = ['segment', 'state', 'size', 'records', 'waiting', 'epoch', 'numbers', 'oldest'] as const;

const segmentRow = (one: SegmentLine): readonly string[] => [
  ...[
    one.name,
    one.state,
    size(one.bytes),
    number(one.records ?? 0),
    number(one.waiting ?? 0),
    String(one.epoch ?? ''),
  ],
  one.lastSeq === undefined ? '' : `${one.firstSeq}-${one.lastSeq}`,
  one.oldestMs === undefined ? '' : time(one.oldestMs),
];

const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd());
};

const listed = <T>(all: readonly T[], text: (one: T) => string, most: number): string[] => [
  ...all.slice(0, most).map(text),
  ...(all.length > most ? [`  and ${number(all.length - most)} more (--json shows all)`] : []),
];

/** Takes lines as they come, keeps of each kind no more than a person reads, and says it all at the end. */
export const plainWords = (directory: string, nowMs: number) => {
  const most = 20;
  const segments: SegmentLine[] = [];
  const damage: DamageLine[] = [];
  const checkpoints: CheckpointLine[] = [];
  let [segmentCount, damageCount] = [0, 0];
  let summary: SummaryLine | undefined;
  const head = (said: SummaryLine): string[] => {
    const { waiting, account, wasClean, writtenMs, missing } = said;
    const { produced, stored, refused, gap, queued } = account;
    const inWhat = `in ${count(waiting.segments, 'segment')}, ${size(waiting.bytes)}`;
    return [
      `Queue in ${directory}${said.host === undefined ? '' : ` of host ${said.host}`}`,
      '',
      waiting.records === 0
        ? 'Nothing waits.'
        : `Waiting: ${count(waiting.records, 'record')} with ${count(waiting.samples, 'sample')} (${inWhat})`,
      ...(waiting.oldestMs === undefined
        ? []
        : [`Since:   ${time(waiting.oldestMs)}, ${ago(waiting.oldestMs, nowMs)}`]),
      ...(waiting.newestMs === undefined
        ? []
        : [`Newest:  ${time(waiting.newestMs)}, ${ago(waiting.newestMs, nowMs)}`]),
      `Account: ${number(produced)} produced = ${number(stored)} stored + ${number(refused)} refused + ${number(gap)} lost + ${number(queued)} waiting (samples)`,
      ...(missing > 0
        ? [`         of the lost, ${number(missing)} are noticed only now: the next start tells of them`]
        : []),
      wasClean
        ? `State:   stopped in order, ${writtenMs === undefined ? '' : ago(writtenMs, nowMs)}`
        : `State:   in use, or ended without stopping in order${writtenMs === undefined ? '' : `; last checkpoint ${ago(writtenMs, nowMs)}`}`,
    ];
  };
  return {
    take: (line: InspectLine): void => {
      if (line.type === 'segment') {
        segmentCount += 1;
        segments.push(line);
        // The oldest and the newest are what a person looks for.
        if (segments.length > most) segments.splice(most / 2, 1);
      } else if (line.type === 'damage') {
        damageCount += 1;
        if (damage.length < most) damage.push(line);
      } else if (line.type === 'checkpoint') checkpoints.push(line);
      else if (line.type === 'summary') summary = line;
    },
    say: (): string[] => {
      if (!summary) return [];
      const { gaps } = summary;
      const bad = checkpoints.filter(({ state }) => state === 'damaged' || state === 'newer');
      return [
        ...head(summary),
        ...(gaps.length > 0 ? ['', 'Lost, and ingest does not know of it yet:', ...listed(gaps, gapText, most)] : []),
        ...(damageCount > 0 ? ['', 'Damage:', ...damage.map(damageText)] : []),
        ...(damageCount > damage.length
          ? [`  and ${number(damageCount - damage.length)} more (--json shows all)`]
          : []),
        ...bad.map(({ name, state }) => `${name} is ${state === 'newer' ? 'of a newer version' : 'damaged'}.`),
        ...(segments.length > 0 ? ['', ...table([columns, ...segments.map(segmentRow)])] : []),
        ...(segmentCount > segments.length
          ? [`  ${number(segmentCount - segments.length)} between them are not shown (--json shows all)`]
          : []),
      ];
    },
  };
};
