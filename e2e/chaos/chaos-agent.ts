/**
 * One agent of a run: a real process on a host, with a way to the balancer and perhaps a disk and a clock of its own, whose queue files are
 * all kept. Whoever kills it starts it again, as a service manager would.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@thrum/actors/system/clock';
import { freePort } from '../../infra/local/ports.ts';
import { programOf, type Settings } from '../../infra/local/programs.ts';
import { startRole, type Role, type RoleEvent } from '../../infra/local/role.ts';
import { startLink, type Link } from './link.ts';
import { makeFakedClock, type FakedClock } from './faked-clock.ts';
import { startSegmentKeeper, type SegmentKeeper } from './segment-keeper.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

export type ChaosAgent = {
  readonly name: string;
  readonly clock: FakedClock | undefined;
  readonly disk: SmallDisk | undefined;
  readonly keeper: SegmentKeeper;
  /** Its way to the balancer. */
  readonly link: Link;
  /** The directory of its queue. */
  readonly queue: string;
  role(): Role;
  host(): string;
  /** Figures of its own page by name; empty when it does not answer. */
  figures(): Promise<ReadonlyMap<string, number>>;
  /** Ends in order and starts again with another period. */
  restartWith(periodMs: number): Promise<void>;
  remove(): Promise<void>;
};

const diskMebibytes = 64;
const figuresWithinMs = 2000;
const isSegment = (name: string): boolean => /^[0-9a-f]{16}-[0-9a-f]{8}\.seg$/.test(name);

export const startChaosAgent = async (options: {
  readonly name: string;
  readonly directory: string;
  readonly agentsUrl: string;
  readonly tokenFile: string;
  readonly periodMs: number;
  readonly hasSmallDisk: boolean;
  readonly hasClock: boolean;
  /** Beside those that every agent of a run has. */
  readonly settings?: Settings;
  readonly onEvent: (name: string, event: RoleEvent) => void;
}): Promise<ChaosAgent> => {
  const { name, directory } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const disk = options.hasSmallDisk ? mountSmallDisk(join(directory, 'disk'), diskMebibytes) : undefined;
  const root = disk?.path ?? join(directory, 'disk');
  const data = join(root, 'data');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const clock = options.hasClock ? makeFakedClock(join(directory, 'clock')) : undefined;
  const queue = join(data, 'queue');
  const keeper = startSegmentKeeper({
    queue,
    links: join(root, 'kept'),
    isSegment,
    ...(disk ? { away: join(directory, 'kept') } : {}),
  });
  const link = await startLink(options.agentsUrl);
  const metricsPort = await freePort();
  const settings = (periodMs: number): Settings => ({
    THRUM_BIND: '127.0.0.1',
    THRUM_INGEST: link.url,
    THRUM_TOKEN: `@${options.tokenFile}`,
    THRUM_DATA: data,
    THRUM_HOST_NAME: name,
    THRUM_METRICS_PORT: String(metricsPort),
    THRUM_PERIOD_MS: String(periodMs),
    THRUM_LOG_LEVEL: 'warn',
    ...clock?.settings,
    ...options.settings,
  });
  const begin = (periodMs: number): Role =>
    startRole({
      program: programOf('agent', name, settings(periodMs), process.env),
      restart: 'never',
      clock: systemClock,
      onEvent: (event) => options.onEvent(name, event),
    });
  let role: Role = begin(options.periodMs);
  return {
    name,
    clock,
    disk,
    keeper,
    link,
    queue,
    role: () => role,
    host: () => readFileSync(join(data, 'host-id'), 'utf8').trim(),
    figures: async () => {
      try {
        const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, {
          signal: AbortSignal.timeout(figuresWithinMs),
        });
        const text = await response.text();
        return new Map(
          Array.from(text.matchAll(/^(\w+)(?:\{[^}]*\})? (\S+)$/gm), ([, figure = '', value = '']) => [
            figure,
            Number(value),
          ]),
        );
      } catch {
        return new Map();
      }
    },
    restartWith: async (periodMs) => {
      await role.stop();
      keeper.look();
      role = begin(periodMs);
      await role.ready();
    },
    remove: async () => {
      await role.kill();
      keeper.stop();
      await link.close();
      disk?.remove();
    },
  };
};
