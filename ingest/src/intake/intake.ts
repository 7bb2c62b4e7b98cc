/**
 * The door for agents: a socket.io server on the node's HTTP server, WebSocket only, one supervised actor per connection. This file owns
 * the sockets; what a connection may say and what becomes of it is decided in its session.
 *
 * The sessions' parent gets no messages: it only is their parent. Everything a socket says becomes one message to its actor, so nothing
 * an agent sends runs outside of an actor.
 */
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { Server, type Socket } from 'socket.io';
import type { ActorRef, ActorSystem } from '@thrum/actors/system/actor-system';
import type { RecentRequest } from '@thrum/actors/wire/ingest-to-agent';
import { limits } from '@thrum/actors/wire/limits';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import type { Live } from '../live/live.ts';
import type { Store } from '../store/store.ts';
import { admissionDefaults, type AdmissionLimits } from './admission.ts';
import { boundedParser, trustAttachments } from './bounded-parser.ts';
import type { Dictionaries } from './dictionaries.ts';
import { addressOf, openDoor } from './door.ts';
import { EventAllowance, type EventAllowanceLimits } from './event-allowance.ts';
import { IntakeCounts } from './intake-counts.ts';
import { boundAgent, boundStranger } from './message-size.ts';
import { startPacing } from './pacing.ts';
import { rules, type IntakeRules } from './rules.ts';
import { maxMailbox, sessionActor, type SessionMessage } from './session-actor.ts';
import { SeriesCounts, seriesCountsDefaults } from './series-counts.ts';
import { Sessions } from './sessions.ts';
import { StrangerLog } from './stranger-log.ts';
import type { Peer, Surroundings } from './surroundings.ts';
import { tokenCheck } from './token-check.ts';
import { Turns } from './turns.ts';
import { UnderWay } from './under-way.ts';
import { doesNotRead } from './unread.ts';

export type IntakeOptions = {
  readonly server: HttpServer;
  readonly system: ActorSystem;
  readonly live: Live;
  readonly store: Store;
  readonly dictionaries: Dictionaries;
  readonly token: string;
  readonly nodeName: string;
  readonly retentionMs: number;
  /** Whether the clock of the system is known to be right; without it it is. */
  readonly isTimeSure?: () => boolean;
  readonly admission?: AdmissionLimits;
  readonly eventAllowance?: EventAllowanceLimits;
  readonly helloWithinMs?: number;
  readonly rules?: Partial<IntakeRules>;
};

export type Intake = {
  /** Asks the agent that serves this host now; refuses with `host-away` or `deadline`. */
  askRecent(
    hostId: string,
    sinceMs: number,
    deadlineMs: number,
  ): Promise<{ readonly ok: true; readonly answer: unknown } | Refusal>;
  readonly counts: IntakeCounts;
  gauges(): Record<string, number>;
  /** Tells every agent to go elsewhere, waits for what is on the way to the store (bounded), and closes. */
  close(): Promise<void>;
};

/** A batch of the largest size still gets a refusal with a reason; more than this is cut off by the WebSocket itself. */
const maxMessageBytes = 2 * limits.maxBatchBytes;
/** A quiet agent is heard this often, which must be less than the 5 s after which a host is called silent. */
const pingEveryMs = 4_000;
/** Given up after this long without an answer; the host is called silent by then. */
const pingTimeoutMs = 8_000;
const closeWithinMs = 2_000;
/** Whoever held up a balancer or many agents lets go of a hundred hellos at once, and each takes about a millisecond. */
const greetingsPerTurn = 8;

type HostPeer = Peer & { ask(request: RecentRequest, deadlineMs: number): Promise<unknown> };

