/**
 * A disk in memory for tests, that forgets and fails as real ones do. It keeps apart what was written and what was synced:
 *
 * - A sync makes what was written to that file durable; a new name, a rename and a removal are durable only after `syncDirectory`.
 * - After a failed sync, what was written before it may never reach the disk, whatever later syncs say, unless it is written again.
 * - `kill()`: the process is gone, what it wrote is there. Its calls under way may have happened or not (by lot); no promise of it settles any
 *   more, so nothing of it acts after its end. `powerFailure()`: also what was not synced is there or not, as `crash-states.ts` says.
 *
 * `disk` is the disk as the process of now sees it; after `kill` and `powerFailure` take it anew. Without a clock calls take no time, with one
 * each takes some (`latencyMs`), so that it runs in virtual time. With the same `random` it does the same things.
 */
import type { Clock } from '@thrum/actors/system/clock';
import {
  anyCrashState,
  applyChange,
  crashStatesOf,
  sectorBytes,
  type DirectoryChange,
  type DiskImage,
} from './crash-states.ts';
import type { Disk, DiskFile } from './disk.ts';

export type DiskCall =
  | 'list'
  | 'setAside'
  | 'open'
  | 'create'
  | 'remove'
  | 'rename'
  | 'syncDirectory'
  | 'write'
  | 'read'
  | 'sync'
  | 'size'
  | 'truncate'
  | 'close';

export type DiskFault = {
  readonly op: DiskCall;
  readonly code: string;
  /** How often; default once. */
  readonly times?: number;
  /** Calls of this kind that still succeed before. */
  readonly after?: number;
  /** Only on files whose name this fits. */
  readonly name?: RegExp;
  /** Of a failing write, how many bytes are written all the same. */
  readonly written?: number;
};

export type SimulatedDisk = {
  readonly disk: Disk;
  kill(): void;
  powerFailure(): void;
  /** Every state a power failure now may leave; at most `limit`, chosen by lot where there are more. */
  crashStates(limit?: number): Generator<DiskImage>;
  failNext(fault: DiskFault): void;
  /** Failures that are still to come are called off. */
  heal(): void;
  /** From now on files may grow by this much, and no more until others shrink. */
  fill(bytesFree: number): void;
  freeSpace(): void;
  /** What is on the disk now, written or synced; a copy. */
  image(): DiskImage;
  /** Changes a file behind everybody's back, also under those that have it open; `undefined` removes it. Durable. */
  put(name: string, content: Uint8Array | undefined): void;
  usedBytes(): number;
  openFiles(): number;
  /** Calls so far, by kind. */
  calls(): Readonly<Record<string, number>>;
  /** Called after every call that changed something, before its promise settles. */
  onChange(listener: (() => void) | undefined): void;
};

type File = {
  content: Uint8Array;
  /** Has room to grow; `content` is a view of its beginning. */
  room: Uint8Array;
  sectors: Map<number, Uint8Array[]>;
  sizes: number[];
  /** Sectors of before a failed sync: no later sync covers them. */
  doubtful: Map<number, Uint8Array[]>;
  handles: number;
  links: number;
};

const failure = (code: string, what: string): Error =>
  Object.assign(new Error(`${code}: simulated failure, ${what}`), { code });

const never = (): Promise<never> => new Promise(() => undefined);

const newFile = (content: Uint8Array): File => ({
  ...{ content, room: content, sectors: new Map(), sizes: [], doubtful: new Map(), handles: 0, links: 1 },
});

const setSize = (file: File, size: number): void => {
  if (size > file.room.length) {
    const room = new Uint8Array(Math.max(size, file.room.length * 2, 4096));
    room.set(file.content);
    file.room = room;
  } else if (size < file.content.length) file.room.fill(0, size, file.content.length);
  file.content = file.room.subarray(0, size);
};

/** Remembers what is about to be changed from `from` to `to`. */
const keepOlder = (file: File, from: number, to: number): void => {
  for (let sector = Math.floor(from / sectorBytes); sector * sectorBytes < to; sector += 1) {
    const begin = sector * sectorBytes;
    const older = new Uint8Array(sectorBytes);
    older.set(file.content.subarray(begin, begin + sectorBytes));
    // Written again after a failed sync: the page is dirty again, and what it may still hold is all it held since.
    const known = file.sectors.get(sector) ?? file.doubtful.get(sector) ?? [];
    file.doubtful.delete(sector);
    file.sectors.set(sector, [...known, older]);
  }
};

