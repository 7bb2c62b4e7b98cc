/** The settings of an ingest node. Each is an environment variable (THRUM_MESH_PORT) and an option (--mesh-port). */
import { hostname } from 'node:os';
import { logLevels } from '@thrum/actors/system/log';
import { addresses, choice, file, integer, port, secret, text, type Values } from '@thrum/actors/system/settings';

export const spec = {
  logLevel: choice(logLevels, { default: 'info', help: 'how much is logged' }),
  bind: text({ default: '127.0.0.1', help: 'address to listen on' }),
  port: port({ default: 7071, help: 'port for agents, /healthz and /metrics' }),
  nodeName: text({
    default: undefined,
    maxChars: 100,
    pattern: /^[\x21-\x7e]+$/,
    expected: 'letters, digits and signs without spaces',
    help: 'name of this node in the mesh, unique there (default: host name, role and port)',
  }),
  meshPort: port({ default: 7072, help: 'port for other nodes of the mesh' }),
  meshSeeds: addresses({ default: [], help: 'other nodes of the mesh; one that is alive is enough' }),
  meshAdvertise: text({
    default: undefined,
    help: 'host under which other nodes reach this one, if it is not the bind address',
  }),
  meshKey: secret({ minChars: 16, help: 'secret of the mesh, the same on every node' }),
  token: secret({ help: 'secret that agents show' }),
  store: text({
    pattern: /^(duckdb:.+|elasticsearch:https?:\/\/.+)$/,
    expected: 'duckdb:PATH or elasticsearch:URL[,URL...]',
    help: 'where samples are kept: duckdb:PATH or elasticsearch:URL[,URL...]',
  }),
  storeUser: text({ default: undefined, help: 'user for Elasticsearch' }),
  storePassword: secret({ default: undefined, help: 'password for Elasticsearch' }),
  storeApiKey: secret({ default: undefined, help: 'API key for Elasticsearch, instead of user and password' }),
  storeCa: file({ default: undefined, help: 'certificate of the authority that signed the one of Elasticsearch' }),
  // Each replica costs the space and the writing once more, and lets the store lose one more server.
  storeReplicas: integer({ default: 1, min: 0, max: 10, help: 'copies of each index besides the first' }),
  storePrefix: text({
    default: 'thrum',
    pattern: /^[a-z][a-z0-9_]{0,30}$/,
    expected: 'lower-case letters, digits and underscores',
    help: 'what the names of indices begin with',
  }),
  // A day of one host with 700 values a second takes about 0.5 GB in Elasticsearch.
  retentionDays: integer({ default: 5, min: 1, max: 365, help: 'days for which every sample is kept' }),
  catalogue: file({ default: undefined, help: 'JSON file with further targets' }),
};

export type Config = Values<typeof spec>;

/** The port is the one listened on, which with port 0 is known only then. */
export const nodeNameOf = (config: Config, listeningPort: number): string =>
  config.nodeName ?? `${hostname()}-ingest-${listeningPort}`;
