/** Which store an address means. Each is loaded only where it is used: either brings many megabytes with it. */
import { StoreError } from './store-error.ts';
import type { Store, StoreOptions } from './store.ts';

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
    // No more of it than the kind: an address may hold a password.
    `The kind of store "${at < 0 ? options.url : kind}" is unknown: write duckdb:PATH or elasticsearch:URL[,URL...].`,
  );
};
