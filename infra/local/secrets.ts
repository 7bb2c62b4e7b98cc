/**
 * Secrets of an installation, kept as files that only their owner can read. Made once, then kept: a new token would lock out every
 * agent that knows the old one.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';

const minChars = 16;

/** Returns the secret in `path`, after making it if there is none. Others' permission to read it is taken away. */
export const keepSecret = (path: string): string => {
  try {
    writeFileSync(path, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  }
  const secret = readFileSync(path, 'utf8').trim();
  if (secret.length < minChars)
    throw new Error(
      `The secret in ${path} has fewer than ${minChars} characters. Remove the file to have a new one made.`,
    );
  return secret;
};
