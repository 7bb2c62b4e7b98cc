/**
 * One process per directory: whoever listens on the socket `lock` in it owns it. The system takes the listener away with its process,
 * so a crash leaves nothing but a dead file, which is told from a living owner by knocking. Works across containers that share it.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, renameSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';

export type LockOutcome =
  | { readonly ok: true; release(): Promise<void> }
  /** Another process has it: its id, or 0 when it is alive but mute. */
  | { readonly ok: false; readonly pid: number };

const knockMs = 1000;
const maxTries = 3;

/** A socket's path may have 107 bytes; below the descriptor of its directory it is short. */
const shortPath = (directory: string, descriptor: number | undefined): string =>
  descriptor === undefined ? join(directory, 'lock') : `/proc/self/fd/${descriptor}/lock`;

const pipeName = (directory: string): string =>
  `\\\\.\\pipe\\thrum-${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;

/** The process id of the owner, `0` when it is alive but mute, `undefined` when nobody listens there. */
const knock = (path: string): Promise<number | undefined> =>
  new Promise((resolve) => {
    let said = '';
    const socket = createConnection(path);
    socket.setTimeout(knockMs, () => socket.destroy());
    socket.on('data', (data: Buffer) => {
      said += data.toString();
    });
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(Number.parseInt(said, 10) || 0));
  });

const listen = (path: string): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(`${process.pid}\n`);
    });
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => resolve(server.unref()));
  });

/** The living owner, or undefined once a dead socket is out of the way. */
const ownerOf = async (path: string): Promise<number | undefined> => {
  const owner = await knock(path);
  if (owner !== undefined) return owner;
  // Aside first: another process that starts at this moment may have put a living one in its place.
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return undefined; // the other one was quicker
  }
  const alive = await knock(aside);
  if (alive === undefined) unlinkSync(aside);
  else renameSync(aside, path);
  return alive;
};

/** Throws when the directory takes no socket. */
export const lockDirectory = async (directory: string): Promise<LockOutcome> => {
  const isLinux = process.platform === 'linux';
  const descriptor = isLinux ? openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY) : undefined;
  const path = process.platform === 'win32' ? pipeName(directory) : shortPath(directory, descriptor);
  const end = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
  };
  const release = (server: Server) => (): Promise<void> =>
    new Promise((resolve) =>
      server.close(() => {
        end();
        resolve();
      }),
    );
  try {
    for (let tries = 0; tries < maxTries; tries += 1) {
      const server = await listen(path);
      if (server) return { ok: true, release: release(server) };
      const pid = await ownerOf(path);
      if (pid === undefined) continue;
      end();
      return { ok: false, pid };
    }
  } catch (error) {
    end();
    throw error;
  }
  end();
  return { ok: false, pid: 0 };
};
