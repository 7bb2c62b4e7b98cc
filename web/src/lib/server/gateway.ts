/**
 * The socket.io gateway: browsers on one side, the rooms of this folder on the other. WebSocket only, so a balancer needs no stickiness.
 * Each connection is a tab: an outlet for what goes out, an actor for what comes in. News are fanned out here by plain calls.
 */
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { Server, type Socket } from 'socket.io';
import type { ActorRef } from '@thrum/actors/system/actor-ref';
import type { ActorSystem } from '@thrum/actors/system/actor-system';
import type { Clock } from '@thrum/actors/system/clock';
import { limits } from '@thrum/actors/wire/limits';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { Greeting } from '@thrum/actors/wire/web-to-browser';
import type { Counters } from './counters.ts';
import { frameEvent } from './frame-event.ts';
import { createGreetings } from './greetings.ts';
import type { HistoryAsk } from './history-ask.ts';
import { checkNames, type AllowedNames } from './hosts.ts';
import type { HostWatches } from './host-watches.ts';
import { createOutflow, type Lane, type Outflow } from './outflow.ts';
import type { PresenceChange } from '@thrum/actors/presence/presence';
import { pacingLimits } from './pacing.ts';
import { createTabGuard, type Access } from './sign-in/tab-guard.ts';
import type { Visitor } from './sign-in/visitor.ts';
import { tabActor, type TabMessage } from './tab-actor.ts';
import { createTabOutlet, type Connection, type Present, type TabOutlet } from './tab-outlet.ts';

export const gatewayLimits = {
  /** Tabs of this node; each takes about 60 KB. */
  maxTabs: 5_000,
  /** A message up to here is answered with `too-large`; a longer one is cut off by the WebSocket itself (close code 1009). */
  maxReadBytes: limits.maxBrowserMessageBytes * 4,
  /** Only tabs that are sent nothing are found dead by it: others by what they do not take. A ping costs as much as three frames. */
  pingIntervalMs: 25_000,
  pingTimeoutMs: 10_000,
  /** A connection that never says that it speaks socket.io. */
  connectTimeoutMs: 5_000,
  /** What a tab that is closed has to take its last words; then the connection is cut, read or not. */
  lastWordsMs: 1_000,
} as const;

export type GatewayParts = {
  http: HttpServer;
  system: ActorSystem;
  counters: Counters;
  names: AllowedNames;
  /** Who is signed in. */
  access: Access;
  watches: HostWatches;
  history: HistoryAsk;
  present: Present;
  greeting(): Greeting;
  /** Vite's own upgrades on the same server are left alone. */
  sharesServer: boolean;
};

/** News go to tabs that were greeted; what came before is part of the greeting. */
type Tab = { outlet: TabOutlet; actor: ActorRef<TabMessage>; connection: Connection; lane: Lane; greeted: boolean };

export type Gateway = {
  tabs(): number;
  /** Bytes that wait for browsers now: of all tabs, and of the slowest. */
  queued(): { bytes: number; maxBytes: number };
  /** Tabs whose greeting has not been sent yet. */
  ungreeted(): number;
  /** Frames that were written in a later turn than they came in, so that other work got its turn. */
  deferred(): number;
  overview(bytes: Uint8Array): void;
  roster(change: PresenceChange): void;
  ingest(): void;
  /** Tells every tab to go to another node, then closes. */
  close(): Promise<void>;
};

/** What of engine.io's connection tells how much it has not written yet, and takes WebSocket frames that are made already. */
type Wire = {
  writeBuffer: readonly { data?: unknown }[];
  readyState: string;
  write(data: unknown, how: { wsPreEncodedFrame: readonly Buffer[] }): void;
  transport: {
    writable: boolean;
    socket?: {
      bufferedAmount: number;
      terminate(): void;
      _sender: { sendFrame(frames: readonly Buffer[]): void };
    };
    on(event: 'drain', run: () => void): void;
  };
};

const sizeOf = (data: unknown): number =>
  typeof data === 'string' ? data.length : data instanceof Uint8Array ? data.byteLength : 0;

