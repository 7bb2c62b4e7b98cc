/**
 * What the outcome of one document of a bulk means. Every document ends as stored or refused; `again` is never the end.
 *
 * The `_id` of a document is made of its dimensions and time, so 409 says that this series has a sample at this time. When the
 * document may have been written before (a resend, or an answer that was lost) that is our own: stored. On a first attempt it is our
 * own as well when a resend overtook it, or another sample with the same name: `collided`, which is looked into (`collisions.ts`) and
 * never mistaken for stored.
 */
export type ItemResult = {
  readonly _id?: string;
  readonly status: number;
  readonly error?: { readonly type?: string; readonly reason?: string };
};

export type Verdict =
  | { readonly kind: 'stored'; readonly duplicate: boolean }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'collided'; readonly id: string }
  /** `uncertain`: it may have been written all the same. */
  | { readonly kind: 'again'; readonly why: 'busy' | 'no-index' | 'forbidden' | 'failed'; readonly uncertain: boolean };

const maxDetailChars = 300;
export const collision = 'collision: the series already has another sample at this time';

export const judgeItem = (result: ItemResult, maybeWritten: boolean): Verdict => {
  const { status } = result;
  if (status === 200 || status === 201) return { kind: 'stored', duplicate: false };
  if (status === 409)
    return maybeWritten ? { kind: 'stored', duplicate: true } : { kind: 'collided', id: result._id ?? '' };
  if (status === 429) return { kind: 'again', why: 'busy', uncertain: false };
  if (status === 404) return { kind: 'again', why: 'no-index', uncertain: false };
  if (status === 401 || status === 403) return { kind: 'again', why: 'forbidden', uncertain: false };
  if (status >= 500) return { kind: 'again', why: 'failed', uncertain: true };
  const reason = `${result.error?.type ?? `status ${status}`}: ${result.error?.reason ?? ''}`;
  return { kind: 'refused', detail: reason.slice(0, maxDetailChars) };
};

/** What to do with a bulk that was answered as a whole with an error status. */
export const judgeBulk = (status: number): 'again' | 'again-uncertain' | 'split' => {
  if (status === 400 || status === 413) return 'split'; // one document is to blame, or there are too many at once
  return status >= 500 ? 'again-uncertain' : 'again';
};
