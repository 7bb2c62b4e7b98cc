/** What the agent costs and how its delivery is going: its own figures, as a target like any other. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { agent } from '@thrum/actors/wire/catalogue/agent';
import type { CollectorKind } from './collector.ts';

/** Looked at rarely, because each look wakes the process: a longer hold-up is seen whole, a shorter one may be missed. */
const loopSampleMs = 100;

export const agentCollector: CollectorKind = {
  target: agent,
  start: ({ agentFigures }) => {
    const delays = monitorEventLoopDelay({ resolution: loopSampleMs });
    delays.enable();
    let last: { usage: NodeJS.CpuUsage; atMs: number } | undefined;
    return {
      collect: ({ monotonicMs: atMs }, add) => {
        const usage = process.cpuUsage();
        const usedMs = last && (usage.user + usage.system - last.usage.user - last.usage.system) / 1000;
        const passedMs = last && atMs - last.atMs;
        last = { usage, atMs };
        const heldUpMs = delays.count > 0 ? Math.max(0, delays.max / 1e6 - loopSampleMs) : undefined;
        delays.reset();
        const f = agentFigures();
        add(
          [],
          [
            usedMs === undefined || passedMs === undefined || passedMs <= 0 ? undefined : (usedMs * 100) / passedMs,
            process.memoryUsage.rss(),
            f.tickMs,
            heldUpMs,
            f.valuesCollected,
            f.valuesLeftOut,
            f.collectorFailures,
            f.queueBatches,
            f.queueBytes,
            f.queueDropped,
            f.batchesSent,
            f.batchesResent,
            f.batchesAcknowledged,
            f.samplesRefused,
            f.reconnects,
            f.samplesProduced,
            f.samplesStored,
            f.samplesGap,
            f.samplesQueued,
            f.queueDegraded,
            f.queueAgeSeconds,
            f.samplesRefusedTotal,
          ],
        );
      },
      close: () => void delays.disable(),
    };
  },
};
