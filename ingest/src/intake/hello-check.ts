/**
 * Is this a hello we take? Version and token are looked at before the rest is parsed: who does not know the token gets as little work
 * out of us as possible, and a hello of another version may have another shape.
 */
import { helloSchema, type Hello } from '@thrum/actors/wire/agent-to-ingest';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import { spokenVersions } from '@thrum/actors/wire/version';
import { firstProblem } from './first-problem.ts';

export const checkHello = (
  message: unknown,
  isOurToken: (token: string) => boolean,
): { readonly ok: true; readonly hello: Hello } | Refusal => {
  if (typeof message !== 'object' || message === null) return refuse('malformed', 'hello: not an object');
  const { protocol, token } = message as { protocol?: unknown; token?: unknown };
  if (typeof protocol !== 'number') return refuse('malformed', 'hello: protocol is not a number');
  if (!spokenVersions.includes(protocol))
    return refuse('protocol-version', `${protocol}; spoken here: ${spokenVersions.join(', ')}`);
  if (typeof token !== 'string') return refuse('malformed', 'hello: token is not a text');
  if (!isOurToken(token)) return refuse('bad-token');
  const parsed = helloSchema.safeParse(message);
  if (!parsed.success) return refuse('malformed', `hello: ${firstProblem(parsed.error)}`);
  if (!Number.isFinite(parsed.data.clockMs)) return refuse('malformed', 'hello: clockMs is not finite');
  return { ok: true, hello: parsed.data };
};
