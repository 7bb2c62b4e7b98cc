/**
 * socket.io's own parser with bounds. A packet may announce binary attachments, which its reader keeps until the last one is there: a
 * connection that nobody has greeted may announce none, a greeted one (whose answer with the last minutes has one per group) many,
 * but only so many bytes altogether.
 */
import { Decoder, Encoder } from 'socket.io-parser';
import type { Socket } from 'socket.io';

const maxAttachments = 2_048;
/** A large host's last ten minutes, compressed. */
const maxPacketBytes = 16 * 1024 * 1024;

export class BoundedDecoder extends Decoder {
  #maxBytes = 0;
  #bytes = 0;

  constructor() {
    super({ maxAttachments });
  }

  /** The connection said a good hello: from now on it may send attachments. */
  trust(): void {
    this.#maxBytes = maxPacketBytes;
  }

  /** Throws when it is more than allowed; socket.io closes the connection then. */
  override add(data: string | Uint8Array): void {
    if (typeof data === 'string') this.#bytes = 0;
    else {
      this.#bytes += data.length;
      if (this.#bytes > this.#maxBytes) throw new Error('more binary data than this connection may send');
    }
    super.add(data);
  }
}

export const boundedParser = { Encoder, Decoder: BoundedDecoder };

/** Lets the connection of this socket send attachments. */
export const trustAttachments = (socket: Socket): void => {
  // socket.io has no public way from a socket to its decoder; the test of `recent` fails if this one goes.
  const decoder: unknown = Reflect.get(Reflect.get(socket, 'client') as object, 'decoder');
  if (!(decoder instanceof BoundedDecoder)) throw new Error('BUG: a connection without our parser');
  decoder.trust();
};
