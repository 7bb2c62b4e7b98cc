/**
 * What the machine is, for hello: what files tell is there at once; what systeminformation adds comes a second later from a process of
 * its own and is kept on disk, so that only the very first start waits for it (a moment, while samples are taken already).
 */
import { join } from 'node:path';
import type { Clock } from '@thrum/actors/system/clock';
import type { Machine } from '@thrum/actors/wire/agent-to-ingest';
import { askHardware, parseHardware, readMachine, withHardware } from './collectors/machine.ts';
import type { Hardware } from './collectors/system-information.ts';
import { readSmallFile, writeSmallFile } from './durable-file.ts';

/** How long the first hello of a host waits at most. */
const firstWaitMs = 1000;
/** Later starts ask when the start itself is over. */
const laterMs = 10_000;

export type MachineFacts = {
  /** Fulfilled when hello may be said. */
  readonly ready: Promise<void>;
  machine(): Machine;
};

export const findMachine = (options: {
  directory: string;
  name: string | undefined;
  program: string;
  clock: Clock;
  onChange: () => void;
}): MachineFacts => {
  const { directory, clock } = options;
  const file = join(directory, 'hardware.json');
  const basic = readMachine(options.name);
  const stored = readSmallFile(file);
  let hardware: Hardware | undefined = stored === undefined ? undefined : parseHardware(stored);

  const ask = async (): Promise<void> => {
    const found = await askHardware(options.program, { os: basic.os, cpu: basic.cpu });
    if (!found) return;
    const isNews = JSON.stringify(found) !== JSON.stringify(hardware);
    hardware = found;
    if (!isNews) return;
    writeSmallFile(file, `${JSON.stringify(found)}\n`, false);
    options.onChange();
  };

  const patience = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const quietly = (work: Promise<void>): Promise<void> => work.catch(() => undefined);
  let ready = Promise.resolve();
  if (hardware) clock.after(laterMs, () => void quietly(ask()));
  else ready = Promise.race([quietly(ask()), patience(firstWaitMs)]);
  return { ready, machine: () => (hardware ? withHardware(basic, hardware) : basic) };
};
