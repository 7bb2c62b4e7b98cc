/** `node infra/elasticsearch/start.ts [--port 9200] [--data DIR] [--heap 1g]`: runs the development Elasticsearch until a signal. */
import { parseArgs } from 'node:util';
import { createLog } from '@thrum/actors/system/log';
import { startElasticsearch } from './development-server.ts';

const log = createLog({ name: 'elasticsearch' });
try {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9200' },
      data: { type: 'string' },
      heap: { type: 'string', default: '1g' },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port ${values.port} is not a port (0 to 65535)`);
  const server = await startElasticsearch({
    port,
    heap: values.heap,
    log,
    ...(values.data === undefined ? {} : { dataDirectory: values.data }),
  });
  console.log(JSON.stringify({ ready: 'elasticsearch', url: server.url, pid: server.pid, kind: server.kind }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      void server.stop().then(() => process.exit(0));
    });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(2);
}
