/** Writes a configuration for given nodes from `haproxy.cfg`, the one template. Pure; a line that is not found is an error. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Upstream = { readonly name: string; readonly address: string };
export type Balanced = {
  /** `host:port` that agents connect to. */
  readonly agents: string;
  /** `host:port` that browsers connect to. */
  readonly dashboard: string;
  readonly ingest: readonly Upstream[];
  readonly web: readonly Upstream[];
  readonly statsSocket: string;
};

/** New connections of agents that are taken up for each ingest node, and those that may wait meanwhile: for three seconds. */
const agentsPerSecond = 250;
const agentsWaiting = 750;

/** A Unix socket's path has to fit here; a longer one makes HAProxy fail with a message about something else. */
const maxSocketPathChars = 90;

export const haproxyTemplate = (): string => readFileSync(join(import.meta.dirname, 'haproxy.cfg'), 'utf8');

export const renderHaproxy = (template: string, balanced: Balanced): string => {
  if (balanced.statsSocket.length > maxSocketPathChars)
    throw new Error(
      `The path of HAProxy's socket is longer than ${maxSocketPathChars} characters: ${balanced.statsSocket}`,
    );
  let config = template;
  const replace = (what: string, pattern: RegExp, by: (found: RegExpExecArray) => string): void => {
    const found = pattern.exec(config);
    if (!found)
      throw new Error(`haproxy.cfg has no line for ${what} any more; haproxy.ts looks for ${String(pattern)}.`);
    config = config.slice(0, found.index) + by(found) + config.slice(found.index + found[0].length);
  };
  const bind = (frontend: string, address: string): void =>
    replace(
      `the address of ${frontend}`,
      new RegExp(`(frontend ${frontend}\n\\s+bind )\\S+`),
      ([, before = '']) => before + address,
    );
  const servers = (of: string, list: readonly Upstream[]): void =>
    replace(
      `the servers of ${of}`,
      new RegExp(`([ ]+# servers of ${of}\n)[\\s\\S]*?([ ]+# end\n)`),
      ([, begin = '', end = '']) =>
        begin + list.map(({ name, address }) => `    server ${name} ${address} check\n`).join('') + end,
    );
  const perNode = (count: number): string => String(count * Math.max(1, balanced.ingest.length));
  replace('the socket', /stats socket unix@\S+/, () => `stats socket unix@${balanced.statsSocket}`);
  bind('agents', balanced.agents);
  bind('dashboard', balanced.dashboard);
  replace('the pace of agents', /(rate-limit sessions )\d+/, ([, before = '']) => before + perNode(agentsPerSecond));
  replace('the agents that wait', /(backlog )\d+/, ([, before = '']) => before + perNode(agentsWaiting));
  servers('ingest', balanced.ingest);
  servers('web', balanced.web);
  return config;
};
