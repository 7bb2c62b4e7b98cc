/**
 * A program of its own that plays many viewers: bare WebSockets that speak as much socket.io as a page needs to watch a host, so that what is
 * measured is the server and not a thousand client libraries. `node viewers.ts '{"url", "count", "host", "cookie"}'`; without a host it is
 * a plain listener. Tells its parent over IPC when all are there; takes `measure` and answers with what came. With `stall` one stops reading and
 * goes on asking: what it is sent soon no longer fits what the kernel holds for it.
 *
 * A frame's age is taken when its bytes are seen: now, less the moment ingest took the sample in, which the frame carries.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { frameKind, frameKinds } from '@thrum/actors/wire/frame';

export type ViewersOptions = {
  readonly url: string;
  readonly count: number;
  readonly host?: string;
  readonly cookie?: string;
};
export type Measured = {
  /** Of host frames. */
  readonly latenciesMs: number[];
  /** Frames of any kind that carry values. */
  readonly frames: number;
  readonly hostFrameBytes: number;
  readonly otherFrameBytes: number;
};

/** Of the one that does not read: fewer than what a node takes for an attack. */
const asksEveryMs = 100;
const sampleMsAt = 8;
const ageMsAt = 16;

const nowMs = (): number => performance.timeOrigin + performance.now();

const run = async ({ url, count, host, cookie }: ViewersOptions): Promise<void> => {
  let latenciesMs: number[] = [];
  let frames = 0;
  let hostFrameBytes = 0;
  let otherFrameBytes = 0;
  const stalled = new Set<WebSocket>();

  const take = (socket: WebSocket, bytes: Buffer): void => {
    const kind = frameKind(bytes);
    if (kind === frameKinds.snapshot || stalled.has(socket)) return;
    frames += 1;
    if (kind !== frameKinds.host) {
      otherFrameBytes = bytes.length;
      return;
    }
    hostFrameBytes = bytes.length;
    latenciesMs.push(nowMs() - bytes.readDoubleLE(sampleMsAt) - bytes.readFloatLE(ageMsAt));
  };

  /** Resolves when the connection shows frames. */
  const open = (): Promise<WebSocket> =>
    new Promise((resolve, reject) => {
      const address = host === undefined ? url : `${url}/socket.io/?EIO=4&transport=websocket`;
      const socket = new WebSocket(address.replace(/^http/, 'ws'), {
        perMessageDeflate: false,
        origin: url,
        headers: cookie === undefined ? {} : { cookie },
      });
      socket.once('error', reject);
      socket.once('close', (code) => reject(new Error(`the server closed a connection: ${code}`)));
      if (host === undefined) socket.once('open', () => resolve(socket));
      socket.on('message', (data, isBinary) => {
        const bytes = data as Buffer;
        if (isBinary) return take(socket, bytes);
        const text = bytes.toString('latin1', 0, 40);
        if (text.startsWith('0')) socket.send('40');
        else if (text === '2') socket.send('3');
        else if (text.includes('["greeting"')) socket.send(`420${JSON.stringify(['watch', { host }])}`);
        else if (text.includes('["snapshot')) resolve(socket);
      });
    });

  const sockets: WebSocket[] = [];
  while (sockets.length < count)
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(50, count - sockets.length) }, open))));
  const answer = (message: unknown): void => void process.send?.(message);
  process.on('message', (message) => {
    if (message === 'clear') {
      latenciesMs = [];
      frames = 0;
    } else if (message === 'measure')
      answer({ latenciesMs, frames, hostFrameBytes, otherFrameBytes } satisfies Measured);
    else if (message === 'stall') {
      const [one] = sockets;
      if (one) {
        stalled.add(one);
        (one as unknown as { _socket: Socket })._socket.pause();
        setInterval(() => one.send(`421${JSON.stringify(['watch', { host }])}`), asksEveryMs);
      }
    } else process.exit(0);
  });
  process.on('disconnect', () => process.exit(0));
  answer('ready');
};

await run(JSON.parse(process.argv[2] ?? '') as ViewersOptions);
