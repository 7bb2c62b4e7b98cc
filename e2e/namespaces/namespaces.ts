/**
 * Hosts on one switch, as network namespaces of this machine: each has an address of its own, and what passes between them can be cut, one way or
 * both, or made to lose packets. The switch is a bridge in a namespace of its own, so nothing of the machine's network is touched. Linux, as root.
 * Names carry the process id of whoever made them, so that what a killed run left behind is removed by the next.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

export type Namespaces = {
  addressOf(host: number): string;
  /** The command line that runs `command` on a host; its process id is the command's own. */
  on(host: number, command: readonly string[]): readonly [string, ...string[]];
  /** Nothing passes between these hosts any more, either way. */
  cut(some: readonly number[], others: readonly number[]): void;
  /** Nothing passes from these hosts to those. */
  cutOneWay(from: readonly number[], to: readonly number[]): void;
  /** Every packet between any two hosts is lost with this chance, 0 to 100. */
  lose(percent: number): void;
  /** All cuts and losses are over. */
  heal(): void;
  close(): void;
};

/** Why there are none here, or undefined. */
export const noNamespaces = (): string | undefined => {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  return process.getuid?.() === 0 ? undefined : 'making network namespaces needs root';
};

const folder = '/run/netns';
const prefix = 'thrum-';

const execute = (program: string, ...args: readonly string[]): void => {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
};
const remove = (name: string): void => {
  try {
    execute('ip', 'netns', 'del', name);
  } catch {
    // It is gone already.
  }
};

const removeLeftovers = (): void => {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const pid = /^thrum-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) remove(name);
  }
};

let made = 0;

export const openNamespaces = (hosts: number): Namespaces => {
  removeLeftovers();
  made += 1;
  const name = (what: string): string => `${prefix}${process.pid}-${made}-${what}`;
  const bridge = name('switch');
  const addressOf = (host: number): string => `10.99.${made % 250}.${host + 1}`;
  const names = [bridge, ...Array.from({ length: hosts }, (_, host) => name(`h${host}`))];
  const takeDown = (): void => {
    for (const one of names) remove(one);
  };
  process.once('exit', takeDown);
  const nft = (...words: readonly string[]): void => execute('nsenter', `--net=${folder}/${bridge}`, 'nft', ...words);
  const drop = (...match: readonly string[]): void =>
    nft('add', 'rule', 'bridge', 'thrum', 'passing', ...match, 'drop');

  try {
    for (const one of names) {
      execute('ip', 'netns', 'add', one);
      execute('ip', '-n', one, 'link', 'set', 'lo', 'up');
    }
    execute('ip', '-n', bridge, 'link', 'add', 'br0', 'type', 'bridge');
    execute('ip', '-n', bridge, 'link', 'set', 'br0', 'up');
    for (let host = 0; host < hosts; host += 1) {
      const one = name(`h${host}`);
      const port = `port${host}`;
      execute('ip', '-n', bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', one);
      execute('ip', '-n', bridge, 'link', 'set', port, 'master', 'br0', 'up');
      execute('ip', '-n', one, 'addr', 'add', `${addressOf(host)}/24`, 'dev', 'eth0');
      execute('ip', '-n', one, 'link', 'set', 'eth0', 'up');
    }
    nft('add', 'table', 'bridge', 'thrum');
    nft('add', 'chain', 'bridge', 'thrum', 'passing', '{ type filter hook forward priority 0; policy accept; }');
  } catch (error) {
    takeDown();
    throw error;
  }

  const cutOneWay = (from: readonly number[], to: readonly number[]): void => {
    for (const sender of from)
      for (const receiver of to) drop('ip', 'saddr', addressOf(sender), 'ip', 'daddr', addressOf(receiver));
  };
  return {
    addressOf,
    on: (host, command) => ['nsenter', `--net=${folder}/${name(`h${host}`)}`, ...command],
    cutOneWay,
    cut: (some, others) => {
      cutOneWay(some, others);
      cutOneWay(others, some);
    },
    lose: (percent) => drop('ether', 'type', 'ip', 'numgen', 'random', 'mod', '100', '<', String(percent)),
    heal: () => nft('flush', 'chain', 'bridge', 'thrum', 'passing'),
    close: () => {
      process.off('exit', takeDown);
      takeDown();
    },
  };
};
