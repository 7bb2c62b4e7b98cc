/** What an answered bulk means for each of its documents. Pure: the writer does what it says. */
import type { StoreRules } from '../rules.ts';
import type { Item } from './bulk.ts';
import { judgeItem, type ItemResult } from './verdict.ts';

export type Settled = {
  readonly stored: Item[];
  /** Stored by an attempt before. */
  readonly duplicate: Item[];
  readonly refused: { readonly item: Item; readonly detail: string }[];
  /** The server has one of that name: to be looked into. */
  readonly collided: { readonly item: Item; readonly id: string }[];
  readonly again: Item[];
  /** Indices that are not there after all. */
  readonly gone: Set<string>;
  /** Why those go again, for people. */
  readonly detail: string;
};

const noResult: ItemResult = { status: 500 };

export const settle = (
  items: readonly Item[],
  results: readonly Readonly<Record<string, ItemResult>>[],
  rules: Pick<StoreRules, 'meaningOf409' | 'isTerminal'>,
): Settled => {
  const stored: Item[] = [];
  const duplicate: Item[] = [];
  const refused: Settled['refused'] = [];
  const collided: Settled['collided'] = [];
  const again: Item[] = [];
  const gone = new Set<string>();
  let detail = '';
  let i = 0;
  for (const item of items) {
    const result = results[i]?.['create'] ?? noResult;
    i += 1;
    const verdict = judgeItem(result, item.kind, rules);
    if (verdict.kind === 'stored') (verdict.duplicate ? duplicate : stored).push(item);
    else if (verdict.kind === 'refused') refused.push({ item, detail: verdict.detail });
    else if (verdict.kind === 'compare') collided.push({ item, id: verdict.id });
    else if (rules.isTerminal('again')) stored.push(item);
    else {
      if (verdict.why === 'no-index') gone.add(item.index);
      detail = `${result.status} ${result.error?.type ?? ''}: ${result.error?.reason ?? ''}`.slice(0, 300);
      again.push(item);
    }
  }
  return { stored, duplicate, refused, collided, again, gone, detail };
};
