/** The settings of a web node: each an environment variable (THRUM_PORT) and a long option (--port). */
import { hostname } from 'node:os';
import { logLevels } from '@thrum/actors/system/log';
import { addresses, choice, flag, port, secret, text, urls, type Values } from '@thrum/actors/system/settings';
import { isLoopbackName } from './hosts.ts';

export const webSpec = {
  bind: text({ help: 'Address the dashboard and the mesh listen on', default: '127.0.0.1' }),
  port: port({ help: 'Port of the dashboard; 0 takes a free one', default: 7070 }),
  origins: urls({
    help: 'Further addresses people reach the dashboard at, such as https://thrum.example.org',
    default: [],
  }),
  openToAll: flag({
    help: 'Listen on other than loop-back addresses although there is no sign-in yet',
    default: false,
  }),
  logLevel: choice(logLevels, { help: 'What is logged on stderr', default: 'info' }),
  nodeName: text({
    help: 'Name of this node in the mesh',
    default: undefined,
    maxChars: 100,
    pattern: /^[\x21-\x7e]+$/,
  }),
  meshPort: port({ help: 'Port on which other nodes reach this one; 0 takes a free one', default: 7072 }),
  meshAdvertise: text({
    help: 'Host other nodes reach this one by, if not the address it listens on',
    default: undefined,
  }),
  meshSeeds: addresses({ help: 'Nodes to find the mesh by', default: [] }),
  meshKey: secret({ help: 'What all nodes of the mesh know and nobody else', minChars: 16 }),
};

export type WebSettings = Values<typeof webSpec>;

/**
 * What is wrong with settings that are each fine by themselves; `undefined` for nothing. Without sign-in everybody who reaches the port
 * sees everything, so listening beyond this machine takes a word from the person who starts it.
 */
export const refuseSettings = (settings: Pick<WebSettings, 'bind' | 'openToAll'>): string | undefined =>
  settings.openToAll || isLoopbackName(settings.bind)
    ? undefined
    : `THRUM_BIND: ${settings.bind} is no loop-back address, and the dashboard has no sign-in yet: everybody who reaches this port would ` +
      'see all hosts. Bind 127.0.0.1 and put a proxy with access control in front, or set THRUM_OPEN_TO_ALL=yes to accept that.';

export const defaultNodeName = (boundPort: number): string => `${hostname()}-web-${boundPort}`;
