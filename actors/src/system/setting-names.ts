/**
 * The environment variables of every role, so that one environment file may serve all of them and a misspelled name is still noticed.
 * A new setting of any program gets its line here.
 */
export const settingNames: ReadonlySet<string> = new Set([
  'THRUM_BIND',
  'THRUM_CATALOGUE',
  'THRUM_CLUSTER',
  'THRUM_DATA',
  'THRUM_HOST_NAME',
  'THRUM_INGEST',
  'THRUM_LABELS',
  'THRUM_LOG_LEVEL',
  'THRUM_MESH_ADVERTISE',
  'THRUM_MESH_KEY',
  'THRUM_MESH_PORT',
  'THRUM_MESH_SEEDS',
  'THRUM_METRICS_PORT',
  'THRUM_NODE_NAME',
  'THRUM_NO_SETUP',
  'THRUM_OPEN_TO_ALL',
  'THRUM_ORIGINS',
  'THRUM_PERIOD_MS',
  'THRUM_PORT',
  'THRUM_RETENTION_DAYS',
  'THRUM_STORE',
  'THRUM_STORE_API_KEY',
  'THRUM_STORE_CA',
  'THRUM_STORE_PASSWORD',
  'THRUM_STORE_PREFIX',
  'THRUM_STORE_REPLICAS',
  'THRUM_STORE_USER',
  'THRUM_TOKEN',
]);
