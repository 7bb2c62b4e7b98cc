/** What membership counts since the start. How many members are in which state is beside them in `counters()`. */
export const noMembershipCounts = () => ({
  suspicions: 0,
  /** Deaths taken note of, by own verdict or another's. */
  deaths: 0,
  leaves: 0,
  /** Deaths this node declared itself. */
  verdicts: 0,
  /** Verdicts of others about a node that is heard here. */
  disbelieved: 0,
  /** This node was taken for dead and went on under a larger incarnation. */
  renewals: 0,
  /** It would have, but the same peer said so too often. */
  accusationsIgnored: 0,
  /** This node did not run for a while and noticed. */
  standstills: 0,
  malformed: 0,
  listenerFailures: 0,
});
