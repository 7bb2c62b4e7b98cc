/** What the tests of this room stand on: a web node's HTTP with real sessions and links, and a store of small documents that does what the test says. */
import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { startLinks } from '@thrum/actors/link/links';
import { startSessions } from '@thrum/actors/sessions/sessions';
import { createActorSystem } from '@thrum/actors/system/actor-system';
import { systemClock, type Clock } from '@thrum/actors/system/clock';
import { silentLog, type Log } from '@thrum/actors/system/log';
import type { DocumentValue } from '@thrum/actors/wire/documents';
import type { Refusal } from '@thrum/actors/wire/refusal';
import { createHashing } from './hashing.ts';
import { createHttpApi } from './http-api.ts';
import type { SignInRules } from './rules.ts';
import { startSignIn } from './sign-in.ts';
import type { UserDocuments } from './users.ts';

export const setUpToken = 'T'.repeat(43);
export const password = 'a lovelace of engines';

/** Documents in memory, with versions, that can be away. */
export const documentsInMemory = () => {
  const kept = new Map<string, { version: string; value: DocumentValue }>();
  const state: { away: Refusal | undefined } = { away: undefined };
  let version = 0;
  const at = (collection: string, key: string): string => `${collection}/${key}`;
  // As a store over the network: an answer comes in a later turn.
  const later = <T>(answer: () => T): Promise<T | Refusal> =>
    new Promise((resolve) => setImmediate(() => resolve(state.away ?? answer())));
  const documents: UserDocuments = {
    get: (collection, key) => later(() => ({ ok: true, document: kept.get(at(collection, key)) }) as const),
    list: (collection) =>
      later(
        () =>
          ({
            ok: true,
            documents: [...kept].flatMap(([path, one]) =>
              path.startsWith(`${collection}/`) ? [{ key: path.slice(collection.length + 1), ...one }] : [],
            ),
          }) as const,
      ),
    put: (collection, key, value, ifVersion) =>
      later(() => {
        if ((kept.get(at(collection, key))?.version ?? null) !== ifVersion)
          return { ok: false, reason: 'conflict' } as const;
        version += 1;
        kept.set(at(collection, key), { version: `v${version}`, value });
        return { ok: true, version: `v${version}` } as const;
      }),
    delete: (collection, key, ifVersion) =>
      later(() => {
        if (kept.get(at(collection, key))?.version !== ifVersion) return { ok: false, reason: 'conflict' } as const;
        kept.delete(at(collection, key));
        return { ok: true } as const;
      }),
  };
  return { documents, kept, state };
};

export type DoorOptions = {
  store?: ReturnType<typeof documentsInMemory>;
  rules?: Partial<SignInRules>;
  origins?: readonly string[];
  clock?: Clock;
  log?: Log;
};

export type Answer = { status: number; headers: IncomingHttpHeaders; body: Record<string, unknown> };

export const startDoor = async (t: TestContext, options: DoorOptions = {}) => {
  const system = createActorSystem({ name: 'web', clock: systemClock, log: silentLog });
  const links = await startLinks({
    self: { id: 'web', name: 'web', role: 'web' },
    key: 'key of a scripted door',
    bind: '127.0.0.1',
    port: 0,
    seeds: [],
    system,
  });
  const sessions = await startSessions({ links, system, directory: undefined });
  const store = options.store ?? documentsInMemory();
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLog;
  const signIn = startSignIn({
    documents: store.documents,
    sessions,
    links,
    clock,
    log,
    setUpToken,
    hashing: createHashing({ memoryKib: 64, passes: 1, lanes: 1 }),
    ...(options.rules && { rules: options.rules }),
  });
  const origins = new Set(options.origins);
  const api = createHttpApi({ signIn, sessions, origins, proxies: new Set(), clock, log });
  const http = createServer(api);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(async () => {
    http.closeAllConnections();
    http.close();
    signIn.close();
    await sessions.close();
    await links.close();
    await system.stop();
  });
  const { port } = http.address() as AddressInfo;
  const ask = (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          port,
          host: '127.0.0.1',
          method,
          path: `/api/${path}`,
          headers: { 'content-type': 'application/json', ...headers },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
            }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
    });
  const post = (path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
    ask('POST', path, body ?? {}, headers);
  return { port, ask, post, signIn, sessions, store, http };
};

export const cookieIn = (answer: Answer): string => /^[^;]+/.exec(answer.headers['set-cookie']?.[0] ?? '')?.[0] ?? '';
