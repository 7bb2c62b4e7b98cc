/**
 * What a collector is: it measures one target when asked, once per tick, and hands over one sample per instance. It keeps what it needs
 * between ticks (open files, the last counters) and throws when it could not measure: its samples of that tick are dropped then,
 * the failure is counted, and nobody else notices. The values it hands over are copied at once, so it may use the same array again.
 */
import type { Target } from '@thrum/actors/wire/schema';
import type { LinuxSources } from './linux-sources.ts';
import type { SystemInformation } from './system-information.ts';

/** One slot per metric of the target, in its order; `undefined` where nothing was measured. */
export type Values = (number | undefined)[];

/** `fields` in the order of the target's fields. */
export type Add = (fields: readonly string[], values: Values) => void;

export type Tick = {
  /** Only for rates and percentages between two ticks; the time of the samples is none of the collector's business. */
  readonly monotonicMs: number;
  /** Tells that a part could not be measured (a mount that hangs, say): counted as a failure; the samples that were added stay. */
  readonly partly: (problem: string) => void;
};

export type Collector = {
  collect(tick: Tick, add: Add): void | Promise<void>;
  close?(): void;
};

/** Figures of the agent about itself that only its own parts know; see the target `agent`. */
export type AgentFigures = {
  readonly tickMs: number;
  readonly valuesCollected: number;
  readonly valuesLeftOut: number;
  readonly collectorFailures: number;
  readonly queueBatches: number;
  readonly queueBytes: number;
  readonly queueDropped: number;
  readonly batchesSent: number;
  readonly batchesResent: number;
  readonly batchesAcknowledged: number;
  readonly samplesRefused: number;
  readonly reconnects: number;
  /** The account, see the queue; `undefined` where the queue cannot tell. */
  readonly samplesProduced: number | undefined;
  readonly samplesStored: number | undefined;
  readonly samplesGap: number | undefined;
  readonly samplesQueued: number | undefined;
  readonly queueDegraded: 0 | 1;
  readonly queueAgeSeconds: number | undefined;
  readonly samplesRefusedTotal: number | undefined;
};

/** Where measurements come from here: `linux` is there on Linux only, where systeminformation is not asked for them. */
export type Sources = {
  readonly linux: LinuxSources | undefined;
  readonly elsewhere: () => Promise<SystemInformation>;
  readonly agentFigures: () => AgentFigures;
};

export type CollectorKind = {
  readonly target: Target;
  /** `undefined` when this machine has no such thing (a kernel without pressure accounting, say): not a failure. */
  start(sources: Sources): Collector | undefined;
};
