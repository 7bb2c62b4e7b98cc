/**
 * What an agent says to an ingest node: one socket.io event per member. Schemas are the types; ingest parses each message once.
 * Order of a conversation: `hello` (answered with a welcome), `dictionary` when the welcome asks for it, then batches; `bye` before
 * an orderly stop, so that nobody is alarmed.
 */
import { z } from 'zod';
import { isHostId } from './host-id.ts';
import { limits } from './limits.ts';

const short = z.string().max(200);

/** What is kept of a host on every node is bounded as it is written there, escapes included. */
const fits = (value: unknown, maxChars: number): boolean => JSON.stringify(value).length <= maxChars;

/** Facts about a machine that do not change while it runs; for people, so every one may be empty. */
const anyMachineSchema = z.object({
  name: z.string().min(1).max(255),
  os: short,
  kernel: short,
  arch: short,
  model: short,
  cpu: short,
  cores: z.number().int().min(0).max(65_536),
  memoryBytes: z.number().min(0),
  virtual: short,
});
export const machineSchema = anyMachineSchema.refine((machine) => fits(machine, 4_000), 'at most 4,000 characters');
export type Machine = z.infer<typeof machineSchema>;

const labelsSchema = z
  .record(z.string().min(1).max(limits.maxLabelChars), z.string().max(limits.maxLabelChars))
  .refine((labels) => Object.keys(labels).length <= limits.maxLabels, `at most ${limits.maxLabels} labels`)
  .refine((labels) => fits(labels, 10_000), 'at most 10,000 characters');

export const helloSchema = z.object({
  protocol: z.number().int(),
  token: z.string().max(512),
  /** The host this agent measures. */
  host: z.string().refine(isHostId, 'a lower-case UUID'),
  /** Drawn anew at each start of the agent. */
  boot: z.string().refine(isHostId, 'a lower-case UUID'),
  /** Grows with each start of the agent; sequence numbers begin again with it. */
  epoch: z.number().int().min(0).max(0xffff_ffff),
  /** Which connection of this epoch this is: each hello says one more than the last. Agents of version 1 do not say. */
  attempt: z.number().int().min(0).max(0xffff_ffff).default(0),
  agentVersion: z.string().max(64),
  /** The agent's clock at sending, ms since the Unix epoch. */
  clockMs: z.number(),
  /** Time between two samples. */
  periodMs: z.number().int().min(100).max(3_600_000),
  dictionary: z.string().regex(/^[0-9a-f]{16}$/),
  cluster: z.string().min(1).max(limits.maxLabelChars),
  labels: labelsSchema,
  machine: machineSchema,
});
export type Hello = z.infer<typeof helloSchema>;

const wireMetricSchema = z.object({
  name: z.string().max(64),
  unit: z.enum(['%', 'bytes', 'count', 'seconds', 'ms', 'load']),
  kind: z.enum(['gauge', 'counter']),
  type: z.enum(['float', 'long']),
});

export const dictionarySchema = z.object({
  hash: z.string().regex(/^[0-9a-f]{16}$/),
  targets: z
    .array(
      z.object({
        name: z.string().max(64),
        fields: z.array(z.string().max(64)).max(limits.maxFieldsPerTarget),
        metrics: z.array(wireMetricSchema).min(1).max(limits.maxMetricsPerTarget),
      }),
    )
    .min(1)
    .max(limits.maxTargets),
});
export type DictionaryMessage = z.infer<typeof dictionarySchema>;

/**
 * The events an agent may send, with what each carries. `batch` carries its bytes, and `true` when they are not for the live view: sent
 * before, or too old. `events` (version 3) carries the JSON of `events.ts` as bytes.
 */
export type AgentToIngest = {
  hello: (hello: Hello, reply: (answer: unknown) => void) => void;
  dictionary: (dictionary: DictionaryMessage, reply: (answer: unknown) => void) => void;
  batch: (bytes: Uint8Array, notLive: boolean) => void;
  events: (bytes: Uint8Array) => void;
  bye: (reply: (answer: unknown) => void) => void;
};
