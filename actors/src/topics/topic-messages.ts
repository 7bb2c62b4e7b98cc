/**
 * What nodes say to each other about topics, on the endpoint `topics`, as arrays that begin with a word. Parsed once, here; a message that is
 * anything else is undefined (counted, ignored).
 *   interest  topics the sender wants from now on, and those it wants no more
 *   news      one publication; a key when it is to be kept; an empty payload with a key forgets it
 *   retained  what the publisher keeps of a topic, in one or more parts: `first` begins anew, `last` ends it
 */
export const endpoint = 'topics';

export type Entry = readonly [key: string, payload: Uint8Array];
export type TopicMessage =
  | { kind: 'interest'; add: readonly string[]; remove: readonly string[] }
  | { kind: 'news'; topic: string; payload: Uint8Array; key: string | undefined }
  | { kind: 'retained'; topic: string; first: boolean; last: boolean; entries: readonly Entry[] };

export const maxTopicChars = 512;
export const maxKeyChars = 512;

export const interestMessage = (add: readonly string[], remove: readonly string[]): unknown => [
  'interest',
  add,
  remove,
];
export const newsMessage = (topic: string, payload: Uint8Array, key: string | undefined): unknown =>
  key === undefined ? ['news', topic, payload] : ['news', topic, payload, key];
export const retainedMessage = (
  topic: string,
  entries: readonly Entry[],
  part: { first: boolean; last: boolean },
): unknown => ['retained', topic, part.first, part.last, entries];

const isTopic = (value: unknown): value is string => typeof value === 'string' && value.length <= maxTopicChars;
const isKey = (value: unknown): value is string => typeof value === 'string' && value.length <= maxKeyChars;
const isTopics = (value: unknown): value is string[] => Array.isArray(value) && value.every(isTopic);
const isEntry = (value: unknown): value is Entry =>
  Array.isArray(value) && value.length === 2 && isKey(value[0]) && value[1] instanceof Uint8Array;

export const parseTopicMessage = (message: unknown): TopicMessage | undefined => {
  if (!Array.isArray(message)) return undefined;
  const [kind, first, second, third, fourth] = message as readonly unknown[];
  if (kind === 'interest')
    return isTopics(first) && isTopics(second) ? { kind, add: first, remove: second } : undefined;
  if (kind === 'news' && isTopic(first) && second instanceof Uint8Array && (third === undefined || isKey(third)))
    return { kind, topic: first, payload: second, key: third };
  if (kind !== 'retained' || !isTopic(first) || typeof second !== 'boolean' || typeof third !== 'boolean')
    return undefined;
  return Array.isArray(fourth) && fourth.every(isEntry)
    ? { kind, topic: first, first: second, last: third, entries: fourth }
    : undefined;
};
