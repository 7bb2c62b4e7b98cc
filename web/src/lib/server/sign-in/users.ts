/**
 * Users as documents in the store. All of them are administrators in this first form.
 *
 * The first user is claimed by one document that must not exist yet and holds the whole user: of two racing set-ups one wins, and when the
 * node dies before the user's own document is written, the next look at the users finishes it. Nothing can leave the installation without a
 * user and without a way to make one.
 */
import { z } from 'zod';
import type { Clock } from '@thrum/actors/system/clock';
import type { DeleteOutcome, DocumentValue, GetOutcome, ListOutcome, PutOutcome } from '@thrum/actors/wire/documents';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import { rules, signInLimits, type SignInRules } from './rules.ts';
import { hashOf, isSameHash } from './tokens.ts';

/** What the store offers, however it is reached. */
export type UserDocuments = {
  get(collection: string, key: string): Promise<GetOutcome>;
  put(collection: string, key: string, value: DocumentValue, ifVersion: string | null): Promise<PutOutcome>;
  delete(collection: string, key: string, ifVersion: string): Promise<DeleteOutcome>;
  list(collection: string): Promise<ListOutcome>;
};

const userSchema = z.object({
  name: z.string().min(1).max(100),
  /** PHC string; empty for who never had a password, which no password matches. */
  password: z.string().max(500),
  /** Grows with every new password: sessions of a smaller one have ended. */
  generation: z.int().nonnegative(),
  createdMs: z.number(),
});
const resetSchema = z.object({ hash: z.string().max(100), expiresMs: z.number(), generation: z.int() });
const firstSchema = z.object({ user: userSchema });

export type User = z.infer<typeof userSchema>;
export type StoredUser = User & { readonly version: string };

const collections = { users: 'users', resets: 'password-resets', installation: 'installation' } as const;
const firstUser = 'first-user';

export type Users = {
  find(key: string): Promise<{ ok: true; user: StoredUser | undefined } | Refusal>;
  all(): Promise<{ ok: true; users: readonly User[] } | Refusal>;
  /** The first user; `bad-link` when there is one already. */
  createFirst(name: string, password: string): Promise<{ ok: true; user: User } | Refusal>;
  /** A user who has no password yet and gets one by a link. */
  add(name: string): Promise<{ ok: true; user: User } | Refusal>;
  /** The last one stays. To end the sessions is the caller's. */
  remove(user: StoredUser): Promise<{ ok: true } | Refusal>;
  /** Better parameters of the same password. Whether it worked does not matter. */
  rehash(user: StoredUser, password: string): Promise<void>;
  /** Notes that whoever shows a token of this hash may set the password of that user. */
  offerReset(user: User, tokenHash: string): Promise<{ ok: true } | Refusal>;
  /** Whether that token works now. Changes nothing. */
  checkReset(key: string, token: string): Promise<{ ok: true } | Refusal>;
  /** Uses the token up and sets the password; the user with the new generation. */
  reset(key: string, token: string, password: string): Promise<{ ok: true; user: User } | Refusal>;
};

const badLink = (): Refusal => refuse('bad-link', 'This link was used, is too old, or was never given out.');
const setUpDone = (): Refusal => refuse('bad-link', 'Thrum has been set up already: sign in, or ask who did it.');
const raced = (): Refusal => refuse('try-later', 'Somebody else changed this user at the same moment: try again.');
const spoiled = (key: string): Refusal =>
  refuse('try-later', `The document of the user ${key} in the store is not readable.`);

