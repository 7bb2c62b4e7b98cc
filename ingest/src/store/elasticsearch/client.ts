/**
 * The one door to Elasticsearch: the official client, asked for plain requests. Every outcome is returned, never thrown: an answer with
 * its status (errors included), or none. Without an answer nobody knows whether the server did what it was asked to.
 * Retrying is decided by who asks; the client does none.
 */
import { readFileSync } from 'node:fs';
import { Client, errors } from '@elastic/elasticsearch';
import { withoutPasswords } from '@thrum/actors/system/without-passwords';
import { StoreError } from '../store-error.ts';
import type { StoreOptions } from '../store.ts';

export type Reply =
  | { readonly ok: true; readonly status: number; readonly body: unknown }
  | { readonly ok: false; readonly reason: 'unreachable' | 'timeout'; readonly detail: string };

export type Ask = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object;
  /** Lines of a bulk; sent as they are. */
  readonly lines?: Buffer;
  readonly timeoutMs: number;
};

export type ElasticsearchClient = {
  readonly urls: readonly string[];
  request(ask: Ask): Promise<Reply>;
  close(): Promise<void>;
};

const isLoopback = (url: string): boolean => /^https?:\/\/(127\.|localhost[:/]|localhost$|\[::1\])/.test(url);

const parseUrls = (url: string): string[] => {
  const urls = url
    .replace(/^elasticsearch:/, '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  urls.forEach((one, i) => {
    if (URL.canParse(one) && /^https?:$/.test(new URL(one).protocol)) return;
    // Where users are named nothing is repeated: a password that broke the address may stand in any part of it.
    const which = url.includes('@') ? `number ${i + 1}` : `"${one}"`;
    throw new StoreError(
      'bad-url',
      `The store address ${which} is no URL: write elasticsearch:http://HOST:9200[,URL...].`,
    );
  });
  if (urls.length === 0)
    throw new StoreError('bad-url', 'The store has no address: write elasticsearch:http://HOST:9200[,URL...].');
  return urls;
};

const readCa = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new StoreError(
      'ca-file',
      `The certificate file "${file}" of the store cannot be read (see THRUM_STORE_CA).`,
      error,
    );
  }
};

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return withoutPasswords(`${error.name}: ${error.message}`.split('\n')[0] ?? error.name).slice(0, 300);
};

/** Throws a `StoreError` for an address or a certificate file of no use; connecting happens at the first request. */
export const createElasticsearchClient = (options: StoreOptions): ElasticsearchClient => {
  const urls = parseUrls(options.url);
  const auth =
    options.apiKey !== undefined && options.apiKey !== ''
      ? { apiKey: options.apiKey }
      : options.user !== undefined && options.user !== ''
        ? { username: options.user, password: options.password ?? '' }
        : undefined;
  const client = new Client({
    nodes: urls,
    ...(auth ? { auth } : {}),
    ...(options.caFile !== undefined && options.caFile !== '' ? { tls: { ca: readCa(options.caFile) } } : {}),
    // gzip costs CPU here and there, and saves only what a real network would charge for
    compression: !urls.every(isLoopback),
    // Its errors would hold a copy of the whole request without the secrets in it, made byte by byte: of a bulk of 3 MiB that took 400 ms and
    // 200 MB, each time the server did not answer. No error leaves this file, so there is nothing to be hidden.
    redaction: { type: 'off' },
    maxRetries: 0,
    sniffOnStart: false,
  });
  const request = async (ask: Ask): Promise<Reply> => {
    try {
      const answer = await client.transport.request(
        {
          method: ask.method,
          path: ask.path,
          ...(ask.query ? { querystring: ask.query } : {}),
          ...(ask.lines ? { bulkBody: ask.lines } : ask.body ? { body: ask.body } : {}),
        },
        { meta: true, maxRetries: 0, requestTimeout: ask.timeoutMs },
      );
      return { ok: true, status: answer.statusCode, body: answer.body };
    } catch (error) {
      if (error instanceof errors.ResponseError && error.statusCode !== undefined)
        return { ok: true, status: error.statusCode, body: error.body };
      const timedOut = error instanceof errors.TimeoutError;
      return { ok: false, reason: timedOut ? 'timeout' : 'unreachable', detail: describe(error) };
    }
  };
  return { urls, request, close: () => client.close() };
};

/** The reason in the body of an error answer, for people. */
export const reasonOf = (reply: Reply): string => {
  if (!reply.ok) return reply.detail;
  const { error } = (reply.body ?? {}) as { error?: { type?: string; reason?: string } | string };
  if (typeof error === 'string') return `status ${reply.status}: ${error}`.slice(0, 300);
  return `status ${reply.status}: ${error?.type ?? ''} ${error?.reason ?? ''}`.trim().slice(0, 300);
};

/** The type of the error in the body of an answer; empty when there is none. */
export const errorTypeOf = (reply: Reply): string => {
  const { error } = (reply.ok && typeof reply.body === 'object' ? (reply.body ?? {}) : {}) as {
    error?: { type?: string };
  };
  return error?.type ?? '';
};
