/**
 * What a page asks a web node by plain HTTP before it has a session: JSON bodies, each parsed once by the node, and what is answered.
 * Lengths are bounds against abuse; what a name or a password must look like is the node's to say, with a refusal.
 */
import { z } from 'zod';
import type { Refusal } from './refusal.ts';

const name = z.string().max(200);
const password = z.string().max(1000);
const token = z.string().max(400);

/** `POST /api/sign-in` */
export const signInSchema = z.strictObject({ name, password });
/** `POST /api/set-up`: the first user, by the token of the set-up link. */
export const setUpSchema = z.strictObject({ token, name, password });
/** `POST /api/reset`: a new password, by the token of a link that `thrum user reset` made; it names the user. */
export const resetSchema = z.strictObject({ token, password });

export type SignInBody = z.infer<typeof signInSchema>;
export type SetUpBody = z.infer<typeof setUpSchema>;
export type ResetBody = z.infer<typeof resetSchema>;

/** `GET /api/me`. `needsSetUp`: there is no user yet, as far as this node knows. */
export type Me = { readonly ok: true; readonly user: string | null; readonly needsSetUp: boolean };

/** What the other paths answer; with `retryAfterMs` trying again before then is in vain. */
export type SignInAnswer =
  { readonly ok: true; readonly user: string } | (Refusal & { readonly retryAfterMs?: number });
