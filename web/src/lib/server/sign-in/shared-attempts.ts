/**
 * Failures of an account are counted by one node for all web nodes, so that more nodes do not mean more guesses: the node whose hash with the
 * account's name is largest. When it does not answer, each node counts for itself. Attempts of an address are counted by each node for itself.
 */
import { createHash } from 'node:crypto';
import type { Links } from '@thrum/actors/link/links';
import { z } from 'zod';
import type { AccountAttempts, AttemptVerdict } from './attempts.ts';

const endpoint = 'sign-in-attempts';
const askDeadlineMs = 300;

const questionSchema = z.strictObject({
  kind: z.enum(['begin', 'succeeded', 'take-back']),
  account: z.string().min(1).max(200),
});
const verdictSchema = z.union([
  z.object({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), retryAfterMs: z.number().nonnegative() }),
]);

/** The node of `ids` that counts for this account. `ids` is not empty. */
export const counterOf = (account: string, ids: readonly string[]): string => {
  const weight = (id: string): string => createHash('sha256').update(`${id}\n${account}`).digest('hex');
  return [...ids].sort((a, b) => (weight(a) < weight(b) ? 1 : -1))[0] ?? '';
};

export type SharedAttempts = {
  begin(account: string): Promise<AttemptVerdict>;
  succeeded(account: string): void;
  takeBack(account: string): void;
  close(): void;
};

export const shareAttempts = (options: {
  links: Pick<Links, 'self' | 'peers' | 'ask' | 'tell' | 'serve'>;
  own: AccountAttempts;
  nowMs: () => number;
}): SharedAttempts => {
  const { links, own, nowMs } = options;
  const counter = (account: string): string =>
    counterOf(account, [
      links.self.id,
      ...links
        .peers()
        .filter((peer) => peer.role === 'web')
        .map((peer) => peer.id),
    ]);

  const stop = links.serve(endpoint, (message) => {
    const parsed = questionSchema.safeParse(message);
    if (!parsed.success) return { ok: true };
    const { kind, account } = parsed.data;
    if (kind === 'begin') return own.begin(account, nowMs());
    if (kind === 'succeeded') own.succeeded(account);
    else own.takeBack(account);
    return { ok: true };
  });

  const tell = (kind: 'succeeded' | 'take-back', account: string): void => {
    if (kind === 'succeeded') own.succeeded(account);
    else own.takeBack(account);
    const id = counter(account);
    if (id !== links.self.id) links.tell(id, endpoint, { kind, account });
  };

  return {
    begin: async (account) => {
      const id = counter(account);
      if (id === links.self.id) return own.begin(account, nowMs());
      const asked = await links.ask(id, endpoint, { kind: 'begin', account }, { deadlineMs: askDeadlineMs });
      const verdict = asked.ok ? verdictSchema.safeParse(asked.value) : undefined;
      return verdict?.success ? verdict.data : own.begin(account, nowMs());
    },
    succeeded: (account) => tell('succeeded', account),
    takeBack: (account) => tell('take-back', account),
    close: stop,
  };
};
