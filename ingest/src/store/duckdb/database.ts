/**
 * The DuckDB file: opened once per process, owned by one process, with bounded memory. Everything native runs on DuckDB's own threads
 * through its asynchronous calls.
 */
import { mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { StoreError } from '../store-error.ts';

export type Database = {
  readonly file: string;
  connect(): Promise<DuckDBConnection>;
  /** Closes and opens the file again: the way out after an error that DuckDB itself calls fatal. */
  reopen(): Promise<void>;
  close(): void;
};

/** Raising it makes wide questions faster; the laptop it runs on has other things to do. */
const memoryLimit = '384MB';
const threads = '2';

/**
 * Files open in this process. The lock on the file only keeps other processes out, and closing a second handle would silently drop
 * the lock of the first.
 */
const openFiles = new Set<string>();

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const prepareDirectory = (file: string): string => {
  const directory = path.dirname(file);
  try {
    mkdirSync(directory, { recursive: true });
    return path.join(realpathSync(directory), path.basename(file));
  } catch (error) {
    throw new StoreError(
      'directory',
      `The directory ${directory} of the store cannot be made or read (${message(error)}): choose another in THRUM_STORE or give permission.`,
      error,
    );
  }
};

const openInstance = async (file: string): Promise<DuckDBInstance> => {
  try {
    return await DuckDBInstance.create(file, { memory_limit: memoryLimit, threads });
  } catch (error) {
    const text = message(error);
    const owner = /\(PID (\d+)\)/.exec(text)?.[1];
    if (text.includes('Conflicting lock') || text.includes('Could not set lock'))
      throw new StoreError(
        'in-use',
        `The store ${file} is in use by another process${owner === undefined ? '' : ` (PID ${owner})`}: one ingest node owns a DuckDB file. Stop the other one, or give this node another file or Elasticsearch.`,
        error,
      );
    if (text.includes('not a valid DuckDB'))
      throw new StoreError(
        'not-a-store',
        `The file ${file} is not a DuckDB file: choose another in THRUM_STORE.`,
        error,
      );
    throw new StoreError(
      'directory',
      `The store ${file} cannot be opened (${text.split('\n')[0] ?? ''}): choose another file in THRUM_STORE or give permission.`,
      error,
    );
  }
};

/** Opens or makes the file. Throws a `StoreError` that says who has it or what is wrong with it. */
export const openDatabase = async (at: string): Promise<Database> => {
  if (at === '')
    throw new StoreError('bad-url', 'The store has no file: write duckdb:PATH, such as duckdb:data/thrum.duckdb.');
  const file = prepareDirectory(path.resolve(at));
  if (openFiles.has(file)) throw new StoreError('in-use', `The store ${file} is already open in this process.`);
  openFiles.add(file);
  let instance: DuckDBInstance;
  try {
    instance = await openInstance(file);
  } catch (error) {
    openFiles.delete(file);
    throw error;
  }
  return {
    file,
    connect: () => instance.connect(),
    reopen: async () => {
      instance.closeSync();
      instance = await openInstance(file);
    },
    close: () => {
      instance.closeSync();
      openFiles.delete(file);
    },
  };
};
