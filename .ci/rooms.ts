/**
 * Who may import whom. A line here is an architectural decision: change it together with the reason for it.
 *
 * A room may import itself and the rooms it lists. Rooms are listed below the rooms they stand on, so reading down is reading up
 * the building; the check refuses a room that lists one placed after it, so a cycle cannot be written down.
 * Tests may also import `actors/src/testing`, and every room that theirs stands on.
 */
const wire = 'actors/src/wire';
const system = 'actors/src/system';
const link = 'actors/src/link';
const membership = 'actors/src/membership';
const topics = 'actors/src/topics';
const presence = 'actors/src/presence';
const sessions = 'actors/src/sessions';
const wholeMesh = 'actors/src/mesh';
const ground = [wire, system];
const mesh = [...ground, link, membership, topics, presence, wholeMesh, sessions];

/** Rooms of the page: what a browser loads. They meet the servers only in the wire. */
const reactivity = 'web/src/lib/reactivity';
const theme = 'web/src/lib/theme';
const hosts = 'web/src/lib/hosts';
const live = 'web/src/lib/live';
const charts = 'web/src/lib/charts';
const routes = 'web/src/routes';

const signIn = 'web/src/lib/server/sign-in';

export const rooms: Readonly<Record<string, readonly string[]>> = {
  [wire]: [],
  [system]: [wire],
  [link]: ground,
  [membership]: [...ground, link],
  [topics]: [...ground, link],
  [presence]: [...ground, link, membership],
  [wholeMesh]: [...ground, link, membership, topics, presence],
  [sessions]: [...ground, link],
  'actors/src/testing': mesh,
  // Whole meshes in virtual time: the rooms as they are, under faults drawn from a seed.
  'actors/src/simulation': [...mesh, 'actors/src/testing'],

  'agent/src/collectors': ground,
  'agent/src/queue': ground,
  'agent/src/uplink': [...ground, 'agent/src/queue'],
  'agent/src': [...ground, 'agent/src/collectors', 'agent/src/queue', 'agent/src/uplink'],
  agent: [],

  'ingest/src/store': ground,
  'ingest/src/documents': [...ground, 'ingest/src/store'],
  'ingest/src/history': [...ground, 'ingest/src/store'],
  'ingest/src/live': mesh,
  'ingest/src/intake': [...ground, 'ingest/src/store', 'ingest/src/live'],
  'ingest/src/control': [...ground, 'ingest/src/intake'],
  'ingest/src': [
    ...mesh,
    'ingest/src/store',
    'ingest/src/documents',
    'ingest/src/history',
    'ingest/src/live',
    'ingest/src/intake',
    'ingest/src/control',
  ],

  [reactivity]: [],
  [theme]: [],
  [hosts]: [wire],
  [live]: [wire, hosts],
  [charts]: [wire, reactivity, theme, hosts],
  [routes]: [wire, reactivity, theme, hosts, live, charts],
  // Who may come in. The gateway stands on it; of the mesh it needs the sessions, and links to other web nodes.
  [signIn]: [...ground, link, sessions],
  'web/src/lib/server': [...mesh, signIn],
  web: [...mesh, 'web/src/lib/server', signIn],

  // These start the programs by command; of the programs' code they use the wire and the ground alone.
  'infra/elasticsearch': ground,
  'infra/haproxy': [],
  'infra/local': [...ground, 'infra/elasticsearch', 'infra/haproxy'],
  'infra/load': [...ground, 'infra/local'],
  'infra/test': ['infra/elasticsearch', 'infra/local'],
  e2e: [...ground, 'actors/src/testing', 'infra/elasticsearch', 'infra/local', 'infra/load'],
  // Both ends of delivery as they are, in virtual time: the one place where they meet, because what they promise is promised by both together.
  'e2e/model': [
    ...ground,
    'actors/src/testing',
    'actors/src/simulation',
    'agent/src/queue',
    'agent/src/uplink',
    'agent/src',
    'ingest/src/store',
    'ingest/src/live',
    'ingest/src/intake',
  ],
  '.ci': [],
};

/** Rooms that own the files directly in their folder and nothing below it: a new folder below needs a line of its own. */
export const filesOnly: readonly string[] = ['agent', 'agent/src', 'ingest/src', 'web'];

/** Rooms a browser loads: no Node, and from the wire no file that loads a schema library (types of it are free). */
export const browserRooms: readonly string[] = [reactivity, theme, hosts, live, charts, routes];

/** Packages that a browser must not be made to load by way of the wire. */
export const notForBrowsers: readonly string[] = ['zod'];

/** Rooms whose outside packages are few on purpose. Others are free to import what their package.json lists. */
export const outside: Readonly<Record<string, readonly string[]>> = {
  [wire]: ['zod', '@noble/hashes'],
};

/** Outside packages that only these files or folders may load. Tests may too, where they play the other side; types are free. */
export const behindOneDoor: Readonly<Record<string, readonly string[]>> = {
  '@duckdb/node-api': ['ingest/src/store/duckdb/'],
  '@elastic/elasticsearch': ['ingest/src/store/elasticsearch/', 'e2e/'],
  '@msgpack/msgpack': ['actors/src/link/'],
  nact: ['actors/src/system/'],
  pino: ['actors/src/system/'],
  'playwright-core': ['e2e/'],
  'socket.io': ['ingest/src/intake/', 'web/server.ts', 'web/src/lib/server/'],
  'socket.io-client': ['agent/src/uplink/', 'e2e/', 'web/src/lib/live/'],
  systeminformation: ['agent/src/collectors/system-information.ts'],
  uplot: ['web/src/lib/charts/TimeChart.svelte'],
  ws: ['actors/src/link/', 'e2e/', 'infra/load/'],
  yjs: ['actors/src/presence/'],
};
