/** Reads a message of events: bytes that are the JSON of `events.ts` in the wire. Pure; whatever is wrong with it has a reason. */
import { eventsSchema, type Events } from '@thrum/actors/wire/events';
import { limits } from '@thrum/actors/wire/limits';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import { firstProblem } from './first-problem.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

export const readEvents = (bytes: unknown): { readonly ok: true; readonly message: Events } | Refusal => {
  if (!(bytes instanceof Uint8Array)) return refuse('malformed', 'events: not bytes');
  if (bytes.length > limits.maxEventsBytes) return refuse('too-large', `events: ${bytes.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    return refuse('malformed', 'events: no JSON in UTF-8');
  }
  const parsed = eventsSchema.safeParse(value);
  if (!parsed.success) return refuse('malformed', `events: ${firstProblem(parsed.error)}`);
  return { ok: true, message: parsed.data };
};
