/** The actor system's own measurements. */
export type ActorCounts = {
  /** Alive now. */
  actors: number;
  /** Told to an actor that was stopped, or still queued when it stopped. */
  deadLetters: number;
  /** Refused or displaced by a full mailbox, or lost with the crash they caused. */
  dropped: number;
  restarts: number;
  /** Exceptions out of `start`, `receive` and `stop`. */
  failures: number;
};

export const noCounts = (): ActorCounts => ({ actors: 0, deadLetters: 0, dropped: 0, restarts: 0, failures: 0 });
