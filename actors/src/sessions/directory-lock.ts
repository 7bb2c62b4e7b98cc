/**
 * One process per directory: whoever listens on the socket `lock` in it owns it. The system takes the listener away with its process, so
 * a crash leaves a dead file, which is told from a living owner by knocking.
 */
import { closeSync, constants, openSync, renameSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';

export type LockOutcome = { ok: true; release: () => Promise<void> } | { ok: false };

const knockMs = 1000;

const listen = (path: string): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.destroy();
    });
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => resolve(server.unref()));
  });

const isAlive = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(path, () => {
      resolve(true);
      socket.destroy();
    });
    socket.setTimeout(knockMs, () => {
      resolve(true); // somebody listens, if only slowly
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });

/** Takes a dead socket out of the way. Aside first: another process that starts at this moment may have put a living one in its place. */
const clearDead = async (path: string): Promise<boolean> => {
  if (await isAlive(path)) return false;
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return true; // the other one was quicker
  }
  if (await isAlive(aside)) {
    renameSync(aside, path);
    return false;
  }
  unlinkSync(aside);
  return true;
};

/** Not ok: another process has it. Throws when the directory takes no socket. */
export const lockDirectory = async (directory: string): Promise<LockOutcome> => {
  // A file there cannot be a socket, and nobody runs servers on it but to try them.
  if (process.platform === 'win32') return { ok: true, release: () => Promise.resolve() };
  // A socket's path may have 107 bytes; below the descriptor of its directory it is short.
  const isLinux = process.platform === 'linux';
  const descriptor = isLinux ? openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY) : undefined;
  const path = descriptor === undefined ? join(directory, 'lock') : `/proc/self/fd/${descriptor}/lock`;
  const end = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
  };
  try {
    for (let tries = 0; tries < 3; tries += 1) {
      const server = await listen(path);
      if (server)
        return {
          ok: true,
          release: () =>
            new Promise((resolve) =>
              server.close(() => {
                end();
                resolve();
              }),
            ),
        };
      if (!(await clearDead(path))) break;
    }
  } catch (error) {
    end();
    throw error;
  }
  end();
  return { ok: false };
};
