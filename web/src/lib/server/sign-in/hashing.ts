/**
 * Hashes and verifies passwords with Node's own argon2id. Each run takes its memory and a thread for about 50 ms, so at most two run at a time and a
 * few wait; beyond that the answer is "no room", before anything was computed. Whoever asks for a user who does not exist pays the same.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { isOutdated, presentParameters, readPhc, writePhc, type HashParameters } from './phc.ts';

export const hashingLimits = {
  /** Raising it signs more people in at once and costs 19 MiB and a thread of the pool (there are four) each. */
  maxRunning: 2,
  /** About half a second of waiting for the last one. */
  maxWaiting: 16,
} as const;

const saltBytes = 16;
const hashBytes = 32;

export type Verdict = { readonly ok: true; readonly matches: boolean; readonly outdated: boolean };
export type NoRoom = { readonly ok: false; readonly reason: 'no-room' };

export type Hashing = {
  hash(password: string): Promise<{ readonly ok: true; readonly phc: string } | NoRoom>;
  /** `phc` undefined: there is no such user; the answer is no, after the same work. */
  verify(password: string, phc: string | undefined): Promise<Verdict | NoRoom>;
  counters(): Record<string, number>;
};

const derive = (password: string, salt: Buffer, parameters: HashParameters, length: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const { memoryKib: memory, passes, lanes: parallelism } = parameters;
    // The same letters may be typed as different code points on different keyboards.
    const options = { message: password.normalize('NFC'), nonce: salt, memory, passes, parallelism, tagLength: length };
    argon2('argon2id', options, (error, key) => (error ? reject(error) : resolve(key)));
  });

/** Runs jobs, `maxRunning` at a time, in the order they came. `undefined`: there was no room. */
export const createQueue = ({ maxRunning, maxWaiting }: { maxRunning: number; maxWaiting: number }) => {
  let running = 0;
  let refused = 0;
  const waiting: (() => void)[] = [];
  return {
    refused: (): number => refused,
    waiting: (): number => waiting.length,
    run: async <T>(job: () => Promise<T>): Promise<{ value: T } | undefined> => {
      if (running >= maxRunning) {
        if (waiting.length >= maxWaiting) {
          refused += 1;
          return undefined;
        }
        await new Promise<void>((go) => waiting.push(go));
      } else running += 1;
      try {
        return { value: await job() };
      } finally {
        // The place is handed on, so that nobody who comes now overtakes who waits.
        const next = waiting.shift();
        if (next) next();
        else running -= 1;
      }
    },
  };
};

export const createHashing = (parameters: HashParameters = presentParameters): Hashing => {
  const queue = createQueue(hashingLimits);
  const nobody = { ...parameters, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) };
  let hashed = 0;
  return {
    hash: async (password) => {
      const salt = randomBytes(saltBytes);
      const done = await queue.run(() => derive(password, salt, parameters, hashBytes));
      if (!done) return { ok: false, reason: 'no-room' };
      hashed += 1;
      return { ok: true, phc: writePhc({ ...parameters, salt, hash: done.value }) };
    },
    verify: async (password, phc) => {
      const known = phc === undefined ? undefined : readPhc(phc);
      const stored = known ?? nobody;
      const done = await queue.run(() => derive(password, stored.salt, stored, stored.hash.length));
      if (!done) return { ok: false, reason: 'no-room' };
      hashed += 1;
      const equal = timingSafeEqual(done.value, stored.hash);
      return { ok: true, matches: equal && known !== undefined, outdated: isOutdated(stored, parameters) };
    },
    counters: () => ({ passwordsHashed: hashed, hashesRefused: queue.refused(), hashesWaiting: queue.waiting() }),
  };
};
