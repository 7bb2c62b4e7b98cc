/**
 * Every reason for which one side of a conversation turns the other down: a code for programs, a sentence for people and what to
 * do next. The list is closed; a new reason is one entry here and one line in PROTOCOL.md.
 *
 * `next` says what the refused side does: `stop` (a person must act; trying again changes nothing), `retry` (later, with backoff),
 * `drop` (that item can never be taken; go on with the others), `ask` (the request was wrong; the connection goes on).
 */
export type Next = 'stop' | 'retry' | 'drop' | 'ask';

const entry = <N extends Next>(next: N, sentence: string) => ({ next, sentence }) as const;

export const refusals = {
  'protocol-version': entry('stop', 'This version of the protocol is not spoken here: upgrade the older side.'),
  'bad-token': entry('stop', 'The token is unknown: set THRUM_TOKEN to the token of this installation.'),
  'hello-first': entry('stop', 'The first message must be a hello.'),
  malformed: entry('stop', 'A message could not be understood.'),
  'too-large': entry('stop', 'A message is larger than allowed.'),
  'too-fast': entry('retry', 'Too many messages: slow down and connect again.'),
  'unknown-dictionary': entry('retry', 'A batch names a dictionary that was not declared on this connection.'),
  'schema-conflict': entry(
    'stop',
    'A target of the dictionary differs from the catalogue here: upgrade the older side.',
  ),
  'unknown-target': entry('drop', 'No target of that name is in the catalogue of this installation.'),
  'time-ahead': entry('drop', 'The sample is more than five minutes in the future: check the clock of the host.'),
  'time-past': entry('drop', 'The sample is older than what is kept.'),
  'time-order': entry('drop', 'The batch holds the same series twice at the same time.'),
  'too-many-series': entry('drop', 'The host has more series than allowed.'),
  'not-stored': entry('drop', 'The store will never take this sample.'),
  replaced: entry(
    'stop',
    'Another connection with the same host id took over: two agents must not share a data directory.',
  ),
  busy: entry('retry', 'No room at the moment: send it again later.'),
  'try-later': entry('retry', 'There is no room here at the moment: try again later.'),
  leaving: entry('retry', 'This node is stopping: connect again to reach another.'),
  'signed-out': entry('stop', 'Nobody is signed in here, or not any more: sign in.'),
  'wrong-password': entry('ask', 'The name or the password is wrong.'),
  'weak-password': entry('ask', 'This password cannot be used.'),
  'bad-link': entry('stop', 'This link does not work any more.'),
  'wrong-origin': entry('stop', 'The page comes from another site than this dashboard (see THRUM_ORIGINS).'),
  'unknown-host': entry('ask', 'No such host is known here.'),
  'unknown-metric': entry('ask', 'The target has no such metric.'),
  'bad-question': entry('ask', 'The question is not a valid one.'),
  'host-away': entry('ask', 'The host is not connected, so its last minutes cannot be fetched.'),
  deadline: entry('ask', 'There was no answer in time.'),
  'store-away': entry('ask', 'The store does not answer at the moment; live values go on.'),
  'no-ingest': entry('ask', 'No ingest node is connected to this web node.'),
} as const;

export type RefusalCode = keyof typeof refusals;

/** `detail` names what was wrong and where, in words, and never contains a secret. */
export type Refusal = { readonly ok: false; readonly code: RefusalCode; readonly detail: string };

export const refuse = (code: RefusalCode, detail = ''): Refusal => ({ ok: false, code, detail });

/** Longer details of another node are cut. */
const maxDetailChars = 300;

/** What another node answered, as a refusal; undefined when it is none. */
export const asRefusal = (value: unknown): Refusal | undefined => {
  if (typeof value !== 'object' || value === null || !('code' in value) || typeof value.code !== 'string') return;
  if (!Object.hasOwn(refusals, value.code)) return;
  const detail = 'detail' in value && typeof value.detail === 'string' ? value.detail : '';
  return refuse(value.code as RefusalCode, detail.slice(0, maxDetailChars));
};

export const nextOf = (code: RefusalCode): Next => refusals[code].next;

/** The sentence and the detail as one line for logs and pages. */
export const explain = (refusal: Refusal): string =>
  refusal.detail === '' ? refusals[refusal.code].sentence : `${refusals[refusal.code].sentence} (${refusal.detail})`;
