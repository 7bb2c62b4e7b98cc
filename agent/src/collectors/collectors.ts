/** Every collector of the agent, in alphabetical order of its target. A new one is one file beside these and one line here. */
import type { CollectorKind } from './collector.ts';
import { agentCollector } from './agent.ts';
import { cpuCollector } from './cpu.ts';
import { diskCollector } from './disk.ts';
import { filesystemCollector } from './filesystem.ts';
import { hostCollector } from './host.ts';
import { loadCollector } from './load.ts';
import { memoryCollector } from './memory.ts';
import { networkCollector } from './network.ts';
import { pressureCollector } from './pressure.ts';

export const collectors: readonly CollectorKind[] = [
  agentCollector,
  cpuCollector,
  diskCollector,
  filesystemCollector,
  hostCollector,
  loadCollector,
  memoryCollector,
  networkCollector,
  pressureCollector,
];
