/** The links' own measurements, all counted since the start but `links` and `outboxBytes`. */
export const noLinkCounts = () => ({
  linksUp: 0,
  linksDown: 0,
  dials: 0,
  dialsFailed: 0,
  /** Knocks at a silent peer's door, beside its link. */
  probes: 0,
  /** Handshakes that ended without a link, duplicates of a living link not counted. */
  refused: 0,
  duplicates: 0,
  framesIn: 0,
  framesOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  messagesIn: 0,
  messagesOut: 0,
  /** Live messages that made room in a full outbox. */
  dropped: 0,
  /** Messages a full outbox did not take, told to their sender. */
  full: 0,
  /** Links ended because not even control messages found room. */
  overflows: 0,
  /** Messages about actors before anybody here knew of actors. */
  unattached: 0,
  /** Links ended because the peer sent what no node of ours sends. */
  garbage: 0,
  /** Told to an endpoint nobody serves. */
  unserved: 0,
  /** Exceptions out of handlers and listeners. */
  handlerFailures: 0,
});

export type LinkCounts = ReturnType<typeof noLinkCounts>;
