/**
 * The function that answers an ask, marked so that it can be told from any other function: it may be passed on in a message, also to another
 * node, until the ask is over.
 */
const untilMs = Symbol('untilMs');

export type Reply<R> = ((value: R) => void) & { [untilMs]?: number };

/** `deadlineMs`: when the ask it answers is over, by the monotonic clock. Marks and gives the same function. */
export const asReply = <R>(reply: Reply<R>, deadlineMs: number): Reply<R> => {
  reply[untilMs] = deadlineMs;
  return reply;
};

/** When the ask is over that this answers; undefined when it answers none. */
export const replyUntilMs = (what: object): number | undefined =>
  typeof what === 'function' ? (what as Reply<never>)[untilMs] : undefined;
