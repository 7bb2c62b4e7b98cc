/**
 * How large a message may be that a connection has half sent: that much of it is held here. Somebody who has not said hello may be anybody, and
 * anybody may open as many connections as are let in.
 */

/** The largest hello there can be, labels and all, takes 60 KB. */
const maxStrangerBytes = 64 * 1024;

type Receiver = { _maxPayload: number };

/** `connection`: engine.io's. */
const receiverOf = (connection: object): Receiver => {
  // Neither engine.io nor ws has a public way to it; the tests of large messages before and after a hello fail if it goes.
  const transport: unknown = Reflect.get(connection, 'transport');
  const socket: unknown = Reflect.get(transport as object, 'socket');
  const receiver: unknown = Reflect.get(socket as object, '_receiver');
  if (typeof receiver !== 'object' || receiver === null || !('_maxPayload' in receiver))
    throw new Error('BUG: a connection whose messages cannot be bounded');
  return receiver as Receiver;
};

export const boundStranger = (connection: object): void => {
  receiverOf(connection)._maxPayload = maxStrangerBytes;
};

export const boundAgent = (connection: object, maxBytes: number): void => {
  receiverOf(connection)._maxPayload = maxBytes;
};
