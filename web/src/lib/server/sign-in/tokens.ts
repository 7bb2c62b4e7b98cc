/** Words that open a door once: compared and kept by their hash, so that neither time nor the store tells them. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 bits: nobody guesses it in the hour it works. */
const secretBytes = 32;

export const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** Compares in a time that does not depend on where they differ. */
export const isSameHash = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
};

export const isToken = (given: string, expected: string): boolean => isSameHash(hashOf(given), hashOf(expected));

/** A token that says whose password it sets: `<name as base64url>.<secret>`. */
export const makeResetToken = (user: string, random: (bytes: number) => Uint8Array = randomBytes): string =>
  `${Buffer.from(user).toString('base64url')}.${Buffer.from(random(secretBytes)).toString('base64url')}`;

const resetPattern = /^([A-Za-z0-9_-]{1,200})\.[A-Za-z0-9_-]{43}$/;

/** The user named in a reset token; `undefined` for what is none. */
export const userOfResetToken = (token: string): string | undefined => {
  const [, name] = resetPattern.exec(token) ?? [];
  return name === undefined ? undefined : Buffer.from(name, 'base64url').toString('utf8');
};
