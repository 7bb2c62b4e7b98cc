/** Settings of the launchers, each an option and an environment variable like those of every program. */
import { choice, directory, integer, port, text, url } from '@thrum/actors/system/settings';

export const startSettings = {
  port: port({ default: 7070, help: 'port of the dashboard' }),
  data: directory({ default: '.thrum', help: 'directory in which everything is kept' }),
  ingestPort: port({ default: 7071, help: 'port that agents connect to' }),
  ingestBind: text({ default: '127.0.0.1', help: 'address that agents of other hosts reach; 0.0.0.0 for all' }),
  meshPort: port({ default: 7072, help: 'port of the first node in the mesh; the next node has the next one' }),
  metricsPort: port({ default: 7079, help: "port of the agent's own /metrics" }),
  store: text({
    default: undefined,
    help: 'duckdb:PATH or elasticsearch:URL; without it DuckDB in the data directory',
  }),
};

export const meshSettings = {
  ingest: integer({ default: 2, min: 1, max: 20, help: 'ingest nodes' }),
  web: integer({ default: 2, min: 1, max: 20, help: 'web nodes' }),
  agents: integer({ default: 3, min: 0, max: 200, help: 'agents, each with a host of its own' }),
  port: port({ default: 7070, help: 'port of the dashboard at the balancer' }),
  ingestPort: port({ default: 7071, help: 'port that agents connect to at the balancer' }),
  data: directory({ default: '.thrum/mesh', help: 'directory in which everything is kept' }),
  elasticsearch: url({
    default: undefined,
    help: 'an Elasticsearch to use; without it a development server is started',
  }),
  balancer: choice(['yes', 'no'], { default: 'yes', help: 'HAProxy in front of both kinds of nodes' }),
};
