/** The settings of a web node: each an environment variable (THRUM_PORT) and a long option (--port). */
import { hostname } from 'node:os';
import { logLevels } from '@thrum/actors/system/log';
import {
  addresses,
  choice,
  directory,
  list,
  port,
  secret,
  text,
  urls,
  type Values,
} from '@thrum/actors/system/settings';

export const webSpec = {
  bind: text({ help: 'Address the dashboard and the mesh listen on', default: '127.0.0.1' }),
  port: port({ help: 'Port of the dashboard; 0 takes a free one', default: 7070 }),
  origins: urls({
    help: 'Further addresses people reach the dashboard at, such as https://thrum.example.org',
    default: [],
  }),
  data: directory({
    help: 'Directory for sessions and the local door; without it sessions end with this node unless others have them',
    default: undefined,
  }),
  proxies: list({
    help: "Addresses of balancers whose X-Forwarded-For is believed; this machine's own always are",
    default: [],
  }),
  setupToken: secret({ help: 'Token of the one-time set-up link', default: undefined, minChars: 27 }),
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

export const defaultNodeName = (boundPort: number): string => `${hostname()}-web-${boundPort}`;
