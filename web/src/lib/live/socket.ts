/**
 * The page's one connection, and the only file that knows socket.io. It reconnects by itself, for ever, with jitter; it keeps nothing:
 * what was asked while there was no connection is answered at once with that, never sent later.
 */
import { io, type Socket } from 'socket.io-client';
import type { BrowserToWeb, PastOutcome, PastQuestion, Watch } from '@thrum/actors/wire/browser-to-web';
import { nextOf, refuse } from '@thrum/actors/wire/refusal';
import type { Greeting, WebToBrowser } from '@thrum/actors/wire/web-to-browser';

/** socket.io hands binary data to a browser as ArrayBuffers, whatever was sent. */
type Binary = Uint8Array | ArrayBuffer;

export type Hearing = {
  /** Anything at all was heard, also before its own callback. */
  heard(): void;
  up(): void;
  down(): void;
  /** A connection could not be made. A browser does not say why; the server may have refused it. */
  unreached(): void;
  greeting(greeting: Greeting): void;
  roster: WebToBrowser['roster'];
  ingest: WebToBrowser['ingest'];
  beat: WebToBrowser['beat'];
  frame(bytes: Uint8Array): void;
  snapshot(bytes: Uint8Array): void;
  snapshotRefused: WebToBrowser['snapshotRefused'];
  /** The server turns this page down, and why; it closes the connection after that. */
  refused: WebToBrowser['refused'];
};

export type Link = {
  readonly connected: boolean;
  watch(watch: Watch): void;
  ask(question: PastQuestion): Promise<PastOutcome>;
  /** Gives the connection up, though it may look open, and makes a new one. */
  restart(): void;
  close(): void;
};

const retryMs = { first: 100, most: 1500 };
/** A connection that takes longer is tried anew: behind a balancer the next try reaches another node. */
const connectDeadlineMs = 2000;
/** When the server says that trying again changes nothing, it is tried all the same, but rarely: servers are upgraded. */
const hopelessMs = 10_000;
/** A question has its own deadline at ingest (a few seconds); this one only ends waiting for an answer that cannot come. */
const answerDeadlineMs = 15_000;

const bytesOf = (binary: Binary): Uint8Array => (binary instanceof Uint8Array ? binary : new Uint8Array(binary));

const unzip = async (bytes: Uint8Array): Promise<Uint8Array> => {
  const stream = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

export const openLink = (hearing: Hearing): Link => {
  const socket: Socket<WebToBrowser, BrowserToWeb> = io({
    transports: ['websocket'],
    reconnectionDelay: retryMs.first,
    reconnectionDelayMax: retryMs.most,
    randomizationFactor: 0.5,
    timeout: connectDeadlineMs,
  });
  let retry: ReturnType<typeof setTimeout> | undefined;
  let isHopeless = false;
  /** socket.io gives up for good when the server ends a session or refuses it; a page does not. */
  const tryAgain = (): void => {
    clearTimeout(retry);
    if (socket.active) return;
    const pauseMs = isHopeless ? hopelessMs : retryMs.first;
    retry = setTimeout(() => socket.connect(), pauseMs * (1 + Math.random()));
  };
  socket.onAny(() => hearing.heard());
  socket.on('connect', () => hearing.up());
  socket.on('refused', (refusal) => {
    isHopeless = nextOf(refusal.code) === 'stop';
    hearing.refused(refusal);
  });
  socket.on('disconnect', (reason) => {
    hearing.down();
    if (reason !== 'io client disconnect') tryAgain();
  });
  socket.on('connect_error', () => {
    hearing.unreached();
    tryAgain();
  });
  socket.on('greeting', (greeting) => {
    isHopeless = false;
    hearing.greeting({ ...greeting, overview: greeting.overview.map((frame) => bytesOf(frame as Binary)) });
  });
  socket.on('roster', (change) => hearing.roster(change));
  socket.on('ingest', (nodes) => hearing.ingest(nodes));
  socket.on('beat', (serverMs) => hearing.beat(serverMs));
  socket.on('frame', (bytes) => hearing.frame(bytesOf(bytes as Binary)));
  socket.on('snapshotRefused', (refusal) => hearing.snapshotRefused(refusal));
  socket.on('snapshot', (bytes, how) => {
    if (!how.gzip) hearing.snapshot(bytesOf(bytes));
    else
      unzip(bytesOf(bytes)).then(
        (whole) => hearing.snapshot(whole),
        (cause: unknown) => reportError(new Error('A snapshot could not be unpacked; live values go on.', { cause })),
      );
  });

  return {
    get connected() {
      return socket.connected;
    },
    watch(watch) {
      if (socket.connected) socket.emit('watch', watch, () => undefined);
    },
    async ask(question) {
      if (!socket.connected) return refuse('deadline', 'this page has no connection at the moment');
      try {
        return (await socket.timeout(answerDeadlineMs).emitWithAck('ask', question)) as PastOutcome;
      } catch {
        return refuse('deadline', `nothing came within ${answerDeadlineMs / 1000} s`);
      }
    },
    restart() {
      clearTimeout(retry);
      socket.disconnect().connect();
    },
    close() {
      clearTimeout(retry);
      socket.disconnect();
    },
  };
};
