/**
 * What nodes say to each other about topics, on the endpoint `topics`, as arrays that begin with a word. Parsed once, here; a message that is
 * anything else is undefined (counted, ignored).
 *   interest  topics the sender wants from now on, and those it wants no more: `base` is the version this changes, 0 for a whole set
 *   again     the sender missed a change of the receiver's interest, and needs the whole set
 *   refused   why the sender takes no more of the receiver's interest
 *   news      one publication; a key when it is to be kept (an empty payload then forgets it), otherwise its number
 *   upto      how far the numbers of topics have got, after some were dropped on their way
 *   retained  what the publisher keeps of a topic, in one or more parts: `first` begins anew and says the topic's number, `last` ends it
 */
export const endpoint = 'topics';

export type Entry = readonly [key: string, payload: Uint8Array];
export type UpTo = readonly [topic: string, number: number];
export type InterestChange = {
  readonly base: number;
  readonly version: number;
  readonly add: readonly string[];
  readonly remove: readonly string[];
};
export type TopicMessage =
  | ({ kind: 'interest' } & InterestChange)
  | { kind: 'again' }
  | { kind: 'refused'; why: string }
  | { kind: 'news'; topic: string; payload: Uint8Array; key: string }
  | { kind: 'news'; topic: string; payload: Uint8Array; key: undefined; number: number }
  | { kind: 'upto'; topics: readonly UpTo[] }
  | { kind: 'retained'; topic: string; first: boolean; last: boolean; entries: readonly Entry[]; number: number };

export const maxTopicChars = 512;
export const maxKeyChars = 512;
const maxWhyChars = 200;

export const interestMessage = ({ base, version, add, remove }: InterestChange): unknown => [
  'interest',
  base,
  version,
  add,
  remove,
];
export const againMessage = (): unknown => ['again'];
export const refusedMessage = (why: string): unknown => ['refused', why];
export const newsMessage = (topic: string, payload: Uint8Array, how: { key: string } | { number: number }): unknown => [
  'news',
  topic,
  payload,
  'key' in how ? how.key : how.number,
];
export const upToMessage = (topics: readonly UpTo[]): unknown => ['upto', topics];
export const retainedMessage = (
  topic: string,
  entries: readonly Entry[],
  part: { first: boolean; last: boolean; number: number },
): unknown => ['retained', topic, part.first, part.last, entries, part.number];

const isTopic = (value: unknown): value is string => typeof value === 'string' && value.length <= maxTopicChars;
const isKey = (value: unknown): value is string => typeof value === 'string' && value.length <= maxKeyChars;
const isTopics = (value: unknown): value is string[] => Array.isArray(value) && value.every(isTopic);
const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isEntry = (value: unknown): value is Entry =>
  Array.isArray(value) && value.length === 2 && isKey(value[0]) && value[1] instanceof Uint8Array;
const isUpTo = (value: unknown): value is UpTo =>
  Array.isArray(value) && value.length === 2 && isTopic(value[0]) && isNumber(value[1]);

export const parseTopicMessage = (message: unknown): TopicMessage | undefined => {
  if (!Array.isArray(message)) return undefined;
  const [kind, first, second, third, fourth, fifth] = message as readonly unknown[];
  switch (kind) {
    case 'interest':
      return isNumber(first) && isNumber(second) && first < second && isTopics(third) && isTopics(fourth)
        ? { kind, base: first, version: second, add: third, remove: fourth }
        : undefined;
    case 'again':
      return { kind };
    case 'refused':
      return typeof first === 'string' ? { kind, why: first.slice(0, maxWhyChars) } : undefined;
    case 'news':
      if (!isTopic(first) || !(second instanceof Uint8Array)) return undefined;
      if (isNumber(third)) return { kind, topic: first, payload: second, key: undefined, number: third };
      return isKey(third) ? { kind, topic: first, payload: second, key: third } : undefined;
    case 'upto':
      return Array.isArray(first) && first.every(isUpTo) ? { kind, topics: first } : undefined;
    case 'retained':
      if (!isTopic(first) || typeof second !== 'boolean' || typeof third !== 'boolean') return undefined;
      return Array.isArray(fourth) && fourth.every(isEntry) && isNumber(fifth)
        ? { kind, topic: first, first: second, last: third, entries: fourth, number: fifth }
        : undefined;
    default:
      return undefined;
  }
};
