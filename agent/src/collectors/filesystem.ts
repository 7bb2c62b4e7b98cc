/**
 * Room on mounted filesystems. Asking one whose server is dead never returns, so: answers are awaited for a bounded time per tick, a
 * mount that still owes an answer is not asked again, and at most two remote ones are asked at once, because each that hangs
 * holds one of the four threads that also look up names and read files.
 */
import { statfs, type StatsFs } from 'node:fs';
import { filesystem } from '@thrum/actors/wire/catalogue/filesystem';
import type { Add, Collector, CollectorKind, Values } from './collector.ts';
import type { LinuxSources } from './linux-sources.ts';
import { parseMountinfo, type Mount } from './mounts.ts';

const refreshMs = 10_000;
const answerMs = 50;
const remoteAtOnce = 2;

/** In the order of the target's metrics; `undefined` for a filesystem without any room, such as an automount not yet mounted. */
export const filesystemValues = (
  stats: Pick<StatsFs, 'bsize' | 'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree'>,
): Values | undefined => {
  if (stats.blocks <= 0) return undefined;
  const used = Math.max(0, stats.blocks - stats.bfree);
  const usable = used + stats.bavail;
  const hasInodes = stats.files > 0;
  return [
    usable > 0 ? (used * 100) / usable : undefined,
    stats.blocks * stats.bsize,
    used * stats.bsize,
    stats.bavail * stats.bsize,
    hasInodes ? stats.files : undefined,
    hasInodes ? Math.max(0, stats.files - stats.ffree) : undefined,
  ];
};

export type AskFilesystem = (path: string) => Promise<StatsFs>;

const askSystem: AskFilesystem = (path) =>
  new Promise((resolve, reject) => statfs(path, (error, stats) => (error ? reject(error) : resolve(stats))));

type Place = { mount: Mount; fields: readonly string[]; owes: boolean; gone: boolean };

/** `ask` is for tests, which play the server that never answers. */
export const filesystemOnLinux = (sources: LinuxSources, ask: AskFilesystem = askSystem): Collector => {
  const file = sources.proc('self/mountinfo');
  let places = new Map<string, Place>();
  let readAtMs: number | undefined;
  /** Remote mounts that were asked and have not answered, over all ticks. */
  let remoteOwing = 0;

  const refresh = (nowMs: number): void => {
    if (readAtMs !== undefined && nowMs - readAtMs < refreshMs) return;
    const next: typeof places = new Map();
    for (const mount of parseMountinfo(file.read())) {
      const key = `${mount.device} ${mount.path}`;
      const place = places.get(key) ?? {
        mount,
        fields: [mount.path, mount.device, mount.fstype],
        owes: false,
        gone: false,
      };
      place.gone = false;
      next.set(key, place);
    }
    places = next;
    readAtMs = nowMs;
  };

  const askOne = async (place: Place, isOpen: () => boolean, add: Add): Promise<void> => {
    place.owes = true;
    try {
      const stats = await ask(place.mount.path);
      const values = isOpen() ? filesystemValues(stats) : undefined;
      if (values) add(place.fields, values);
    } catch {
      place.gone = true; // unmounted meanwhile, or not for us to see: judged again when the list is read again
    } finally {
      place.owes = false;
    }
  };

  const askRemote = async (waiting: Place[], isOpen: () => boolean, add: Add): Promise<void> => {
    for (let place = waiting.shift(); place && isOpen(); place = waiting.shift()) {
      remoteOwing += 1;
      await askOne(place, isOpen, add);
      remoteOwing -= 1;
    }
  };

  return {
    collect: async ({ monotonicMs, partly }, add) => {
      refresh(monotonicMs);
      let open = true;
      const isOpen = (): boolean => open;
      const owing = [...places.values()].filter((place) => place.owes);
      const free = [...places.values()].filter((place) => !place.owes && !place.gone);
      const remote = free.filter((place) => place.mount.remote);
      const answers = free.filter((place) => !place.mount.remote).map((place) => askOne(place, isOpen, add));
      for (let hands = remoteAtOnce - remoteOwing; hands > 0 && remote.length > 0; hands -= 1)
        answers.push(askRemote(remote, isOpen, add));
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        Promise.all(answers),
        new Promise((resolve) => {
          timer = setTimeout(resolve, answerMs);
        }),
      ]);
      clearTimeout(timer);
      open = false;
      const silent = [...new Set([...owing, ...free.filter((place) => place.owes)])];
      if (silent.length > 0)
        partly(`no answer from the filesystem at ${silent.map((place) => place.mount.path).join(', ')}`);
    },
  };
};

export const filesystemCollector: CollectorKind = {
  target: filesystem,
  start: ({ linux, elsewhere }) =>
    linux
      ? filesystemOnLinux(linux)
      : {
          collect: async (_tick, add) => {
            for (const one of await (await elsewhere()).filesystems())
              if (one.size > 0)
                add(
                  [one.mount, one.device, one.fstype],
                  [
                    (one.used * 100) / Math.max(1, one.used + one.available),
                    one.size,
                    one.used,
                    one.available,
                    undefined,
                    undefined,
                  ],
                );
          },
        },
};