/**
 * Writes WebSocket frames that are made already. Where nothing waits they go to the socket itself, which costs a third less than by way
 * of engine.io; otherwise behind what waits, and engine.io says when there is room again.
 */
const writeFrames = (wire: Wire, bytes: Buffer): void => {
  const { socket, writable } = wire.transport;
  const isIdle = writable && wire.writeBuffer.length === 0 && wire.readyState === 'open';
  if (isIdle && socket?.bufferedAmount === 0) socket._sender.sendFrame([bytes]);
  else wire.write(bytes, { wsPreEncodedFrame: [bytes] });
};

const connectionOf = (
  socket: Socket,
  clock: Clock,
  outflow: Outflow,
): { connection: Connection; wire: Wire; lane: Lane } => {
  // engine.io declares these as private; there is no other way to know that a reader is slow.
  const wire = socket.conn as unknown as Wire;
  const lane = outflow.lane((bytes) => writeFrames(wire, bytes));
  const connection: Connection = {
    queuedBytes: () => {
      let bytes = (wire.transport.socket?.bufferedAmount ?? 0) + lane.waitingBytes();
      for (const { data } of wire.writeBuffer) bytes += sizeOf(data);
      return bytes;
    },
    emit: (event: string, ...args: unknown[]) => {
      if (event === 'frame' && args[0] instanceof Uint8Array) return lane.send(frameEvent(args[0]));
      lane.flush();
      socket.emit(event, ...args);
    },
    close: (refusal: Refusal) => {
      lane.close();
      socket.emit('refused', refusal);
      socket.disconnect(true);
      clock.after(gatewayLimits.lastWordsMs, () => wire.transport.socket?.terminate());
    },
  };
  return { connection, wire, lane };
};

