/** The settings of the agent, each an environment variable and a long option (`actors/src/system/settings.ts`). */
import type { LogLevel } from '@thrum/actors/system/log';
import {
  choice,
  directory,
  integer,
  labels,
  port,
  secret,
  text,
  urls,
  type Values,
} from '@thrum/actors/system/settings';
import { limits } from '@thrum/actors/wire/limits';

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies readonly LogLevel[];

export const agentSettings = {
  ingest: urls({ help: 'ingest nodes or their balancer, tried in turn', default: ['http://127.0.0.1:7071'] }),
  token: secret({ help: 'token of the installation' }),
  data: directory({ help: "where the host's identity and the queue live; one per agent" }),
  cluster: text({ help: 'group this host belongs to', default: 'default', maxChars: limits.maxLabelChars }),
  labels: labels({ help: 'labels of this host', default: {}, max: limits.maxLabels }),
  // Shorter: more detail, more of everything else in proportion.
  periodMs: integer({ help: 'time between two samples', default: 1000, min: 100, max: 3_600_000 }),
  metricsPort: port({ help: "port of the agent's own figures on 127.0.0.1; 0: off", default: 7079 }),
  // Larger: longer outages without a gap, for that much disk.
  queueBytes: integer({ help: 'disk for what ingest has not stored', default: 2 * 1024 ** 3, min: 1024 ** 2 }),
  // Longer than the store keeps the finest detail: what is sent then would be refused as too old.
  queueAgeHours: integer({ help: 'what is older is given up', default: 72, min: 1, max: 24 * 365 }),
  hostName: text({ help: 'name to show instead of the host name', default: undefined, maxChars: 255 }),
  logLevel: choice(logLevels, { help: 'least important lines that are logged', default: 'info' }),
};

export type AgentSettings = Values<typeof agentSettings>;
