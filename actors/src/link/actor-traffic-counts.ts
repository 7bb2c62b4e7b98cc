/** What the actors of the mesh measure, all counted since the start. */
export const noTrafficCounts = () => ({
  /** Told to or asked of a node that is not linked, or not in that life. */
  lost: 0,
  /** By peers, for an id no actor has (any more). */
  unreached: 0,
  /** By peers, to an actor whose mailbox did not take it. */
  undelivered: 0,
  /** Stops, watches, names and questions of peers that are not allowed or too many, and watches of this node beyond theirs. */
  refused: 0,
  downs: 0,
  watcherFailures: 0,
});

export type TrafficCounts = ReturnType<typeof noTrafficCounts>;
