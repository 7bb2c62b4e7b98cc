/**
 * Time as the page sees it: monotonic, so that every age on it grows by itself, whatever the network does.
 * In a hidden tab time stands still for what is drawn, and is right again in the instant the tab is seen.
 */
/* eslint-disable svelte/prefer-svelte-reactivity -- these collections are deliberately no signals: versions say when to look */
const tickMs = 250;
/** Pages follow at half that pace: every age on them is recomputed at each step. */
const stepMs = 500;

class PageClock {
  /** Monotonic ms. */
  nowMs = $state(performance.now());
  visible = $state(true);
  readonly #listeners = new Set<(nowMs: number, lateMs: number) => void>();
  #tickedMs = performance.now();

  /** Calls at every tick, also while hidden (browsers then tick about once a second). `lateMs`: how much too late this tick is. */
  onTick(listener: (nowMs: number, lateMs: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs until the returned function is called. */
  start(): () => void {
    const tick = (isSeen = false): void => {
      const nowMs = performance.now();
      const lateMs = Math.max(0, nowMs - this.#tickedMs - tickMs);
      this.#tickedMs = nowMs;
      if (this.visible && (isSeen || nowMs - this.nowMs >= stepMs - tickMs / 2)) this.nowMs = nowMs;
      for (const listener of this.#listeners) listener(nowMs, lateMs);
    };
    const look = (): void => {
      this.visible = document.visibilityState === 'visible';
      tick(true);
    };
    const timer = setInterval(() => tick(), tickMs);
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }
}

export const pageClock = new PageClock();
export type { PageClock };
