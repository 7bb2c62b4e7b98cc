/**
 * What one tab is sent when it reads more slowly than we write. Frames may be skipped, because the next one is better; what a tab cannot
 * do without (roster, snapshot, greeting) waits in a slot in which a newer value replaces an older one. So the memory of a tab that does
 * not read is bounded: `maxQueuedBytes`, and one message that is larger than that by itself.
 *
 * Pure: the caller says how many bytes its connection has not taken yet, and what time it is.
 */
export const pacingLimits = {
  /** Up to here everything is sent. Raising it lets a slow tab see older values before it sees new ones. */
  easyBytes: 64 * 1024,
  /** Nothing is added that would bring the queue over this; one message that is larger by itself waits for an empty queue. */
  maxQueuedBytes: 256 * 1024,
  /** A tab over `easyBytes` for as long as this, without any progress, is closed: it costs memory and sees nothing. */
  patienceMs: 15_000,
} as const;

export type Pacing = {
  /** Set while the queue is over `easyBytes`: since when it has made no progress, and how long it was then. */
  readonly over: { readonly sinceMs: number; readonly bytes: number } | undefined;
};

export const startPacing: Pacing = { over: undefined };

export type Verdict = 'send' | 'skip' | 'close';

/** Whether a message of `bytes` may be added to a queue of `queuedBytes` now. */
export const mayAdd = (bytes: number, queuedBytes: number): boolean =>
  queuedBytes <= pacingLimits.easyBytes && (queuedBytes === 0 || queuedBytes + bytes <= pacingLimits.maxQueuedBytes);

/**
 * Looks at the queue. `close` means it has been over the limit for too long. Taking away a quarter of `easyBytes` counts as progress; a
 * single message larger than `maxQueuedBytes` (a greeting, a snapshot) leaves the queue all at once, so it gets more time by its size.
 */
export const look = (pacing: Pacing, queuedBytes: number, nowMs: number): { pacing: Pacing; close: boolean } => {
  if (queuedBytes <= pacingLimits.easyBytes)
    return { pacing: pacing.over === undefined ? pacing : startPacing, close: false };
  const { over } = pacing;
  if (over === undefined || queuedBytes <= over.bytes - pacingLimits.easyBytes / 4)
    return { pacing: { over: { sinceMs: nowMs, bytes: queuedBytes } }, close: false };
  const patienceMs = pacingLimits.patienceMs * Math.max(1, Math.ceil(queuedBytes / pacingLimits.maxQueuedBytes));
  return { pacing, close: nowMs - over.sinceMs >= patienceMs };
};

/** `look`, and then what becomes of one frame. */
export const offer = (
  pacing: Pacing,
  bytes: number,
  queuedBytes: number,
  nowMs: number,
): { pacing: Pacing; verdict: Verdict } => {
  const seen = look(pacing, queuedBytes, nowMs);
  if (seen.close) return { pacing: seen.pacing, verdict: 'close' };
  return { pacing: seen.pacing, verdict: mayAdd(bytes, queuedBytes) ? 'send' : 'skip' };
};
