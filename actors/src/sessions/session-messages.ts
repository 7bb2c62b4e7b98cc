/**
 * What web nodes say to each other about sessions, on the endpoint `sessions`, as arrays that begin with a word. Parsed once, here; a message
 * that is anything else is undefined (counted, refused). At most `maxPart` records travel in one.
 *   put      records, for those who may not have them       -> how many were news, how many were refused
 *   revoke   ids the sender does not know and was told to end -> the same
 *   digest   the sender's whole summary                     -> same, or the summary by buckets
 *   pull     buckets, and where to go on                     -> a part of their records, and where to go on
 */
import { bucketCount } from './digest.ts';
import type { BucketHash } from './digest.ts';
import type { Place } from './replica.ts';
import { isSid, packSession, packUser, unpackSession, unpackUser } from './session-record.ts';
import type { Entries } from './session-record.ts';

export const endpoint = 'sessions';
/** About 100 KB. */
export const maxPart = 500;

export type SessionMessage =
  | { kind: 'put'; entries: Entries }
  | { kind: 'revoke'; id: string }
  | { kind: 'digest'; text: string }
  | { kind: 'pull'; buckets: readonly number[]; after: Place | undefined };

const packEntries = ({ sessions, users }: Entries): unknown[] => [sessions.map(packSession), users.map(packUser)];

export const putMessage = (entries: Entries): unknown => ['put', ...packEntries(entries)];
export const revokeMessage = (id: string): unknown => ['revoke', id];
export const digestMessage = (text: string): unknown => ['digest', text];
export const pullMessage = (buckets: readonly number[], after: Place | undefined): unknown => [
  'pull',
  buckets,
  after ?? null,
];

export const putAnswer = (news: number, refused: number): unknown => ['put', news, refused];
export const sameAnswer: unknown = ['same'];
export const bucketsAnswer = (buckets: readonly BucketHash[]): unknown => ['buckets', buckets];
export const partAnswer = (entries: Entries, next: Place | undefined): unknown => [
  'part',
  ...packEntries(entries),
  next ?? null,
];

const isNumber = (value: unknown, below: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < below;

const listOf = <T>(value: unknown, one: (item: unknown) => T | undefined, max: number): T[] | undefined => {
  if (!Array.isArray(value) || value.length > max) return undefined;
  const items: T[] = [];
  for (const item of value) {
    const parsed = one(item);
    if (parsed === undefined) return undefined;
    items.push(parsed);
  }
  return items;
};

const parseEntries = (sessions: unknown, users: unknown): Entries | undefined => {
  const parsed = { sessions: listOf(sessions, unpackSession, maxPart), users: listOf(users, unpackUser, maxPart) };
  return parsed.sessions && parsed.users && { sessions: parsed.sessions, users: parsed.users };
};

/** null: from the beginning, or nothing more. undefined: no place at all. */
const parsePlace = (value: unknown): Place | null | undefined => {
  if (value === null) return null;
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [bucket, key] = value as readonly unknown[];
  return isNumber(bucket, bucketCount) && typeof key === 'string' && key.length <= 500 ? [bucket, key] : undefined;
};

export const parseSessionMessage = (value: unknown): SessionMessage | undefined => {
  if (!Array.isArray(value)) return undefined;
  const [kind, first, second] = value as readonly unknown[];
  switch (kind) {
    case 'put': {
      const entries = parseEntries(first, second);
      return entries && { kind, entries };
    }
    case 'revoke':
      return typeof first === 'string' && isSid(first) ? { kind, id: first } : undefined;
    case 'digest':
      return typeof first === 'string' && first.length < 100 ? { kind, text: first } : undefined;
    case 'pull': {
      const buckets = listOf(first, (one) => (isNumber(one, bucketCount) ? one : undefined), bucketCount);
      const after = parsePlace(second);
      return buckets && after !== undefined ? { kind, buckets, after: after ?? undefined } : undefined;
    }
    default:
      return undefined;
  }
};

export const parsePutAnswer = (value: unknown): { news: number; refused: number } | undefined => {
  if (!Array.isArray(value)) return undefined;
  const [kind, news, refused] = value as readonly unknown[];
  return kind === 'put' && isNumber(news, 1e9) && isNumber(refused, 1e9) ? { news, refused } : undefined;
};

export const parseDigestAnswer = (value: unknown): 'same' | readonly BucketHash[] | undefined => {
  if (!Array.isArray(value)) return undefined;
  const [kind, buckets] = value as readonly unknown[];
  if (kind === 'same') return 'same';
  const toHash = (one: unknown): BucketHash | undefined => {
    const [low, high] = Array.isArray(one) ? (one as readonly unknown[]) : [];
    return isNumber(low, 2 ** 32) && isNumber(high, 2 ** 32) ? [low, high] : undefined;
  };
  return kind === 'buckets' ? listOf(buckets, toHash, bucketCount) : undefined;
};

export const parsePartAnswer = (value: unknown): { entries: Entries; next: Place | undefined } | undefined => {
  if (!Array.isArray(value)) return undefined;
  const [kind, sessions, users, place] = value as readonly unknown[];
  const entries = kind === 'part' ? parseEntries(sessions, users) : undefined;
  const next = parsePlace(place);
  return entries && next !== undefined ? { entries, next: next ?? undefined } : undefined;
};
