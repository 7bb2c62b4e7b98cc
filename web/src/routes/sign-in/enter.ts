/** Asks the server for a session. What goes wrong on the way comes back as a refusal, like everything else. */
import { explain, refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { SignInAnswer } from '@thrum/actors/wire/sign-in';

/** The server gives up on a store that hangs, and hashes those who came before, well within this. */
const answerWithinMs = 20_000;

export const enter = async (path: 'sign-in' | 'set-up' | 'reset', body: object): Promise<SignInAnswer> => {
  try {
    const response = await fetch(`/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerWithinMs),
    });
    return (await response.json()) as SignInAnswer;
  } catch {
    return refuse('deadline', 'The server does not answer. Check the network, and try again.');
  }
};

/** The refusal as a person reads it: its own words where it has some. */
export const wordsOf = (refusal: Refusal): string =>
  refusal.detail === '' ? explain(refusal) : /[.!?]$/.test(refusal.detail) ? refusal.detail : explain(refusal);