export const createUsers = (options: {
  documents: UserDocuments;
  clock: Clock;
  rules?: Partial<SignInRules>;
}): Users => {
  const { documents, clock } = options;
  const use = { ...rules, ...options.rules };

  const find: Users['find'] = async (key) => {
    const got = await documents.get(collections.users, key);
    if (!got.ok) return got;
    if (!got.document) return { ok: true, user: undefined };
    const parsed = userSchema.safeParse(got.document.value);
    return parsed.success ? { ok: true, user: { ...parsed.data, version: got.document.version } } : spoiled(key);
  };

  /** Writes the document of a user who was claimed as the first and whose own document is missing. */
  const finishFirst = async (): Promise<{ ok: true; users: readonly User[] } | Refusal> => {
    const got = await documents.get(collections.installation, firstUser);
    if (!got.ok) return got;
    const parsed = firstSchema.safeParse(got.document?.value);
    if (!got.document || !parsed.success) return { ok: true, users: [] };
    const { user } = parsed.data;
    const put = await documents.put(collections.users, user.name, user, null);
    if (!put.ok && 'code' in put) return put;
    // The hash has its home now; a copy would outlive the password. If this fails, the next set-up question does it.
    await documents.put(collections.installation, firstUser, { name: user.name }, got.document.version);
    return { ok: true, users: [user] };
  };

  const all: Users['all'] = async () => {
    const listed = await documents.list(collections.users);
    if (!listed.ok) return listed;
    const users = listed.documents.flatMap(({ value }) => {
      const parsed = userSchema.safeParse(value);
      return parsed.success ? [parsed.data] : [];
    });
    // A document that cannot be read is a user all the same: it must not open the installation to whoever has a link.
    return listed.documents.length === 0 ? finishFirst() : { ok: true, users };
  };

  const readReset = async (
    key: string,
    token: string,
  ): Promise<{ ok: true; user: StoredUser; version: string } | Refusal> => {
    const [got, found] = await Promise.all([documents.get(collections.resets, key), find(key)]);
    if (!got.ok) return got;
    if (!found.ok) return found;
    const parsed = resetSchema.safeParse(got.document?.value);
    if (!got.document || !parsed.success || !found.user) return badLink();
    const isIts = isSameHash(parsed.data.hash, hashOf(token));
    return isIts && use.isResetValid(parsed.data, found.user, clock.wallMs())
      ? { ok: true, user: found.user, version: got.document.version }
      : badLink();
  };

  return {
    find,
    all,
    createFirst: async (name, password) => {
      const known = await all();
      if (!known.ok) return known;
      if (!use.maySetUp(known.users.length)) return setUpDone();
      const createdMs = clock.wallMs();
      const user: User = { name, password, generation: use.nextGeneration(0, createdMs), createdMs };
      const claimed = await documents.put(collections.installation, firstUser, { user }, null);
      if (!claimed.ok) return 'code' in claimed ? claimed : setUpDone();
      const finished = await finishFirst();
      return finished.ok ? { ok: true, user } : finished;
    },
    add: async (name) => {
      const createdMs = clock.wallMs();
      const user: User = { name, password: '', generation: use.nextGeneration(0, createdMs), createdMs };
      const put = await documents.put(collections.users, name, user, null);
      if (put.ok) return { ok: true, user };
      return 'code' in put ? put : refuse('bad-question', `There is a user called ${name} already.`);
    },
    remove: async (user) => {
      const known = await all();
      if (!known.ok) return known;
      if (use.maySetUp(known.users.length - 1))
        return refuse('bad-question', `${user.name} is the only user: add another one first.`);
      const gone = await documents.delete(collections.users, user.name, user.version);
      if (gone.ok) return { ok: true };
      return 'code' in gone ? gone : raced();
    },
    rehash: async ({ version, ...user }, password) => {
      await documents.put(collections.users, user.name, { ...user, password }, version);
    },
    offerReset: async (user, tokenHash) => {
      const before = await documents.get(collections.resets, user.name);
      if (!before.ok) return before;
      const value = {
        hash: tokenHash,
        expiresMs: clock.wallMs() + signInLimits.resetMs,
        generation: user.generation,
      };
      const put = await documents.put(collections.resets, user.name, value, before.document?.version ?? null);
      if (put.ok) return { ok: true };
      return 'code' in put ? put : raced();
    },
    checkReset: async (key, token) => {
      const read = await readReset(key, token);
      return read.ok ? { ok: true } : read;
    },
    reset: async (key, token, password) => {
      const read = await readReset(key, token);
      if (!read.ok) return read;
      // First the link is used up: of two who have it only one goes on.
      const used = await documents.delete(collections.resets, key, read.version);
      if (!used.ok) return 'code' in used ? used : badLink();
      const { version, ...user } = read.user;
      const renewed = { ...user, password, generation: use.nextGeneration(user.generation, clock.wallMs()) };
      const put = await documents.put(collections.users, key, renewed, version);
      if (put.ok) return { ok: true, user: renewed };
      return 'code' in put ? put : raced();
    },
  };
};