export const startGateway = (parts: GatewayParts): Gateway => {
  const { system, counters } = parts;
  const log = system.log.child({ room: 'gateway' });
  const tabs = new Map<string, Tab>();
  const soon = (run: () => void): void => void setImmediate(run);
  const outflow = createOutflow({ clock: system.clock, soon });
  let leaving = false;

  const greetings = createGreetings({
    clock: system.clock,
    counters,
    soon,
    send: (ids) => {
      for (const id of ids) {
        const tab = tabs.get(id);
        if (tab) tab.greeted = true;
      }
      io.to([...ids]).emit('greeting', parts.greeting());
    },
    giveUp: (id) => {
      counters.add('web_tabs_too_slow');
      tabs.get(id)?.outlet.close(refuse('too-fast', 'the connection is too slow for a greeting'));
    },
  });

  const guard = createTabGuard(parts.access, system.clock, (id) => {
    counters.add('web_tabs_signed_out');
    tabs.get(id)?.outlet.close(refuse('signed-out'));
  });
  /** Who opened a connection, from its admission to its tab. */
  const visitors = new WeakMap<IncomingMessage, Visitor>();

  const admit = (request: IncomingMessage): Refusal | undefined => {
    const verdict = checkNames(parts.names, { host: request.headers.host, origin: request.headers.origin });
    if (!verdict.ok) return refuse('wrong-origin', `${verdict.header} ${verdict.name}`);
    if (leaving) return refuse('leaving');
    if (tabs.size >= gatewayLimits.maxTabs) return refuse('try-later', 'this web node has as many tabs as it takes');
    const visitor = parts.access.visitor(request.headers);
    if (!visitor) return refuse('signed-out');
    visitors.set(request, visitor);
    return undefined;
  };

  const io = new Server(parts.http, {
    transports: ['websocket'],
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: gatewayLimits.maxReadBytes,
    pingInterval: gatewayLimits.pingIntervalMs,
    pingTimeout: gatewayLimits.pingTimeoutMs,
    connectTimeout: gatewayLimits.connectTimeoutMs,
    destroyUpgrade: !parts.sharesServer,
    allowRequest: (request, answer) => {
      const refusal = admit(request);
      if (!refusal) return answer(null, true);
      counters.add('web_connections_refused');
      // Somebody whose session has ended is no attack, and comes from every tab at once.
      if (refusal.code !== 'signed-out' && counters.worthLogging(`refused ${refusal.code}`, system.clock.monotonicMs()))
        log.warn({ code: refusal.code, detail: refusal.detail }, 'a connection was refused');
      answer(refusal.code, false);
    },
  });

  const open = (socket: Socket): void => {
    const { connection, wire, lane } = connectionOf(socket, system.clock, outflow);
    const outlet = createTabOutlet(connection, parts.present, counters);
    const { watches, history } = parts;
    const id = socket.id;
    const actor = system.spawn(tabActor({ id, outlet, watches, history, counters, clock: system.clock, log }));
    const tab: Tab = { outlet, actor, connection, lane, greeted: false };
    tabs.set(id, tab);
    counters.add('web_tabs_opened');
    // A middleware that never goes on: an event is not emitted here, or one named "error" would end the process.
    socket.use(([name, ...args]: readonly unknown[]) => {
      if (!guard.isIn(id)) return outlet.close(refuse('signed-out'));
      const told = actor.tell({ kind: 'event', name, args });
      if (!told.ok) outlet.close(refuse('too-fast'));
    });
    let takesGreeting = true;
    wire.transport.on('drain', () => {
      outlet.drained();
      // Once for every frame of every tab: nothing more is done here than must be.
      if (!takesGreeting || !tab.greeted || connection.queuedBytes() > pacingLimits.easyBytes) return;
      takesGreeting = false;
      greetings.taken(id);
    });
    socket.conn.on('packet', (packet: { data?: unknown }) => {
      if (sizeOf(packet.data) <= limits.maxBrowserMessageBytes) return;
      const refusal = refuse('too-large', `a message of ${sizeOf(packet.data)} bytes`);
      counters.add('web_messages_too_large');
      if (counters.worthLogging('too-large', system.clock.monotonicMs()))
        log.warn({ tab: id, detail: refusal.detail }, 'a tab sent too large a message and is closed');
      outlet.close(refusal);
    });
    socket.on('disconnect', (reason) => {
      tabs.delete(id);
      lane.close();
      greetings.gone(id);
      guard.gone(id);
      counters.add('web_tabs_closed');
      if (reason === 'parse error' || reason === 'transport error') counters.add('web_connections_broken');
      outlet.gone();
      actor.stop();
      // A connection is one tab: who could leave and come again on it would have a greeting and a full allowance each time.
      socket.conn.close();
    });
    // Between its admission and now the session may have ended.
    const visitor = visitors.get(socket.request);
    if (visitor && guard.join(id, visitor)) greetings.join(id);
    else outlet.close(refuse('signed-out'));
  };
  io.on('connection', open);

  const beat = system.clock.every(1000, () => {
    for (const { outlet } of tabs.values()) outlet.beat();
  });

  return {
    tabs: () => tabs.size,
    queued: () => {
      const each = [...tabs.values()].map(({ connection }) => connection.queuedBytes());
      return { bytes: each.reduce((sum, one) => sum + one, 0), maxBytes: Math.max(0, ...each) };
    },
    ungreeted: () => greetings.waiting(),
    deferred: outflow.deferred,
    overview: (bytes) => {
      for (const { outlet, greeted } of tabs.values()) if (greeted) outlet.overview(bytes);
    },
    roster: (change) => {
      const ready: string[] = [];
      for (const [id, { outlet, lane, greeted }] of tabs) {
        if (!greeted || !outlet.takesRoster(change)) continue;
        lane.flush();
        ready.push(id);
      }
      if (ready.length > 0) io.to(ready).emit('roster', change);
    },
    ingest: () => {
      for (const { outlet, greeted } of tabs.values()) if (greeted) outlet.ingest();
    },
    close: async () => {
      leaving = true;
      beat.cancel();
      guard.close();
      const all = [...tabs.values()];
      for (const { outlet } of all) outlet.close(refuse('leaving'));
      await Promise.all(all.map(({ actor }) => actor.stopped));
      // The HTTP server is its owner's to close.
      io.engine.close();
    },
  };
};
