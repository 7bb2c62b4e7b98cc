/**
 * What this machine is, for people: found once at the start. On Linux most of it stands in files; hardware model and virtualization are
 * asked of systeminformation, which starts programs and takes 8 MiB of memory, so a process of its own does it and ends
 * (`machine-main.ts` decides nothing: the agent starts itself with `--identify`). Nothing here delays a sample.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, hostname, release, totalmem, type as osType } from 'node:os';
import type { Machine } from '@thrum/actors/wire/agent-to-ingest';
import type { Hardware } from './system-information.ts';

const maxChars = 200;
const identifyMs = 15_000;

/** Value of a key of /etc/os-release, without its quotes; empty when it is not there. */
export const osReleaseValue = (text: string, key: string): string => {
  const line = text.split('\n').find((one) => one.startsWith(`${key}=`));
  return (line ?? '')
    .slice(key.length + 1)
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .slice(0, maxChars);
};

/** A hypervisor marks the processor; which one it is stands elsewhere. */
export const isVirtual = (cpuinfo: string): boolean => /^flags\s*:.*\bhypervisor\b/m.test(cpuinfo);

const readText = (...paths: string[]): string => {
  for (const path of paths) {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      continue; // not on this machine, or not for us to read
    }
  }
  return '';
};

/** What files and system calls tell at once. `name` is what the user set, or the host name. */
export const readMachine = (name: string | undefined): Machine => {
  const linux = process.platform === 'linux';
  const hardware = '/sys/class/dmi/id';
  const model = linux
    ? [readText(`${hardware}/sys_vendor`), readText(`${hardware}/product_name`, '/proc/device-tree/model')]
        .filter((part) => part !== '')
        .join(' ')
        .replaceAll('\0', '')
    : '';
  const cut = (text: string): string => text.slice(0, maxChars);
  return {
    name: (name ?? hostname()).slice(0, 255) || 'unnamed',
    os: linux ? osReleaseValue(readText('/etc/os-release', '/usr/lib/os-release'), 'PRETTY_NAME') : '',
    kernel: cut(`${osType()} ${release()}`),
    arch: arch(),
    model: cut(model),
    cpu: cut(cpus()[0]?.model.trim().replace(/\s+/g, ' ') ?? ''),
    cores: cpus().length,
    memoryBytes: totalmem(),
    virtual: linux && isVirtual(readText('/proc/cpuinfo')) ? 'virtual machine' : '',
  };
};

/** The machine with what was found out about its hardware; what files said stands where nothing more was found. */
export const withHardware = (machine: Machine, hardware: Hardware): Machine => {
  const better = (found: string, known: string): string => (found === '' ? known : found.slice(0, maxChars));
  return {
    ...machine,
    model: better(hardware.model, machine.model),
    virtual: better(hardware.virtual, machine.virtual),
    os: better(hardware.os, machine.os),
    cpu: better(hardware.cpu, machine.cpu),
  };
};

/** What the identifying process printed, or `undefined` for anything else. */
export const parseHardware = (printed: string): Hardware | undefined => {
  try {
    const found: unknown = JSON.parse(printed);
    if (typeof found !== 'object' || found === null) return undefined;
    const text = (key: string): string => {
      const value: unknown = Reflect.get(found, key);
      return typeof value === 'string' ? value : '';
    };
    return { model: text('model'), virtual: text('virtual'), os: text('os'), cpu: text('cpu') };
  } catch {
    return undefined;
  }
};

/** Starts this program again as the identifying process. `undefined` when that fails or takes too long. */
export const askHardware = (program: string, known: { os: string; cpu: string }): Promise<Hardware | undefined> =>
  new Promise((resolve) => {
    const args = [...process.execArgv, program, '--identify', JSON.stringify(known)];
    const child = execFile(process.execPath, args, { timeout: identifyMs, env: {} }, (error, printed) =>
      resolve(error ? undefined : parseHardware(printed)),
    );
    child.unref();
  });
