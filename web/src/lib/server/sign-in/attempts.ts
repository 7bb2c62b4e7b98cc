/**
 * Who has tried to sign in too often: accounts wait longer after each failure, addresses have so many attempts a minute. An attempt counts as
 * a failure from its start, so that many at once do not slip through; a success forgets the failures of the account, and an attempt that was
 * never judged (the store was away) is taken back. Both tables are bounded: when one is full the longest untouched entry goes, counted.
 */
import { rules, signInLimits, type SignInRules } from './rules.ts';

const attemptLimits = { maxAccounts: 10_000, maxAddresses: 10_000 } as const;

export type AttemptVerdict = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number };

/** What one table remembers; a key is touched by putting it at the end. */
const touch = <T>(table: Map<string, T>, key: string, entry: T, max: number): boolean => {
  table.delete(key);
  table.set(key, entry);
  if (table.size <= max) return false;
  const [oldest] = table.keys();
  if (oldest !== undefined) table.delete(oldest);
  return true;
};

export type AccountAttempts = {
  begin(account: string, nowMs: number): AttemptVerdict;
  succeeded(account: string): void;
  takeBack(account: string): void;
  counters(): Record<string, number>;
};

export const createAccountAttempts = (
  use: Pick<SignInRules, 'waitMs' | 'isForgotten'> = rules,
  maxAccounts: number = attemptLimits.maxAccounts,
): AccountAttempts => {
  const table = new Map<string, { failures: number; lastMs: number; untilMs: number }>();
  let dropped = 0;
  let refused = 0;
  return {
    begin: (account, nowMs) => {
      const known = table.get(account);
      const entry = known && !use.isForgotten(known.lastMs, nowMs) ? known : { failures: 0, lastMs: nowMs, untilMs: 0 };
      if (nowMs < entry.untilMs) {
        refused += 1;
        return { ok: false, retryAfterMs: entry.untilMs - nowMs };
      }
      const failures = entry.failures + 1;
      const next = { failures, lastMs: nowMs, untilMs: nowMs + use.waitMs(failures) };
      if (touch(table, account, next, maxAccounts)) dropped += 1;
      return { ok: true };
    },
    succeeded: (account) => void table.delete(account),
    takeBack: (account) => {
      const entry = table.get(account);
      if (!entry) return;
      if (entry.failures <= 1) table.delete(account);
      else table.set(account, { ...entry, failures: entry.failures - 1, untilMs: 0 });
    },
    counters: () => ({ accountsTried: table.size, accountAttemptsRefused: refused, accountsForgotten: dropped }),
  };
};

export type AddressAttempts = {
  begin(address: string, nowMs: number): AttemptVerdict;
  takeBack(address: string): void;
  counters(): Record<string, number>;
};

export const createAddressAttempts = (
  perMinute: number = signInLimits.addressPerMinute,
  maxAddresses: number = attemptLimits.maxAddresses,
): AddressAttempts => {
  const table = new Map<string, { left: number; atMs: number }>();
  const msPerAttempt = 60_000 / perMinute;
  let dropped = 0;
  let refused = 0;
  return {
    begin: (address, nowMs) => {
      const known = table.get(address) ?? { left: perMinute, atMs: nowMs };
      const left = Math.min(perMinute, known.left + (nowMs - known.atMs) / msPerAttempt);
      const may = left >= 1;
      if (touch(table, address, { left: may ? left - 1 : left, atMs: nowMs }, maxAddresses)) dropped += 1;
      if (may) return { ok: true };
      refused += 1;
      return { ok: false, retryAfterMs: Math.ceil((1 - left) * msPerAttempt) };
    },
    takeBack: (address) => {
      const entry = table.get(address);
      if (entry) table.set(address, { ...entry, left: Math.min(perMinute, entry.left + 1) });
    },
    counters: () => ({ addressesTried: table.size, addressAttemptsRefused: refused, addressesForgotten: dropped }),
  };
};
