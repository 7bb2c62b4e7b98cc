/**
 * For `node --import`: how late the event loop of a program comes, measured between two SIGUSR2 and then written to the file that
 * LOOP_DELAY_FILE names. In between only, because it wakes the program a hundred times a second.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Beyond `resolutionMs`, which every measurement waits anyhow. */
export type LoopDelay = { readonly maxMs: number; readonly p99Ms: number };

const resolutionMs = 10;
const file = process.env['LOOP_DELAY_FILE'];
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
let running = false;
process.on('SIGUSR2', () => {
  running = !running;
  if (running) {
    delay.reset();
    delay.enable();
    return;
  }
  delay.disable();
  const beyondMs = (nanoseconds: number): number => nanoseconds / 1e6 - resolutionMs;
  const measured: LoopDelay = { maxMs: beyondMs(delay.max), p99Ms: beyondMs(delay.percentile(99)) };
  if (file !== undefined) writeFileSync(file, JSON.stringify(measured));
});
