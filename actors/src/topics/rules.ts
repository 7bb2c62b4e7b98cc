/**
 * What topics promise, as small decisions: which interest counts, what is a gap, what is owed. `startTopics` takes others in their place, one
 * at a time, so that a simulation can show that each of them is needed.
 */
export const interestBounds = {
  /** Topics a peer may be interested in: each costs about 200 bytes here. */
  maxTopicsPerPeer: 20_000,
  /** Messages about interest a peer may send at once and per second. A node whose tabs all come back at once sends some hundred. */
  messagesBurst: 2_000,
  messagesPerSecond: 200,
} as const;

/** How often a subscriber is told that what it knows of a topic may be old: each time it may ask for a snapshot. */
export const staleEveryMs = 1000;
/** How often one peer is told all that is retained of one topic, which may be megabytes. */
const wholeEveryMs = 1000;

export type Bucket = { readonly level: number; readonly atMs: number };

export const rules = {
  /**
   * A change of interest counts only on top of the version it was made for. A whole set (`base` 0) always counts: a link keeps order. `ask`: a
   * change was missed, the whole set is needed.
   */
  interest: (have: number, message: { base: number; version: number }): 'apply' | 'anew' | 'ask' | 'ignore' => {
    if (message.base === 0) return 'anew';
    if (message.base === have) return 'apply';
    return message.version <= have ? 'ignore' : 'ask';
  },
  /** Whether a peer that is interested in so many topics may have one more. */
  takesTopic: (count: number): boolean => count < interestBounds.maxTopicsPerPeer,
  /** One message about interest came: the bucket after it, or undefined when it was one too many. */
  takesMessage: (bucket: Bucket, nowMs: number): Bucket | undefined => {
    const filled = bucket.level + ((nowMs - bucket.atMs) / 1000) * interestBounds.messagesPerSecond;
    const level = Math.min(interestBounds.messagesBurst, filled) - 1;
    return level < 0 ? undefined : { level, atMs: nowMs };
  },

  /** Numbers of a topic begin above all that were ever given, so that none is given twice in a topic that was forgotten meanwhile. */
  firstNumber: (largestGiven: number): number => largestGiven + 1,
  /** `have` is the number of the last publication heard of this publisher and topic. */
  news: (have: number | undefined, number: number): 'next' | 'gap' | 'old' => {
    if (have === undefined || number === have + 1) return 'next';
    return number > have ? 'gap' : 'old';
  },
  /** The publisher says how far it has got: true when something was missed on the way. */
  isBehind: (have: number | undefined, upTo: number): boolean => have === undefined || have < upTo,
  /** The publisher says where its numbers stand as the peer's interest reaches it: true when what is known may be old. */
  beginsStale: (have: number | undefined, heardBegin: boolean, upTo: number): boolean => !heardBegin || have !== upTo,
  mayTellStale: (toldMs: number, nowMs: number): boolean => nowMs - toldMs >= staleEveryMs,

  /** A publication with a key that was not taken: its key is told again, from the newest value. */
  repeatsKey: (): boolean => true,
  /** Publications without a key that were dropped on their way: those who want the topic are told how far it has got. */
  tellsDrops: (): boolean => true,
  /** A key whose newest value goes out with what is owed already is not told now: what is owed would come after it, older. */
  isToldLater: (owed: boolean): boolean => owed,
  /** A peer that becomes interested, again too, needs all that is retained: it may hold what was forgotten meanwhile. */
  needsAll: (_wasInterested: boolean): boolean => true,
  mayTellWhole: (toldMs: number, nowMs: number): boolean => nowMs - toldMs >= wholeEveryMs,
  /** A key the publisher did not name when it told all: it has forgotten it. */
  isForgotten: (named: boolean): boolean => !named,
  /** A publisher that started anew has said nothing of what its former self said. */
  isSamePublisher: (before: number, now: number): boolean => before === now,
} as const;

export type TopicRules = typeof rules;
