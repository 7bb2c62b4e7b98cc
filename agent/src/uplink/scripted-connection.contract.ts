/** For tests: a connection without a network. What the uplink emits is written down, ingest speaks when the test says so, and the line may be slow. */
import { readBatchHeader } from '@thrum/actors/wire/batch';
import type { Connection, Listener } from './connection.ts';

export type Emitted = { readonly event: string; readonly payload: readonly unknown[] };

export type ScriptedConnection = {
  readonly connect: (url: string, listener: Listener) => Connection;
  /** What was emitted on the newest connection. */
  readonly emitted: Emitted[];
  /** The batches and events of it as `live 7/3`, `backlog 7/0`, `events 7/1`. */
  sent(): string[];
  readonly hellos: unknown[];
  /** What hello is answered with. */
  welcome: Record<string, unknown>;
  say(event: string, payload: unknown, reply?: (answer: unknown) => void): void;
  /** A ping, say. */
  hear(): void;
  lose(): void;
  /** From now on `written` waits for `drain`. */
  hold(): void;
  drain(): void;
};

/** Everything that is ready to run has run; nothing here waits for a time or a network. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

export const scriptedConnection = (): ScriptedConnection => {
  let listener: Listener | undefined;
  let isHeld = false;
  let waiting: (() => void)[] = [];
  const flush = (): void => {
    const ready = waiting;
    waiting = [];
    for (const resolve of ready) resolve();
  };
  const scripted: ScriptedConnection = {
    emitted: [],
    hellos: [],
    welcome: { ok: true, protocol: 3, node: 'n', window: 16, needDictionary: false, serverMs: 0 },
    connect: (_url, heard) => {
      listener = heard;
      scripted.emitted.length = 0;
      queueMicrotask(() => heard.connected(4000));
      return {
        emit: (event, ...payload) => void scripted.emitted.push({ event, payload }),
        ask: (event, payload) => {
          if (event === 'hello') scripted.hellos.push(payload[0]);
          return Promise.resolve(event === 'hello' ? scripted.welcome : { ok: true });
        },
        written: () => (isHeld ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
        close: flush,
      };
    },
    sent: () =>
      scripted.emitted.map(({ event, payload: [bytes, isBacklog] }) => {
        if (!(bytes instanceof Uint8Array)) throw new Error(`${event} without bytes`);
        if (event === 'events') {
          const { epoch, seq } = JSON.parse(new TextDecoder().decode(bytes)) as { epoch: number; seq: number };
          return `events ${epoch}/${seq}`;
        }
        const header = readBatchHeader(bytes);
        return `${isBacklog === true ? 'backlog' : 'live'} ${header?.epoch}/${header?.seq}`;
      }),
    say: (event, payload, reply) => listener?.message(event, payload, reply),
    hear: () => listener?.heard(),
    lose: () => listener?.lost('the test said so'),
    hold: () => (isHeld = true),
    drain: () => {
      isHeld = false;
      flush();
    },
  };
  return scripted;
};
