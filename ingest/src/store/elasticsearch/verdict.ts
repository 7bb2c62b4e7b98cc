/**
 * What the outcome of one document of a bulk means. Every document ends as stored or refused; `again` is never the end. Whether a
 * document may have been written before makes no difference: a 409 for a sample is looked into always (`collisions.ts`).
 */
import { cutDetail } from '../dead-letter.ts';
import type { DocumentKind, StoreRules } from '../rules.ts';

export type ItemResult = {
  readonly _id?: string;
  readonly status: number;
  readonly error?: { readonly type?: string; readonly reason?: string };
};

export type Verdict =
  | { readonly kind: 'stored'; readonly duplicate: boolean }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'compare'; readonly id: string }
  | { readonly kind: 'again'; readonly why: 'busy' | 'no-index' | 'forbidden' | 'failed' };

export const collision = 'collision: the series already has another sample at this time';

const stored: Verdict = { kind: 'stored', duplicate: false };
const storedBefore: Verdict = { kind: 'stored', duplicate: true };

export const judgeItem = (
  result: ItemResult,
  kind: DocumentKind,
  { meaningOf409 }: Pick<StoreRules, 'meaningOf409'>,
): Verdict => {
  const { status } = result;
  if (status === 200 || status === 201) return stored;
  if (status === 409) {
    const meaning = meaningOf409(kind);
    if (meaning === 'compare') return { kind: 'compare', id: result._id ?? '' };
    return meaning === 'stored' ? storedBefore : { kind: 'refused', detail: collision };
  }
  if (status === 429) return { kind: 'again', why: 'busy' };
  if (status === 404) return { kind: 'again', why: 'no-index' };
  if (status === 401 || status === 403) return { kind: 'again', why: 'forbidden' };
  // Said with a 400, as if the document were to blame: somebody closed the index, and may open it.
  if (result.error?.type === 'index_closed_exception') return { kind: 'again', why: 'failed' };
  if (status >= 400 && status < 500)
    return {
      kind: 'refused',
      detail: cutDetail(`${result.error?.type ?? `status ${status}`}: ${result.error?.reason ?? ''}`),
    };
  return { kind: 'again', why: 'failed' };
};

/** What to do with a bulk that was answered as a whole with an error status. */
export const judgeBulk = (status: number): 'again' | 'split' => (status === 400 || status === 413 ? 'split' : 'again'); // one document is to blame, or there are too many at once
