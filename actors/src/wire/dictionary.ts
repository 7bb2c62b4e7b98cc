/**
 * A dictionary is the ordered list of targets that the batches of one agent refer to by index. It is named by its hash, so that an
 * agent that connects again need not send it: the hash is the first 8 bytes of the SHA-256 of the canonical JSON text below.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { limits } from './limits.ts';
import { refuse, type Refusal } from './refusal.ts';
import { isName, type Metric, type Target } from './schema.ts';

/** A target as it crosses the wire: what a reader needs to take batches apart, and nothing for people. */
export type WireMetric = Pick<Metric, 'name' | 'unit' | 'kind' | 'type'>;
export type WireTarget = {
  readonly name: string;
  readonly fields: readonly string[];
  readonly metrics: readonly WireMetric[];
};
export type Dictionary = { readonly hash: string; readonly targets: readonly WireTarget[] };

const canonical = (targets: readonly WireTarget[]): string =>
  JSON.stringify(
    targets.map((one) => [one.name, one.fields, one.metrics.map((m) => [m.name, m.unit, m.kind, m.type])]),
  );

/** The hash of these targets in this order: 16 hexadecimal digits. */
export const dictionaryHash = (targets: readonly WireTarget[]): string =>
  bytesToHex(sha256(utf8ToBytes(canonical(targets))).subarray(0, 8));

export const toWire = (target: Target): WireTarget => ({
  name: target.name,
  fields: target.fields.map((field) => field.name),
  metrics: target.metrics.map(({ name, unit, kind, type }) => ({ name, unit, kind, type })),
});

export const dictionaryOf = (targets: readonly Target[]): Dictionary => {
  const wire = targets.map(toWire);
  return { hash: dictionaryHash(wire), targets: wire };
};

/**
 * True when samples of `offered` can be stored as samples of `known`: the same fields, and every metric known with the same unit,
 * kind and type. An older agent that knows fewer metrics fits; one that knows more is newer than this node.
 */
export const fitsTarget = (known: WireTarget, offered: WireTarget): boolean =>
  known.fields.join() === offered.fields.join() &&
  offered.metrics.every((metric) =>
    known.metrics.some(
      (other) =>
        other.name === metric.name &&
        other.unit === metric.unit &&
        other.kind === metric.kind &&
        other.type === metric.type,
    ),
  );

/** Checks names, counts and repeats of a dictionary that came over a socket (its shape was parsed before). */
export const checkDictionary = (targets: readonly WireTarget[]): { ok: true } | Refusal => {
  if (targets.length > limits.maxTargets) return refuse('too-large', `${targets.length} targets`);
  if (new Set(targets.map((one) => one.name)).size !== targets.length) return refuse('malformed', 'a target twice');
  for (const one of targets) {
    if (one.metrics.length > limits.maxMetricsPerTarget) return refuse('too-large', `metrics of target ${one.name}`);
    if (one.fields.length > limits.maxFieldsPerTarget) return refuse('too-large', `fields of target ${one.name}`);
    const names = [...one.fields, ...one.metrics.map((m) => m.name)];
    const bad = [one.name, ...names].find((name) => !isName(name));
    if (bad !== undefined) return refuse('malformed', `the name ${JSON.stringify(bad.slice(0, 80))}`);
    if (new Set(names).size !== names.length) return refuse('malformed', `a name twice in target ${one.name}`);
  }
  return { ok: true };
};
