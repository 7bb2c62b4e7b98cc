/**
 * Whether an agent has stopped reading what it is told. What is not read waits in this node's memory: first in the system's own buffer for the
 * connection, which takes hundreds of answers, then here. An agent that goes on sending beyond these bounds is not one that is slow.
 */
import type { Socket } from 'socket.io';

const maxWaitingPackets = 128;
const maxWaitingBytes = 256 * 1024;
/** Fewer are not worth adding up: they are at most one answer each for a window of batches. */
const fewPackets = 4;

type Packet = { readonly data?: string | Uint8Array };

export const doesNotRead = (socket: Socket): boolean => {
  // socket.io keeps this list and says so in its types, but not what is in it; the test of an agent that does not read fails if it goes.
  const waiting = (socket.conn as unknown as { readonly writeBuffer?: readonly Packet[] }).writeBuffer ?? [];
  if (waiting.length > maxWaitingPackets) return true;
  return (
    waiting.length > fewPackets && waiting.reduce((sum, { data }) => sum + (data?.length ?? 0), 0) > maxWaitingBytes
  );
};
