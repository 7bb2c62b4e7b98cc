/** What the command line asks a web node of the same machine over the Unix socket in its data directory, as HTTP with JSON bodies. */
import { z } from 'zod';
import type { Refusal } from './refusal.ts';

export const doorSocketName = 'thrum.sock';

/** `POST /users/add`, `/users/reset` and `/users/remove` */
export const userQuestionSchema = z.strictObject({ name: z.string().min(1).max(200) });

export type ListedUser = { readonly name: string; readonly createdMs: number; readonly sessions: number };
export type DoorAnswer =
  | { readonly ok: true; readonly users: readonly ListedUser[] }
  | { readonly ok: true; readonly link: string; readonly worksForMs: number }
  | { readonly ok: true; readonly removed: string }
  | Refusal;
