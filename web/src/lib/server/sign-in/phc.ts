/**
 * How a hashed password is written down: the PHC string `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`. The parameters stand in it, so that they can
 * grow later: a string with smaller ones is still verified, and made anew at the next sign-in.
 */
export type HashParameters = { readonly memoryKib: number; readonly passes: number; readonly lanes: number };
export type StoredHash = HashParameters & { readonly salt: Buffer; readonly hash: Buffer };

/** Raising memory or passes makes guessing a stolen hash dearer, and every sign-in: 19 MiB and two passes cost about 50 ms and 19 MiB. */
export const presentParameters: HashParameters = { memoryKib: 19_456, passes: 2, lanes: 1 };

/** A document may have been tampered with: a hash that would take a gigabyte or an hour is refused, not computed. */
const most: HashParameters = { memoryKib: 262_144, passes: 16, lanes: 4 };

const pattern =
  /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

export const writePhc = (stored: StoredHash): string =>
  `$argon2id$v=19$m=${stored.memoryKib},t=${stored.passes},p=${stored.lanes}$${unpadded(stored.salt)}$${unpadded(stored.hash)}`;

/** `undefined` for anything that is not such a string within bounds. */
export const readPhc = (text: string): StoredHash | undefined => {
  const [, memory, passes, lanes, salt, hash] = pattern.exec(text) ?? [];
  if (salt === undefined || hash === undefined) return undefined;
  const stored = {
    memoryKib: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
  const isTooLarge = stored.memoryKib > most.memoryKib || stored.passes > most.passes || stored.lanes > most.lanes;
  const isTooSmall = stored.lanes < 1 || stored.passes < 1 || stored.memoryKib < 8 * stored.lanes;
  return isTooLarge || isTooSmall ? undefined : stored;
};

/** True when the string was made with less than what is used now. */
export const isOutdated = (stored: HashParameters, present: HashParameters = presentParameters): boolean =>
  stored.memoryKib < present.memoryKib || stored.passes < present.passes || stored.lanes < present.lanes;
