/**
 * Targets an installation declares itself: a JSON file with a list of targets, of the same shape as those in the wire's catalogue. They
 * are checked here as strictly as our own, and may not take a name that is taken.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { checkDictionary, toWire } from '@thrum/actors/wire/dictionary';
import { explain } from '@thrum/actors/wire/refusal';
import { target, type Target } from '@thrum/actors/wire/schema';

const sentence = z.string().max(500);
const chartSchema = z.strictObject({
  title: z.string().max(100),
  metrics: z.array(z.string()).min(1),
  stacked: z.boolean().optional(),
  max: z.number().optional(),
  below: z.array(z.string()).optional(),
});
const targetSchema = z.strictObject({
  name: z.string(),
  title: z.string().max(100),
  sentence,
  fields: z.array(z.strictObject({ name: z.string(), sentence })),
  metrics: z
    .array(
      z.strictObject({
        name: z.string(),
        unit: z.enum(['%', 'bytes', 'count', 'seconds', 'ms', 'load']),
        kind: z.enum(['gauge', 'counter']),
        type: z.enum(['float', 'long']),
        sentence,
      }),
    )
    .min(1),
  charts: z.array(chartSchema),
});
const fileSchema = z.array(targetSchema).max(100);

export type CatalogueReading =
  { readonly ok: true; readonly targets: readonly Target[] } | { readonly ok: false; readonly message: string };

const withoutUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;

/** Our targets and those of the file; the message names the file and what is wrong where. */
export const readCatalogue = (own: readonly Target[], path: string | undefined): CatalogueReading => {
  if (path === undefined) return { ok: true, targets: own };
  const bad = (what: string): CatalogueReading => ({ ok: false, message: `THRUM_CATALOGUE: ${path}: ${what}` });
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return bad(error instanceof Error ? error.message : String(error));
  }
  const parsed = fileSchema.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return bad(`expected a list of targets; ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  try {
    const added = parsed.data.map((one) =>
      // `undefined` and absent are not the same to a chart.
      target({ ...one, charts: one.charts.map((chart) => withoutUndefined(chart)) as Target['charts'] }),
    );
    const targets = [...own, ...added].sort((a, b) => (a.name < b.name ? -1 : 1));
    const twice = targets.find((one, i) => targets[i + 1]?.name === one.name);
    if (twice) return bad(`the target "${twice.name}" is declared already; give yours another name`);
    const checked = checkDictionary(targets.map(toWire));
    return checked.ok ? { ok: true, targets } : bad(explain(checked));
  } catch (error) {
    return bad(error instanceof Error ? error.message : String(error));
  }
};
