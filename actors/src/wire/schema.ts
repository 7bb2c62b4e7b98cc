/**
 * What a declared target looks like. A target is a named source with typed fields; a metric is one named stream of it.
 * Index mapping, wire dictionary, chart titles and units and the catalogue page derive from these declarations.
 * Names follow oximeter: one combination of field values is a timeseries, its id the values joined by ":".
 */
export type Unit = '%' | 'bytes' | 'count' | 'seconds' | 'ms' | 'load';

export type Metric = {
  readonly name: string;
  readonly unit: Unit;
  /** A gauge is a level; a counter only grows until its source restarts, and is shown as a rate per second. */
  readonly kind: 'gauge' | 'counter';
  /** How the store keeps it: `long` for whole numbers up to 2^53, `float` (4 bytes) for everything measured. */
  readonly type: 'float' | 'long';
  readonly sentence: string;
};

export type Field = { readonly name: string; readonly sentence: string };

/** A drawing of one target instance: which metrics share an axis. Stacked only where the sum means something. */
export type Chart = {
  readonly title: string;
  readonly metrics: readonly string[];
  readonly stacked?: boolean;
  /** Fixed top of the axis, such as 100 for percent. */
  readonly max?: number;
  /** Draw these metrics below zero (what leaves, against what arrives). */
  readonly below?: readonly string[];
};

export type Target = {
  readonly name: string;
  readonly title: string;
  readonly sentence: string;
  readonly fields: readonly Field[];
  readonly metrics: readonly Metric[];
  readonly charts: readonly Chart[];
};

const namePattern = /^[a-z][a-z0-9_]{0,62}$/;

/** True for a name that is safe everywhere it goes: an index name, a field of a document, an element id. */
export const isName = (text: string): boolean => namePattern.test(text);

/** Declares a target. Throws on a name that could not be stored and on a chart of a metric that does not exist. */
export const target = (declared: Target): Target => {
  const names = [declared.name, ...declared.fields.map((field) => field.name), ...declared.metrics.map((m) => m.name)];
  const bad = names.find((name) => !isName(name));
  if (bad !== undefined)
    throw new Error(`Target ${declared.name}: the name "${bad}" must match ${namePattern.source} to be stored.`);
  if (new Set(names.slice(1)).size !== names.length - 1)
    throw new Error(`Target ${declared.name}: a field or metric is declared twice.`);
  for (const chart of declared.charts)
    for (const metric of [...chart.metrics, ...(chart.below ?? [])])
      if (!declared.metrics.some((known) => known.name === metric))
        throw new Error(`Target ${declared.name}: chart "${chart.title}" draws "${metric}", which is not declared.`);
  return declared;
};

/** A gauge kept as a 4-byte float: name, unit, sentence. */
export const gauge = (name: string, unit: Unit, sentence: string): Metric => ({
  name,
  unit,
  kind: 'gauge',
  type: 'float',
  sentence,
});

/** A gauge of whole numbers, such as bytes in use. */
export const level = (name: string, unit: Unit, sentence: string): Metric => ({
  name,
  unit,
  kind: 'gauge',
  type: 'long',
  sentence,
});

/** A counter of whole numbers that restarts at 0 with its source. */
export const counter = (name: string, unit: Unit, sentence: string): Metric => ({
  name,
  unit,
  kind: 'counter',
  type: 'long',
  sentence,
});
