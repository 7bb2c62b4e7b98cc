/**
 * What is kept of a session, told to other nodes and written to disk. The sid itself is in none of it: whoever reads the disk, the log or the
 * mesh cannot use what he finds. Fields but `revoked`, `expiresMs` and `lastUseMs` never change after creation.
 */
import { hash } from 'node:crypto';

export type Session = {
  /** SHA-256 of the sid, base64url; safe to log. */
  readonly id: string;
  readonly user: string;
  readonly generation: number;
  readonly createdMs: number;
  /** Absolute, never changes. */
  readonly expiresMs: number;
};

export type SessionRecord = Session & {
  /** The last use that was told to others; this node may know of a later one. */
  readonly lastUseMs: number;
  readonly revoked: boolean;
};

/** Sessions of `user` with a generation smaller than this are dead. */
export type UserGeneration = { readonly user: string; readonly generation: number };

export type Entries = { readonly sessions: readonly SessionRecord[]; readonly users: readonly UserGeneration[] };

export const noEntries: Entries = { sessions: [], users: [] };

const sidPattern = /^[A-Za-z0-9_-]{43}$/;
export const sidBytes = 32;
const maxUserChars = 200;
const maxGeneration = 1_000_000_000;

export const isSid = (text: string): boolean => sidPattern.test(text);
export const idOf = (sid: string): string => hash('sha256', sid, 'base64url');

const isId = (value: unknown): value is string => typeof value === 'string' && sidPattern.test(value);
export const isUser = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= maxUserChars;
const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
export const isGeneration = (value: unknown): value is number => isTime(value) && value <= maxGeneration;

/** The form on the wire and on disk. */
export type PackedSession = readonly [string, string, number, number, number, number, number];
export type PackedUser = readonly [string, number];

export const packSession = (one: SessionRecord): PackedSession => [
  ...([one.id, one.user, one.generation, one.createdMs, one.expiresMs, one.lastUseMs] as const),
  one.revoked ? 1 : 0,
];
export const packUser = (one: UserGeneration): PackedUser => [one.user, one.generation];

/** undefined: not what a node of ours writes. */
export const unpackSession = (value: unknown): SessionRecord | undefined => {
  if (!Array.isArray(value) || value.length !== 7) return undefined;
  const [id, user, generation, createdMs, expiresMs, lastUseMs, revoked] = value as readonly unknown[];
  if (!isId(id) || !isUser(user) || !isGeneration(generation)) return undefined;
  if (!isTime(createdMs) || !isTime(expiresMs) || !isTime(lastUseMs) || createdMs > expiresMs) return undefined;
  if (revoked !== 0 && revoked !== 1) return undefined;
  return {
    id,
    user,
    generation,
    createdMs,
    expiresMs,
    lastUseMs: Math.min(lastUseMs, expiresMs),
    revoked: revoked === 1,
  };
};

export const unpackUser = (value: unknown): UserGeneration | undefined => {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [user, generation] = value as readonly unknown[];
  return isUser(user) && isGeneration(generation) ? { user, generation } : undefined;
};

/** What others may know of it: without how it was used and whether it ended. */
export const sessionOf = ({ id, user, generation, createdMs, expiresMs }: SessionRecord): Session => ({
  ...{ id, user, generation, createdMs, expiresMs },
});
