/** What is said, in a strip and aloud, of a store that does not answer: what waits, and for how long it can. */
import { dateText } from '#lib/charts/clock-text.ts';
import type { StoreOutage } from '#lib/live/store-outage.ts';

export const outageText = ({ sinceMs, nodes }: StoreOutage, wallMs: number): string => {
  const since = dateText(sinceMs, wallMs);
  const what =
    nodes === undefined
      ? `History is delayed: the store has not answered since ${since}.`
      : `Some history is delayed: the store has not answered ${nodes.join(', ')} since ${since}.`;
  return `${what} Live values go on; agents keep on their disks what is not stored (72 h of it or 2 GiB each, unless set otherwise).`;
};
