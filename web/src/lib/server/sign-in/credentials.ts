/**
 * What a name and a new password must look like. Long passwords are good, rules about which characters to use are not: only length counts, and
 * that it is none of those that are tried first.
 */
import { commonPasswords } from './common-passwords.ts';

const credentialLimits = { minPasswordChars: 10, maxPasswordChars: 200, maxNameChars: 64 } as const;

const namePattern = /^[a-z0-9][a-z0-9._@-]*$/;

/** Names are the same in upper and lower case. `undefined`: this can be no name. */
export const userKey = (name: string): string | undefined => {
  const key = name.normalize('NFKC').trim().toLowerCase();
  return key.length <= credentialLimits.maxNameChars && namePattern.test(key) ? key : undefined;
};

export const nameHelp = `A name has up to ${credentialLimits.maxNameChars} letters (a to z), digits, dots, dashes or underscores, and begins with a letter or digit.`;

/** True when a password is `base` with a few digits or signs behind it, as in "password2026!". */
const isCommon = (password: string): boolean => {
  const lower = password.toLowerCase();
  const base = lower.replace(/[^a-z]+$/, '');
  return commonPasswords.has(lower) || commonPasswords.has(base) || /^(.{1,4})\1+$/.test(lower);
};

/** Why this cannot be the password of `user`; `undefined` when it can. */
export const passwordFault = (password: string, user: string): string | undefined => {
  const { length } = password;
  if (length < credentialLimits.minPasswordChars)
    return `A password has at least ${credentialLimits.minPasswordChars} characters.`;
  if (length > credentialLimits.maxPasswordChars)
    return `A password has at most ${credentialLimits.maxPasswordChars} characters.`;
  const lower = password.toLowerCase();
  if (user.length >= 4 && lower.replaceAll(user, '').length < 4) return 'This is little more than the name.';
  return isCommon(password) ? 'This password is one of the first that are tried: choose another.' : undefined;
};
