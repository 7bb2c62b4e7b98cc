/** Every target the platform declares itself, in alphabetical order. A new target is one file beside these and one line here. */
import type { Target } from './schema.ts';
import { agent } from './catalogue/agent.ts';
import { cpu } from './catalogue/cpu.ts';
import { disk } from './catalogue/disk.ts';
import { filesystem } from './catalogue/filesystem.ts';
import { host } from './catalogue/host.ts';
import { load } from './catalogue/load.ts';
import { memory } from './catalogue/memory.ts';
import { network } from './catalogue/network.ts';
import { pressure } from './catalogue/pressure.ts';

export const catalogue: readonly Target[] = [agent, cpu, disk, filesystem, host, load, memory, network, pressure];