export const startIntake = (options: IntakeOptions): Intake => {
  const { system, server } = options;
  const { clock } = system;
  const log = system.log.child({ part: 'intake' });
  const counts = new IntakeCounts();
  const ownRules = { ...rules, ...options.rules };
  const sessions = new Sessions<HostPeer>(ownRules);
  const seriesCounts = new SeriesCounts({ ...seriesCountsDefaults, maxSeriesPerHost: limits.maxSeriesPerHost });
  const strangerLog = new StrangerLog();
  const underWay = new UnderWay();
  const eventAllowance = new EventAllowance(options.eventAllowance);
  const door = openDoor({ clock, limits: options.admission ?? admissionDefaults, counts });
  const helloWithinMs = options.helloWithinMs ?? 5_000;
  const tells = new Set<() => void>();
  const { store } = options;
  const pacing = startPacing({ clock, store, counts, sessions: () => sessions.size, tells });
  const around: Surroundings = {
    clock,
    isTimeSure: options.isTimeSure ?? (() => true),
    log,
    nodeName: options.nodeName,
    isOurToken: tokenCheck(options.token),
    dictionaries: options.dictionaries,
    sessions,
    seriesCounts,
    live: options.live,
    store,
    strangerLog,
    underWay,
    pacing,
    eventAllowance,
    rules: ownRules,
    retentionMs: options.retentionMs,
    counts,
  };
  const parent = system.spawn<never, undefined>({
    name: 'sessions',
    mailbox: { max: 1, whenFull: 'refuse' },
    restart: { times: 0, withinMs: 1000 },
    start: () => undefined,
    receive: () => undefined,
  });
  const open = new Set<ActorRef<SessionMessage>>();

  const io = new Server({
    transports: ['websocket'],
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: maxMessageBytes,
    pingInterval: pingEveryMs,
    pingTimeout: pingTimeoutMs,
    connectTimeout: helloWithinMs,
    parser: boundedParser,
    allowRequest: (request, decide) => door.knock(request, decide),
  });
  io.attach(server);

  io.engine.on('connection', (connection: EngineConnection) => {
    boundStranger(connection);
    const entry = door.enter(addressOf(connection.request));
    greeters.set(connection, entry.greeted);
    connection.on('close', entry.gone);
  });
  const greeters = new WeakMap<object, () => void>();

  const greetings = new Turns(greetingsPerTurn);
  let number = 0;
  io.on('connection', (socket: Socket) => {
    const address = addressOf(socket.request);
    let greeted = false;
    number += 1;
    let isCut = false;
    const cutUnread = (): boolean => {
      if (isCut || !doesNotRead(socket)) return isCut;
      isCut = true;
      counts.connectionsNotReading += 1;
      log.warn({ address }, 'An agent does not read what it is told; its connection is cut');
      // Not closed: that would wait for it to read.
      socket.request.socket.destroy();
      return true;
    };
    const peer: HostPeer = {
      address,
      send: (event, message) => {
        if (!cutUnread()) socket.emit(event, message);
      },
      close: () => void socket.disconnect(true),
      greeted: () => {
        greeted = true;
        trustAttachments(socket);
        boundAgent(socket.conn, maxMessageBytes);
        tells.add(tellPace);
        greeters.get(socket.conn)?.();
      },
      replaced: (quietly) => void actor.tell({ kind: 'replaced', quietly }),
      superseded: () => void actor.tell({ kind: 'superseded' }),
      ask: (request, deadlineMs) => socket.timeout(deadlineMs).emitWithAck('recent', request),
    };
    const actor = system.spawn(sessionActor(`agent-${number}`, around, peer), parent);
    open.add(actor);
    const tellPace = (): void => void actor.tell({ kind: 'pace' });
    const overdue = clock.after(helloWithinMs, () => void actor.tell({ kind: 'overdue' }));
    const shut = (refusal: Refusal): void => {
      counts.refuse(refusal.code);
      socket.emit('refused', refusal);
      socket.disconnect(true);
    };
    const tooFast = (): void => {
      const line = greeted ? {} : strangerLog.worthLogging('too-fast', clock.monotonicMs());
      if (line) log.warn({ address, ...line }, 'An agent sends faster than it may; its connection is closed');
      else counts.refusalsNotLogged += 1;
      shut(refuse('too-fast', 'more messages than the window allows'));
    };
    const offer = (message: SessionMessage): void => {
      if (cutUnread()) return;
      const told = actor.tell(message);
      if (!told.ok && told.reason !== 'stopped' && socket.connected) tooFast();
    };
    /** Messages that wait for their turn: the hello and what came before it was heard. */
    let early = 0;
    const offerInTurn = (message: SessionMessage): void => {
      if (early >= maxMailbox) return socket.connected ? tooFast() : undefined;
      early += 1;
      greetings.add(() => {
        early -= 1;
        offer(message);
      });
    };
    socket.onAny((event: unknown, ...args: unknown[]) => {
      const said = { kind: 'said', event: String(event), args } as const;
      if (greeted && early === 0) offer(said);
      else offerInTurn(said);
    });
    socket.conn.on('heartbeat', () => offer({ kind: 'heard' }));
    // What came was no packet, or more binary data than this connection may send (none before a hello); socket.io closes it next. An agent
    // may also send an event of this name, which is one nobody knows like others and has been told to the actor above.
    socket.on('error', (error: unknown) => {
      if (error instanceof Error) shut(refuse(greeted ? 'malformed' : 'hello-first', error.message.slice(0, 200)));
    });
    socket.on('disconnect', (reason) => {
      overdue.cancel();
      // Told rather than stopped at once, so that what came before is still taken; a full mailbox is stopped.
      if (!actor.tell({ kind: 'gone', unheard: reason === 'ping timeout' }).ok) actor.stop();
      else setImmediate(() => actor.stop());
    });
    void actor.stopped.then((reason) => {
      open.delete(actor);
      tells.delete(tellPace);
      if (reason.kind !== 'failed') return;
      counts.sessionsFailed += 1;
      if (socket.connected) shut(refuse('try-later', 'this node failed on a message; connect again'));
    });
  });

  const askRecent: Intake['askRecent'] = async (hostId, sinceMs, deadlineMs) => {
    const peer = sessions.find(hostId);
    if (!peer) return refuse('host-away', hostId);
    try {
      return { ok: true, answer: await peer.ask({ sinceMs }, deadlineMs) };
    } catch {
      return refuse('deadline', 'the agent did not answer');
    }
  };

  const close = async (): Promise<void> => {
    door.close();
    pacing.close();
    for (const actor of open) actor.tell({ kind: 'leave' });
    await Promise.race([
      Promise.all([...open].map((actor) => actor.stopped)),
      new Promise<void>((resolve) => clock.after(closeWithinMs, resolve)),
    ]);
    parent.stop();
    await io.close();
  };

  return {
    askRecent,
    counts,
    gauges: () => ({
      ...door.gauges(),
      sessions: sessions.size,
      batchesUnderWay: underWay.size,
      seriesCountsHeld: seriesCounts.hosts,
      seriesCountsForgottenEarly: seriesCounts.forgottenEarly,
      dictionaries: options.dictionaries.size,
      hostsTellingEvents: eventAllowance.hosts,
      ...pacing.gauges(),
    }),
    close,
  };
};

type EngineConnection = { readonly request: IncomingMessage; on(event: 'close', listener: () => void): void };
