/**
 * Waits for a state instead of a time: runs `check` until it neither throws nor gives false, on real timers. The limit is generous on purpose
 * (a loaded machine is slow, not wrong); when it passes, the last reason is in the message.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../system/describe-error.ts';

const pauseMs = 5;

export const eventually = async (check: () => unknown, options: { withinMs?: number } = {}): Promise<void> => {
  const withinMs = options.withinMs ?? 10_000;
  const untilMs = performance.now() + withinMs;
  for (;;) {
    let reason: unknown;
    try {
      const outcome = await check();
      if (outcome !== false) return;
      reason = new Error('the check gave false');
    } catch (error) {
      reason = error;
    }
    if (performance.now() > untilMs)
      throw new Error(`not so within ${withinMs} ms: ${errorMessage(reason)}`, { cause: reason });
    await sleep(pauseMs);
  }
};
