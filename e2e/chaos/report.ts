/** The report of a run, as lines: what was done, what each agent produced and what became of it, what the checkers say, and figures as JSON. */
import { describeFault } from './schedule.ts';
import { differenceKinds, type Difference, type DifferenceKind } from './ledger.ts';
import { gapReasons } from '@thrum/actors/wire/events';
import type { RunReport } from './run.ts';

export const differencesOf = ({ comparison, drainedMs }: RunReport): number =>
  Object.values(comparison.findings.counts).reduce((sum, count) => sum + count, 0) +
  comparison.complaints.length +
  (drainedMs === undefined ? 1 : 0);

const shownOfEach = 5;
const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Which faults there were around this moment. */
const faultsAt = (report: RunReport, timeMs: number | undefined): string => {
  if (timeMs === undefined) return '';
  const near = report.done.filter(({ fromMs, toMs }) => timeMs >= fromMs - 3000 && timeMs <= (toMs ?? fromMs) + 5000);
  return near.length === 0
    ? 'no fault then'
    : near.map(({ fault, fromMs }) => `${describeFault(fault)} (at ${secondsOf(fromMs - report.beganMs)})`).join('; ');
};

const story = (report: RunReport, one: Difference): string => {
  const agent = report.comparison.agents.find(({ host }) => host === one.host)?.name ?? one.host;
  const at = one.timeMs === undefined ? '' : ` measured at ${secondsOf(one.timeMs - report.beganMs)}`;
  return `      ${agent} ${one.id ?? ''}${at}: ${one.story} [${faultsAt(report, one.timeMs)}]`;
};

export const reportLines = (report: RunReport, of: { readonly commit: string; readonly seed: number }): string[] => {
  const { comparison, done, drainedMs } = report;
  const { counts, differences } = comparison.findings;
  const lines = [
    `commit ${of.commit}  seed ${of.seed}  ${done.length} faults, ${comparison.samples} samples and ${comparison.events} events on disk`,
    `started in ${secondsOf(report.tookMs.start)}, compared in ${secondsOf(report.tookMs.compare)}`,
    ...report.notTried.map((what) => `not tried: ${what}`),
    '',
    '  agent       produced   durable    acked     stored  (memory)    refused       gap    queued   queue files damaged',
    ...comparison.agents.map(({ name, sums, account, damages }) =>
      [
        `  ${name.padEnd(9)}`,
        ...[
          account?.produced,
          sums.durable,
          account && account.stored + account.refused,
          sums.stored,
          sums.storedFromMemory,
          sums.refused,
          sums.gap,
          account?.queued,
          damages,
        ].map((value) => String(value ?? '?').padStart(9)),
      ].join(' '),
    ),
    '',
    `  ${drainedMs === undefined ? '✖ the queues did not become empty' : `✔ every queue was empty ${secondsOf(drainedMs)} after the last fault`}`,
  ];
  for (const kind of Object.keys(differenceKinds) as DifferenceKind[]) {
    lines.push(`  ${counts[kind] === 0 ? '✔' : '✖'} ${kind}: ${counts[kind]} (${differenceKinds[kind]})`);
    for (const one of differences.filter((other) => other.kind === kind).slice(0, shownOfEach))
      lines.push(story(report, one));
  }
  lines.push(...kindLines(report));
  lines.push(
    `  ${comparison.complaints.length === 0 ? '✔' : '✖'} events and accounts: ${comparison.complaints.length}`,
  );
  for (const complaint of comparison.complaints.slice(0, 4 * shownOfEach)) lines.push(`      ${complaint}`);
  for (const gap of comparison.gaps.filter(({ reason }) => reason !== 'unclean').slice(0, 50)) {
    const agent = comparison.agents.find(({ host }) => host === gap.host)?.name ?? gap.host;
    lines.push(
      `  gap of ${agent}: ${gap.reason}, epoch ${gap.epoch}, ${gap.firstSeq} to ${gap.lastSeq}, ${gap.samples} samples`,
    );
  }
  return lines;
};

const countBy = <T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return groups;
};
const counted = (groups: ReadonlyMap<string, readonly unknown[]>): string =>
  [...groups].map(([what, { length }]) => `${what} ${length}`).join(', ');

/** Which kinds of gaps were met and how often, why samples were refused, and whom each kind of fault hit. */
const kindLines = ({ comparison, done }: RunReport): string[] => {
  const byReason = countBy(comparison.gaps, ({ reason }) => reason);
  const kinds = Object.keys(gapReasons).map((reason) => {
    const gaps = byReason.get(reason) ?? [];
    return `${reason} ${gaps.length} (${gaps.reduce((sum, gap) => sum + gap.samples, 0)} samples)`;
  });
  const faults = countBy(done, ({ fault }) => (fault.kind === 'harm' ? `harm: ${fault.how}` : fault.kind));
  return [
    `  gaps: ${kinds.join(', ')}; ${comparison.eventsInGaps} events were given up with them`,
    `  refused: ${[...comparison.refusedFor].map(([code, count]) => `${code} ${count}`).join(', ') || 'nothing'}`,
    ...[...faults].map(
      ([kind, those]) => `  ${kind}: ${those.length} times: ${counted(countBy(those, ({ fault }) => fault.of))}`,
    ),
  ];
};

export const figuresOf = (report: RunReport): readonly object[] => {
  const { comparison, done, drainedMs } = report;
  const sum = (of: (agent: (typeof comparison.agents)[number]) => number): number =>
    comparison.agents.reduce((total, agent) => total + of(agent), 0);
  const figure = (name: string, value: number, unit: string, wanted?: string, holds?: boolean): object => ({
    name: `chaos/${name}`,
    value,
    unit,
    ...(wanted === undefined ? {} : { wanted, holds }),
  });
  const difference = differencesOf(report);
  const duplicates = comparison.findings.counts['stored twice'];
  return [
    figure('difference', difference, 'samples, events and accounts that do not agree', '0', difference === 0),
    figure('duplicates', duplicates, 'samples stored twice', '0', duplicates === 0),
    figure('faults', done.length, 'kills, pauses, full disks and set clocks'),
    figure(
      'samples',
      sum(({ sums }) => sums.durable),
      'samples that agents had on disk',
    ),
    figure(
      'stored',
      sum(({ sums }) => sums.stored + sums.storedFromMemory),
      'samples found in Elasticsearch',
    ),
    figure(
      'refused',
      sum(({ sums }) => sums.refused),
      'samples among the dead letters',
    ),
    figure(
      'gap',
      sum(({ sums }) => sums.gap),
      'samples told missing',
    ),
    ...Object.keys(gapReasons).map((reason) =>
      figure(`gaps/${reason}`, comparison.gaps.filter((gap) => gap.reason === reason).length, 'gaps of this kind told'),
    ),
    figure('drained', (drainedMs ?? Number.NaN) / 1000, 's from the last fault until every queue was empty'),
  ];
};
