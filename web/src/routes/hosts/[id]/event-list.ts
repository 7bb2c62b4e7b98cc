/** The events of a host as its page lists them, newest first, and what they know of holes in its charts. Facts come from outside: looked at one by one. */
import { spanText } from '#lib/charts/clock-text.ts';
import type { KnownHole } from '#lib/charts/known-holes.ts';
import type { Shape } from '#lib/hosts/state.ts';
import { gapReasons, type GapReason } from '@thrum/actors/wire/event-kinds';
import type { AgentEvent } from '@thrum/actors/wire/events';
import { samplesText, stretchText } from './delivery-words.ts';

export type EventRow = {
  readonly id: string;
  readonly kind: string;
  readonly timeMs: number;
  readonly shape: Shape;
  readonly title: string;
  readonly detail: string;
};

/** Where there is room for a few words only. */
const shortReasons: Readonly<Record<GapReason, string>> = {
  full: 'its queue was full',
  age: 'waited too long',
  damaged: 'its queue was damaged',
  unclean: 'not running, and not stopped in order',
  disk: 'its disk took nothing',
  unreadable: 'ingest could not read them',
};

type KnownGap = {
  readonly reason: GapReason | undefined;
  readonly samples: number;
  readonly fromMs: number;
  readonly toMs: number;
};

const numberOf = (fact: unknown): number | undefined =>
  typeof fact === 'number' && Number.isFinite(fact) ? fact : undefined;

const gapOf = ({ facts }: AgentEvent): KnownGap | undefined => {
  const { reason } = facts;
  const [fromMs, toMs] = [numberOf(facts['from_ms']), numberOf(facts['to_ms'])];
  if (fromMs === undefined || toMs === undefined) return undefined;
  return {
    reason: typeof reason === 'string' && Object.hasOwn(gapReasons, reason) ? (reason as GapReason) : undefined,
    samples: numberOf(facts['samples']) ?? 0,
    fromMs,
    toMs,
  };
};

const sayGap = (event: AgentEvent, wallMs: number): Pick<EventRow, 'title' | 'detail' | 'shape'> => {
  const gap = gapOf(event);
  if (gap === undefined) return { title: 'Samples are missing', detail: '', shape: 'triangle' };
  const when = stretchText(gap.fromMs, gap.toMs, wallMs);
  if (gap.reason === 'unclean')
    return {
      title: 'Not stopped in order',
      detail: `It ended before its last moments were on disk; nothing was measured until it started again, ${when}.`,
      shape: 'triangle',
    };
  const why = gap.reason === undefined ? String(event.facts['reason'] ?? 'unknown why') : gapReasons[gap.reason];
  const lengthMs = gap.toMs - gap.fromMs;
  return {
    title: lengthMs < 1000 ? 'Samples are missing' : `${spanText(lengthMs)} of samples are missing`,
    detail: `${samplesText(gap.samples)}, ${when}: ${why}.`,
    shape: 'triangle',
  };
};

/** "disk-replaced" as "Disk replaced". */
const nameOf = (kind: string): string => {
  const words = kind.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const isRun = ({ kind }: AgentEvent): boolean => kind === 'start' || kind === 'stop';

/** The gap may be told a moment after the start that noticed it. */
const toldAfterMs = 60_000;

const isUncleanBetween = ({ kind, facts, timeMs }: AgentEvent, fromMs: number, toMs: number): boolean =>
  kind === 'gap' && facts['reason'] === 'unclean' && timeMs >= fromMs && timeMs <= toMs + toldAfterMs;

/** Newest first; the hourly accounts are left out. */
export const eventRows = (events: readonly AgentEvent[], wallMs: number): EventRow[] => {
  const told = events.filter(({ kind }) => kind !== 'account').toSorted((a, b) => b.timeMs - a.timeMs);
  return told.map((event, i): EventRow => {
    const { id, kind, timeMs } = event;
    const row = { id, kind, timeMs, shape: 'ring' as const, detail: '' };
    if (kind === 'gap') return { ...row, ...sayGap(event, wallMs) };
    if (kind === 'start') {
      // Said here only when no gap says it. An agent that does not say how it ended is known by its start after a start.
      const before = told.slice(i + 1).find(isRun);
      const wasKilled = event.facts['clean'] === false || before?.kind === 'start';
      const isAgain = wasKilled && !told.some((one) => isUncleanBetween(one, before?.timeMs ?? 0, timeMs));
      const version = event.facts['agent_version'];
      return {
        ...row,
        shape: isAgain ? 'triangle' : 'dot',
        title: isAgain ? 'Started again, not stopped in order before' : 'Started',
        detail: typeof version === 'string' ? `Version ${version}.` : '',
      };
    }
    if (kind === 'stop') {
      const queued = numberOf(event.facts['queued']) ?? 0;
      const detail = queued > 0 ? `${samplesText(queued)} waited on its disk for the next start.` : '';
      return { ...row, title: 'Stopped in order', detail };
    }
    return { ...row, title: nameOf(kind) };
  });
};

/** Why samples were given up, the last time they were; empty when no event tells. */
export const newestReason = (events: readonly AgentEvent[]): string => {
  const gaps = events.filter(({ kind }) => kind === 'gap').toSorted((a, b) => b.timeMs - a.timeMs);
  const reason = gaps.map(gapOf).find((gap) => gap !== undefined && gap.samples > 0)?.reason;
  return reason === undefined ? '' : shortReasons[reason];
};

const whyHole = (reason: GapReason | undefined): string => {
  if (reason === undefined) return 'missing';
  return reason === 'unclean' ? shortReasons.unclean : `missing: ${shortReasons[reason]}`;
};

/** Stretches in which nothing was measured or kept, and why. */
export const holesOf = (events: readonly AgentEvent[]): KnownHole[] => {
  const gaps = events.flatMap((event): KnownHole[] => {
    const gap = event.kind === 'gap' ? gapOf(event) : undefined;
    if (gap === undefined || gap.toMs <= gap.fromMs) return [];
    return [{ fromMs: gap.fromMs, toMs: gap.toMs, why: whyHole(gap.reason) }];
  });
  const runs = events.filter(isRun).toSorted((a, b) => a.timeMs - b.timeMs);
  const stops = runs.flatMap((stop, i): KnownHole[] => {
    const next = runs[i + 1];
    if (stop.kind !== 'stop' || next?.kind !== 'start') return [];
    return [{ fromMs: stop.timeMs, toMs: next.timeMs, why: 'the agent was stopped' }];
  });
  return [...gaps, ...stops];
};
