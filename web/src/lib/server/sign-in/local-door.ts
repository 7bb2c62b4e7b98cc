/**
 * A door for who administers this machine: a Unix socket in the data directory, speaking HTTP. Whoever may open it is trusted; that is the directory's and
 * the socket's permissions to say (0700, 0600), not a password: it exists for when the password is lost.
 */
import { chmodSync, closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Sessions } from '@thrum/actors/sessions/sessions';
import type { Clock } from '@thrum/actors/system/clock';
import type { Log } from '@thrum/actors/system/log';
import { refuse } from '@thrum/actors/wire/refusal';
import { doorSocketName, userQuestionSchema, type DoorAnswer } from '@thrum/actors/wire/local-door';
import { readJson } from './body.ts';
import { nameHelp, userKey } from './credentials.ts';
import { rules, signInLimits } from './rules.ts';
import { hashOf, makeResetToken } from './tokens.ts';
import type { User, Users } from './users.ts';

/** The path of a Unix socket fits in about 107 bytes; a longer one is reached by way of the open directory. */
const maxPathBytes = 100;

export class LocalDoorError extends Error {
  readonly code = 'local-door';
}

const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

export type LocalDoorOptions = {
  directory: string;
  users: Pick<Users, 'find' | 'all' | 'add' | 'remove' | 'offerReset'>;
  sessions: Pick<Sessions, 'ofUser' | 'endBefore'>;
  /** Where people reach the dashboard, without a slash at its end. */
  dashboardUrl: string;
  clock: Clock;
  log: Log;
};

/** Throws a `LocalDoorError` when the directory cannot be used or another web node uses it. Resolves with how to close it. */
export const openLocalDoor = async (options: LocalDoorOptions): Promise<() => Promise<void>> => {
  const { directory, users, sessions, clock, log } = options;
  const offerLink = async (user: User): Promise<DoorAnswer> => {
    const token = makeResetToken(user.name);
    const offered = await users.offerReset(user, hashOf(token));
    if (!offered.ok) return offered;
    log.warn({ user: user.name }, 'a link to set a new password was made on this machine');
    return { ok: true, link: `${options.dashboardUrl}/set-up#${token}`, worksForMs: signInLimits.resetMs };
  };
  const add = async (name: string): Promise<DoorAnswer> => {
    const added = await users.add(name);
    return added.ok ? offerLink(added.user) : added;
  };
  const answer = async (request: IncomingMessage): Promise<DoorAnswer> => {
    if (request.method === 'GET' && request.url === '/users') {
      const known = await users.all();
      if (!known.ok) return known;
      return {
        ok: true,
        users: known.users.map(({ name, createdMs }) => ({ name, createdMs, sessions: sessions.ofUser(name).length })),
      };
    }
    const verb = request.method === 'POST' ? /^\/users\/(add|reset|remove)$/.exec(request.url ?? '')?.[1] : undefined;
    if (verb === undefined) return refuse('malformed', 'there are GET /users and POST /users/add, reset and remove');
    const body = await readJson(request, clock);
    const parsed = body.ok ? userQuestionSchema.safeParse(body.value) : undefined;
    if (!parsed?.success) return refuse('malformed', 'the body names no user');
    const key = userKey(parsed.data.name);
    if (verb === 'add') return key === undefined ? refuse('bad-question', nameHelp) : add(key);
    const found = key === undefined ? ({ ok: true, user: undefined } as const) : await users.find(key);
    if (!found.ok) return found;
    const { user } = found;
    if (!user) return refuse('bad-question', `There is no user called ${parsed.data.name}.`);
    if (verb === 'reset') return offerLink(user);
    const removed = await users.remove(user);
    if (!removed.ok) return removed;
    await sessions.endBefore(user.name, rules.nextGeneration(user.generation, clock.wallMs()));
    log.warn({ user: user.name }, 'a user was removed on this machine; all their sessions end');
    return { ok: true, removed: user.name };
  };

  const respond = (response: ServerResponse, status: number, body: DoorAnswer): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    answer(request).then(
      (body) => respond(response, body.ok ? 200 : 400, body),
      (error: unknown) => {
        log.error({ error }, 'a request at the local door failed');
        respond(response, 500, refuse('try-later', 'it failed on the web node; its log says why'));
      },
    );
  });

  const path = join(directory, doorSocketName);
  let handle: number | undefined;
  const shut = (): void => {
    if (handle !== undefined) closeSync(handle);
    handle = undefined;
  };
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    if (Buffer.byteLength(path) > maxPathBytes)
      handle = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    const reached = handle === undefined ? path : `/proc/self/fd/${handle}/${doorSocketName}`;
    if (await isAnswered(reached))
      throw new LocalDoorError(`${path} is in use: another web node has this data directory; give each its own.`);
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(reached, resolve);
    });
    chmodSync(path, 0o600);
  } catch (error) {
    shut();
    if (error instanceof LocalDoorError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new LocalDoorError(`THRUM_DATA: ${directory} cannot be used: make it writable for this user (${why})`, {
      cause: error,
    });
  }
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    shut();
  };
};
