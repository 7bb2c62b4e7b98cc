/** Opens the store that a setting names. The only place that knows which stores exist. */
import { StoreError, type Store, type StoreOptions } from './store.ts';

/**
 * Opens `duckdb:PATH` or `elasticsearch:URL[,URL...]`. Never fails because Elasticsearch is away: it keeps trying and says so in its
 * health. Throws a `StoreError` when the address, the file or its directory is of no use.
 */
export const openStore = async (options: StoreOptions): Promise<Store> => {
  const at = options.url.indexOf(':');
  const kind = options.url.slice(0, Math.max(at, 0));
  if (kind === 'duckdb') return (await import('./duckdb/duckdb-store.ts')).openDuckdbStore(options);
  if (kind === 'elasticsearch')
    return (await import('./elasticsearch/elasticsearch-store.ts')).openElasticsearchStore(options);
  throw new StoreError(
    'bad-url',
    `The store "${options.url}" is unknown: write duckdb:PATH or elasticsearch:URL[,URL...].`,
  );
};
