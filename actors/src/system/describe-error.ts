/**
 * Any thrown thing as plain data for a log line. A handler may throw whatever it likes (undefined, a proxy, an object whose getters throw):
 * this never throws, and what it returns is plain and bounded.
 */
export type ErrorDescription = {
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
};

const maxStackChars = 4000;
const maxMessageChars = 2000;
const maxCauses = 4;

const read = (thing: object, key: string): unknown => {
  try {
    return Reflect.get(thing, key);
  } catch {
    return undefined;
  }
};

const asText = (thing: unknown): string => {
  try {
    return String(thing).slice(0, maxMessageChars);
  } catch {
    return 'something that cannot be written as text';
  }
};

const describe = (thrown: unknown, causesLeft: number): ErrorDescription => {
  if (typeof thrown !== 'object' || thrown === null) return { message: asText(thrown) };
  const message = read(thrown, 'message');
  const name = read(thrown, 'name');
  const code = read(thrown, 'code');
  const stack = read(thrown, 'stack');
  const cause = read(thrown, 'cause');
  return {
    message: typeof message === 'string' ? message.slice(0, maxMessageChars) : asText(thrown),
    ...(typeof name === 'string' && { type: name }),
    ...(typeof code === 'string' && { code }),
    ...(typeof stack === 'string' && { stack: stack.slice(0, maxStackChars) }),
    ...(cause !== undefined && causesLeft > 0 && { cause: describe(cause, causesLeft - 1) }),
  };
};

export const describeError = (thrown: unknown): ErrorDescription => describe(thrown, maxCauses);

/** The sentence of a thrown thing, for messages of our own. */
export const errorMessage = (thrown: unknown): string => describe(thrown, 0).message;
