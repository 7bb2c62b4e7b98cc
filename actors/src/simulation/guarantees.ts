/** Everything the simulator holds the mesh to. Adding a guarantee is a file in `guarantees/` and a line here. */
import type { GuaranteeMaker } from './guarantee.ts';
import { linksForm } from './guarantees/links-form.ts';
import { memberViews } from './guarantees/member-views.ts';
import { messageOrder } from './guarantees/message-order.ts';
import { oneDown } from './guarantees/one-down.ts';
import { presenceViews } from './guarantees/presence-views.ts';
import { sessionEnds } from './guarantees/session-ends.ts';
import { topicStreams } from './guarantees/topic-streams.ts';
import { topicValues } from './guarantees/topic-values.ts';

export const guarantees: readonly GuaranteeMaker[] = [
  linksForm,
  memberViews,
  messageOrder,
  oneDown,
  presenceViews,
  sessionEnds,
  topicStreams,
  topicValues,
];

/** Those that give the mesh something to do. */
export const works: readonly string[] = guarantees.filter((one) => one.works).map((one) => one.name);
