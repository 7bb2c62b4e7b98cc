/**
 * One connection of a simulated agent: socket.io's protocol (PROTOCOL.md names it) spoken by hand over a bare WebSocket, for a fifth of what the real
 * client costs in time and memory. With that one a fleet of thousands on one machine would mostly measure itself. Only what agents say and are
 * told is here: events with and without an answer, one binary attachment on the way out, none on the way in.
 */
import { WebSocket } from 'ws';
import type { Clock, Timer } from '@thrum/actors/system/clock';

export type Reply = (answer: unknown) => void;

export type AgentSocketOptions = {
  readonly url: string;
  readonly clock: Clock;
  readonly withinMs: number;
  readonly onOpen: () => void;
  readonly onEvent: (event: string, message: unknown, reply: Reply) => void;
  /** Once, whatever ended it; `opened`: it had stood. */
  readonly onClose: (opened: boolean) => void;
};

/** The node pings every 4 s; without one for so long the connection is dead, though nobody said so. */
const silentAfterMs = 12_000;

export class AgentSocket {
  #socket: WebSocket;
  #options: AgentSocketOptions;
  #opened = false;
  #closed = false;
  #heardMs: number;
  #timers = new Set<Timer>();
  #answers = new Map<number, Reply>();
  #nextId = 0;

  constructor(options: AgentSocketOptions) {
    this.#options = options;
    const { clock, withinMs } = options;
    this.#heardMs = clock.monotonicMs();
    const url = `${options.url.replace(/^http/, 'ws').replace(/\/$/, '')}/socket.io/?EIO=4&transport=websocket`;
    this.#socket = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: withinMs,
      skipUTF8Validation: true,
    });
    this.#socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) this.#heard(data.toString());
    });
    this.#socket.on('error', () => undefined); // `close` follows
    this.#socket.on('close', () => this.#end());
    this.#later(withinMs, () => {
      if (!this.#opened) this.#socket.terminate();
    });
    this.#watch();
  }

  /** `bytes`: carried as an attachment before the further arguments. */
  sendBytes(event: string, bytes: Uint8Array, ...further: readonly unknown[]): void {
    if (this.#closed) return;
    this.#socket.send(`451-${JSON.stringify([event, { _placeholder: true, num: 0 }, ...further])}`);
    this.#socket.send(bytes);
  }

  /** `answered` is called once with the answer, or with `undefined` when there was none in time; not after the end. */
  ask(event: string, message: unknown, withinMs: number, answered: Reply): void {
    if (this.#closed) return;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#answers.set(id, answered);
    this.#later(withinMs, () => {
      if (this.#answers.delete(id)) answered(undefined);
    });
    this.#socket.send(`42${id}${JSON.stringify(message === undefined ? [event] : [event, message])}`);
  }

  close(): void {
    if (!this.#closed) this.#socket.terminate();
    this.#end();
  }

  #heard(text: string): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    if (text === '2') this.#socket.send('3');
    else if (text.startsWith('0')) this.#socket.send('40');
    else if (text.startsWith('40')) {
      this.#opened = true;
      this.#options.onOpen();
    } else if (text.startsWith('42') || text.startsWith('43')) this.#packet(text);
    else if (text.startsWith('41') || text.startsWith('44') || text === '1') this.close();
  }

  #packet(text: string): void {
    const at = text.indexOf('[');
    const id = at > 2 ? Number(text.slice(2, at)) : undefined;
    const [first, second] = JSON.parse(text.slice(at)) as unknown[];
    if (text.startsWith('42')) {
      this.#options.onEvent(String(first), second, (answer) => {
        if (id !== undefined && !this.#closed) this.#socket.send(`43${id}${JSON.stringify([answer])}`);
      });
      return;
    }
    const answered = this.#answers.get(id ?? -1);
    this.#answers.delete(id ?? -1);
    answered?.(first);
  }

  #watch(): void {
    this.#later(silentAfterMs, () => {
      if (this.#options.clock.monotonicMs() - this.#heardMs >= silentAfterMs) this.#socket.terminate();
      else this.#watch();
    });
  }

  #later(ms: number, run: () => void): void {
    const timer = this.#options.clock.after(ms, () => {
      this.#timers.delete(timer);
      if (!this.#closed) run();
    });
    this.#timers.add(timer);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#answers.clear();
    this.#options.onClose(this.#opened);
  }
}
