/**
 * What systeminformation gives us; the only file that imports it. On Linux it is asked once, by a short-lived process of its own
 * (`machine.ts`), for what the machine is. On other systems it also measures, because there is no /proc: calls that start programs are
 * made at most every ten seconds and answer with nothing in between.
 */
import si from 'systeminformation';

const programsEveryMs = 10_000;

export type CoreLoad = {
  readonly cpu: string;
  readonly usage: number;
  readonly user: number;
  readonly nice: number;
  readonly system: number;
  readonly irq: number;
  readonly steal: number;
  readonly idle: number;
};

export type SystemInformation = {
  cpuLoad(): Promise<readonly CoreLoad[]>;
  memory(): Promise<{
    total: number;
    available: number;
    free: number;
    used: number;
    buffers: number;
    cached: number;
    swapTotal: number;
    swapUsed: number;
  }>;
  filesystems(): Promise<
    readonly { mount: string; device: string; fstype: string; size: number; used: number; available: number }[]
  >;
  /** All disks together: there is no count of each. */
  disks(): Promise<{ reads: number; writes: number } | undefined>;
  interfaces(): Promise<
    readonly {
      name: string;
      receivedBytes: number;
      sentBytes: number;
      receiveErrors: number;
      sendErrors: number;
      receiveDrops: number;
      sendDrops: number;
    }[]
  >;
};

/** What a machine is, as far as systeminformation can tell; empty texts where it cannot. */
export type Hardware = { readonly model: string; readonly virtual: string; readonly os: string; readonly cpu: string };

/** Calls `ask` when the last call is long enough ago, otherwise answers with `between`. */
const rarely = <T>(between: T, ask: () => Promise<T>): (() => Promise<T>) => {
  let askedMs: number | undefined;
  return async () => {
    const now = performance.now();
    if (askedMs !== undefined && now - askedMs < programsEveryMs) return between;
    askedMs = now;
    return ask();
  };
};

export const openSystemInformation = (): SystemInformation => ({
  cpuLoad: async () => {
    const all = await si.currentLoad();
    const total: CoreLoad = {
      cpu: 'total',
      usage: all.currentLoad,
      user: all.currentLoadUser,
      nice: all.currentLoadNice,
      system: all.currentLoadSystem,
      irq: all.currentLoadIrq,
      steal: all.currentLoadSteal,
      idle: all.currentLoadIdle,
    };
    const cores = all.cpus.map((core, i): CoreLoad => ({
      cpu: String(i),
      usage: core.load,
      user: core.loadUser,
      nice: core.loadNice,
      system: core.loadSystem,
      irq: core.loadIrq,
      steal: core.loadSteal,
      idle: core.loadIdle,
    }));
    return [total, ...cores];
  },
  memory: async () => {
    const m = await si.mem();
    return {
      total: m.total,
      available: m.available,
      free: m.free,
      used: m.active,
      buffers: m.buffers,
      cached: m.cached,
      swapTotal: m.swaptotal,
      swapUsed: m.swapused,
    };
  },
  filesystems: rarely([], async () =>
    (await si.fsSize()).map(({ mount, fs, type, size, used, available }) => ({
      mount,
      device: fs,
      fstype: type,
      size,
      used,
      available,
    })),
  ),
  disks: rarely(undefined, async () => {
    // Typed as an object; nothing comes where the system keeps no such count.
    const io = (await si.disksIO()) as { rIO: number; wIO: number } | null;
    return io ? { reads: io.rIO, writes: io.wIO } : undefined;
  }),
  interfaces: rarely([], async () =>
    (await si.networkStats('*')).map((one) => ({
      name: one.iface,
      receivedBytes: one.rx_bytes,
      sentBytes: one.tx_bytes,
      receiveErrors: one.rx_errors,
      sendErrors: one.tx_errors,
      receiveDrops: one.rx_dropped,
      sendDrops: one.tx_dropped,
    })),
  ),
});

const joined = (...parts: (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '' && part !== '-').join(' ');

/** Asks only for what `known` leaves open: each question starts programs. Never throws; what fails stays empty. */
export const readHardware = async (known: { os: string; cpu: string }): Promise<Hardware> => {
  const [system, os, cpu] = await Promise.all([
    si.system().catch(() => undefined),
    known.os === '' ? si.osInfo().catch(() => undefined) : undefined,
    known.cpu === '' ? si.cpu().catch(() => undefined) : undefined,
  ]);
  return {
    model: joined(system?.manufacturer, system?.model),
    virtual: system?.virtual === true ? (system.virtualHost ?? 'virtual machine') : '',
    os: known.os === '' ? joined(os?.distro, os?.release) : known.os,
    cpu: known.cpu === '' ? joined(cpu?.manufacturer, cpu?.brand) : known.cpu,
  };
};
