/**
 * For tests: a real socket.io server that keeps the protocol of `actors/src/wire`, or breaks it as a test says. It is not ingest: it stores
 * nothing and knows no rule but to answer.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { helloSchema, type Hello } from '@thrum/actors/wire/agent-to-ingest';
import { readBatchHeader } from '@thrum/actors/wire/batch';
import { eventsSchema, type AgentEvent } from '@thrum/actors/wire/events';

export type Arrived = {
  readonly seq: number;
  readonly epoch: number;
  readonly resend: unknown;
  readonly connection: number;
  /** Of a message of events. */
  readonly events?: readonly AgentEvent[];
};

export type Script = {
  /** Version it answers with. */
  protocol?: number;
  /** How many of the backlog may be on the way, from version 3 on; not said when absent. */
  backlog?: number;
  hello?: (hello: Hello) => unknown;
  needDictionary?: boolean;
  dictionary?: unknown;
  window?: number;
  /** What to say about a batch; `undefined`: nothing. */
  answer?: (arrived: Arrived, socket: Socket) => { event: string; payload: unknown } | undefined;
};

export type ScriptedIngest = {
  readonly url: string;
  script: Script;
  readonly hellos: Hello[];
  readonly declared: unknown[];
  readonly arrived: Arrived[];
  byes: number;
  sockets(): Socket[];
  /** Cuts all connections the hard way. */
  cut(): void;
  close(): Promise<void>;
};

export const ackOf = ({ epoch, seq }: { epoch: number; seq: number }): { event: string; payload: unknown } => ({
  event: 'ack',
  payload: { epoch, ranges: [[seq, seq]], refused: [] },
});

export const startScriptedIngest = async (script: Script = {}, port = 0): Promise<ScriptedIngest> => {
  const http = createServer();
  const io = new Server(http, {
    transports: ['websocket'],
    perMessageDeflate: false,
    pingInterval: 1000,
    pingTimeout: 20_000,
  });
  let connections = 0;
  const ingest: ScriptedIngest = {
    url: '',
    script,
    hellos: [],
    declared: [],
    arrived: [],
    byes: 0,
    sockets: () => [...io.sockets.sockets.values()],
    cut: () => {
      for (const socket of io.sockets.sockets.values()) socket.conn.close(true);
    },
    close: async () => {
      io.disconnectSockets(true);
      await io.close();
    },
  };
  io.on('connection', (socket) => {
    connections += 1;
    const connection = connections;
    const arrive = (arrived: Arrived): void => {
      ingest.arrived.push(arrived);
      const said = (ingest.script.answer ?? ackOf)(arrived, socket);
      if (said) socket.emit(said.event, said.payload);
    };
    socket.on('hello', (payload: unknown, reply: (answer: unknown) => void) => {
      const hello = helloSchema.parse(payload);
      ingest.hellos.push(hello);
      const answer = ingest.script.hello?.(hello) ?? {
        ok: true,
        protocol: ingest.script.protocol ?? 3,
        ...(ingest.script.backlog !== undefined && { backlog: ingest.script.backlog }),
        node: 'scripted',
        window: ingest.script.window ?? 16,
        needDictionary: ingest.script.needDictionary ?? false,
        serverMs: hello.clockMs,
      };
      if (answer !== 'silence') reply(answer);
    });
    socket.on('dictionary', (payload: unknown, reply: (answer: unknown) => void) => {
      ingest.declared.push(payload);
      reply(ingest.script.dictionary ?? { ok: true });
    });
    socket.on('batch', (bytes: Uint8Array, resend: unknown) => {
      const header = readBatchHeader(bytes);
      if (!header) throw new Error('the agent sent something that is no batch');
      arrive({ epoch: header.epoch, seq: header.seq, resend, connection });
    });
    socket.on('events', (bytes: Uint8Array) => {
      const { epoch, seq, events } = eventsSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
      arrive({ epoch, seq, resend: undefined, connection, events });
    });
    socket.on('bye', (reply: (answer: unknown) => void) => {
      ingest.byes += 1;
      reply({ ok: true });
    });
  });
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  return Object.assign(ingest, { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
};