const change = (file: File, at: number, bytes: Uint8Array): void => {
  const end = at + bytes.length;
  const size = file.content.length;
  keepOlder(file, Math.min(at, size), end);
  file.sizes.push(size);
  if (end > size) setSize(file, end);
  file.content.set(bytes, at);
};

export const simulatedDisk = (
  options: { clock?: Clock; random?: () => number; latencyMs?: (call: DiskCall) => number; image?: DiskImage } = {},
): SimulatedDisk => {
  const { clock, random = () => 0 } = options;
  const latencyMs = options.latencyMs ?? ((call) => (call.startsWith('sync') ? 0.3 + random() * 2 : 0.02));
  let names = new Map<string, File>();
  let synced = new Map<string, File>();
  let changes: DirectoryChange<File>[] = [];
  let files = new Set<File>();
  let generation = 0;
  let faults: { fault: DiskFault; left: number; skip: number }[] = [];
  let capacityBytes = Number.POSITIVE_INFINITY;
  const counts: Record<string, number> = {};
  let changed: (() => void) | undefined;
  const underWay = new Set<() => void>();

  const load = (image: DiskImage): void => {
    names = new Map([...image].map(([name, bytes]) => [name, newFile(bytes.slice())]));
    synced = new Map(names);
    changes = [];
    files = new Set(names.values());
  };
  load(options.image ?? new Map());

  const usedBytes = (): number => {
    for (const file of files) if (file.links === 0 && file.handles === 0) files.delete(file);
    return [...files].reduce((sum, file) => sum + file.content.length, 0);
  };
  /** As the file is after a power failure: what a failed sync left in doubt is in doubt for ever. */
  const unsynced = () => {
    const seen = new Map<File, { content: Uint8Array; sectors: Map<number, Uint8Array[]>; sizes: number[] }>();
    const view = (file: File) => {
      const known = seen.get(file);
      if (known) return known;
      const made = { ...file, sectors: new Map([...file.doubtful, ...file.sectors]) };
      seen.set(file, made);
      return made;
    };
    return {
      names: new Map([...synced].map(([name, file]) => [name, view(file)])),
      changes: changes.map((one) => (one.kind === 'remove' ? one : { ...one, file: view(one.file) })),
    };
  };

  const faultFor = (op: DiskCall, name: string): DiskFault | undefined => {
    for (const one of faults) {
      if (one.fault.op !== op || one.fault.name?.test(name) === false) continue;
      if (one.skip > 0) {
        one.skip -= 1;
        continue;
      }
      one.left -= 1;
      if (one.left === 0) faults = faults.filter((other) => other !== one);
      return one.fault;
    }
    return undefined;
  };

  /** Runs a call of the process of `mine`, which may have died before it happens or before it learns of it. */
  const call = <T>(mine: number, op: DiskCall, name: string, run: (fault: DiskFault | undefined) => T): Promise<T> => {
    if (mine !== generation) return never();
    return new Promise<T>((resolve, reject) => {
      const perform = (): void => {
        underWay.delete(perform);
        counts[op] = (counts[op] ?? 0) + 1;
        try {
          const fault = faultFor(op, name);
          if (fault && op !== 'write' && op !== 'sync' && op !== 'close') throw failure(fault.code, `${op} ${name}`);
          const value = run(fault);
          changed?.();
          if (mine === generation) resolve(value);
        } catch (error) {
          changed?.();
          if (mine === generation) reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      underWay.add(perform);
      const start = (): void => {
        if (underWay.has(perform) && mine === generation) perform();
      };
      if (clock) clock.after(latencyMs(op), start);
      else queueMicrotask(start);
    });
  };

  const note = (one: DirectoryChange<File>): void => {
    changes.push(one);
    applyChange(names, one);
  };
  const existing = (name: string): File => {
    const file = names.get(name);
    if (!file) throw failure('ENOENT', `no file ${name}`);
    return file;
  };

  const handle = (mine: number, name: string, file: File): DiskFile => {
    let isOpen = true;
    file.handles += 1;
    const on = <T>(op: DiskCall, run: (fault: DiskFault | undefined) => T): Promise<T> =>
      call(mine, op, name, (fault) => {
        if (!isOpen) throw failure('EBADF', `${op} of ${name}, which was closed`);
        return run(fault);
      });
    return {
      write: (bytes, at) =>
        on('write', (fault) => {
          const whole = Buffer.concat(bytes); // not before: whoever uses its buffers again too early shall find out
          if (fault) {
            if (fault.written !== undefined && fault.written > 0) change(file, at, whole.subarray(0, fault.written));
            throw failure(fault.code, `write ${name}`);
          }
          const room = capacityBytes - usedBytes() + file.content.length - at;
          if (whole.length > room && at + whole.length > file.content.length) {
            if (room > 0) change(file, at, whole.subarray(0, room));
            throw failure('ENOSPC', `write ${name}`);
          }
          change(file, at, whole);
        }),
      read: (at, bytes, into) =>
        on('read', () => {
          const there = file.content.subarray(at, at + bytes);
          if (!into) return there.slice();
          into.set(there);
          return into.subarray(0, there.length);
        }),
      sync: () =>
        on('sync', (fault) => {
          if (fault) {
            for (const [sector, older] of file.sectors) file.doubtful.set(sector, older);
            file.sectors = new Map();
            throw failure(fault.code, `sync ${name}`);
          }
          file.sectors = new Map();
          file.sizes = [];
        }),
      size: () => on('size', () => file.content.length),
      truncate: (bytes) =>
        on('truncate', () => {
          const size = file.content.length;
          if (bytes > size && bytes - size > capacityBytes - usedBytes()) throw failure('ENOSPC', `truncate ${name}`);
          keepOlder(file, Math.min(bytes, size), size);
          file.sizes.push(size);
          setSize(file, bytes);
        }),
      close: () =>
        on('close', (fault) => {
          isOpen = false;
          file.handles -= 1;
          if (fault) throw failure(fault.code, `close ${name}`);
        }),
    };
  };

  const diskOf = (mine: number): Disk => ({
    list: () => call(mine, 'list', '', () => [...names.keys()]),
    open: (name, create) =>
      call(mine, create ? 'create' : 'open', name, () => {
        if (!create) return handle(mine, name, existing(name));
        if (names.has(name)) throw failure('EEXIST', `create ${name}`);
        if (capacityBytes - usedBytes() <= 0) throw failure('ENOSPC', `create ${name}`);
        const file = newFile(new Uint8Array(0));
        files.add(file);
        note({ kind: 'create', name, file });
        return handle(mine, name, file);
      }),
    remove: (name) =>
      call(mine, 'remove', name, () => {
        existing(name).links = 0;
        note({ kind: 'remove', name });
      }),
    rename: (from, to) =>
      call(mine, 'rename', from, () => {
        const file = existing(from);
        const over = names.get(to);
        if (over && over !== file) over.links = 0;
        note({ kind: 'rename', from, to, file });
      }),
    setAside: () =>
      call(mine, 'setAside', '', () => {
        for (const name of [...names.keys()]) note({ kind: 'remove', name });
        for (const file of files) file.links = 0;
      }),
    syncDirectory: () =>
      call(mine, 'syncDirectory', '', () => {
        synced = new Map(names);
        changes = [];
      }),
  });

  let disk = diskOf(generation);
  const kill = (): void => {
    generation += 1;
    const left = [...underWay];
    underWay.clear();
    for (const perform of left) if (random() < 0.5) perform();
    for (const file of files) file.handles = 0;
    disk = diskOf(generation);
  };
  const crashStates = (limit = 1000): Generator<DiskImage> => crashStatesOf(unsynced(), { limit, random });

  return {
    get disk() {
      return disk;
    },
    kill,
    powerFailure: () => {
      kill();
      load(anyCrashState(unsynced(), random));
    },
    crashStates,
    failNext: (fault) => void faults.push({ fault, left: fault.times ?? 1, skip: fault.after ?? 0 }),
    heal: () => void (faults = []),
    fill: (bytesFree) => void (capacityBytes = usedBytes() + bytesFree),
    freeSpace: () => void (capacityBytes = Number.POSITIVE_INFINITY),
    image: () => new Map([...names].map(([name, file]) => [name, file.content.slice()])),
    put: (name, content) => {
      const file = names.get(name) ?? newFile(new Uint8Array(0));
      for (const there of [names, synced]) {
        if (content) there.set(name, file);
        else there.delete(name);
      }
      files.add(file);
      if (!content) file.links = 0;
      else {
        setSize(file, content.length);
        file.content.set(content);
        Object.assign(file, { sectors: new Map(), sizes: [], doubtful: new Map() });
      }
    },
    usedBytes,
    openFiles: () => [...files].reduce((sum, file) => sum + file.handles, 0),
    calls: () => ({ ...counts }),
    onChange: (listener) => void (changed = listener),
  };
};
