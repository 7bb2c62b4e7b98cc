/** Which rows of a long list are worth being there: those in view and a few around, so that thousands of hosts cost no more than forty. */
export type RowWindow = { readonly first: number; readonly end: number };

const around = 6;

/** `topPx`: where the list begins relative to the top of the view (negative once scrolled past). */
export const rowWindow = (rows: number, rowPx: number, topPx: number, viewPx: number): RowWindow => {
  const first = Math.max(0, Math.min(rows, Math.floor(-topPx / rowPx) - around));
  const end = Math.max(first, Math.min(rows, Math.ceil((viewPx - topPx) / rowPx) + around));
  return { first, end };
};
