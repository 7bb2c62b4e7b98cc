/** An Elasticsearch of a run's own, that is killed and started again on the same data and port. */
import { startElasticsearch } from '../../infra/elasticsearch/development-server.ts';
import type { Elasticsearch } from '../../infra/elasticsearch/elasticsearch.ts';
import { freePort } from '../../infra/local/ports.ts';

export type ChaosStore = {
  readonly url: string;
  readonly kind: Elasticsearch['kind'];
  pause(): Promise<void>;
  resume(): Promise<void>;
  kill(): Promise<void>;
  /** Resolves when it is healthy again. */
  start(): Promise<void>;
  stop(): Promise<void>;
};

export const startChaosStore = async (dataDirectory: string, heap = '512m'): Promise<ChaosStore> => {
  const port = await freePort();
  const options = { dataDirectory, port, heap };
  let server = await startElasticsearch(options);
  return {
    url: server.url,
    kind: server.kind,
    pause: () => server.pause(),
    resume: () => server.resume(),
    kill: () => server.kill(),
    start: async () => {
      server = await startElasticsearch(options);
    },
    stop: () => server.stop(),
  };
};
