/**
 * The page's connection to the fleet, as one object that all pages share: it hears the socket, keeps fleet and watched host, judges
 * the link, and gives a dead link up. Everything shown is derived from here; nothing here knows a page.
 */
import type { PastOutcome, PastQuestion } from '@thrum/actors/wire/browser-to-web';
import type { EventAnswer, EventQuestion } from '@thrum/actors/wire/event-question';
import { frameKind, frameKinds } from '@thrum/actors/wire/frame';
import type { HistoryOutcome, Question } from '@thrum/actors/wire/question';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';
import { protocolVersion } from '@thrum/actors/wire/version';
import type { IngestNode } from '@thrum/actors/wire/web-to-browser';
import { Fleet, type StateChange } from './fleet.svelte.ts';
import { isCutOff, linkState, silenceMs, type LinkState } from './link-state.ts';
import { pageClock } from './page-clock.svelte.ts';
import { openLink, type Hearing, type Link } from './socket.ts';
import { storeOutage } from './store-outage.ts';
import { TimeAnchor } from './time-anchor.ts';
import { Watch } from './watch.svelte.ts';
import { who } from './who.svelte.ts';

/** A tick this late means the page itself was held up (sleep, a debugger): silence is judged at the next one. */
const heldUpMs = 1000;
/** A hung connection is given up this long after the first sign, and again as often while it stays silent. */
const giveUpEveryMs = 2500;
const surveyEveryMs = 1000;

class Dashboard {
  readonly fleet = new Fleet();
  link = $state.raw<LinkState>({ kind: 'connecting' });
  watched = $state.raw<Watch | undefined>(undefined);
  ingest = $state.raw<readonly IngestNode[]>([]);
  greeted = $state(false);
  /** Name of the web node that serves this page, and whether it speaks another version of the protocol than this page. */
  node = $state('');
  outdated = $state(false);
  /** Why the web node turned this page down; cleared by the next greeting. */
  refusal = $state.raw<Refusal | undefined>(undefined);
  /** What happened to states in the last second, for who announces it. */
  changes = $state.raw<readonly StateChange[]>([]);
  readonly cutOff = $derived(isCutOff(this.link));
  /** Undefined while the store answers. */
  readonly storeOutage = $derived(storeOutage(this.ingest, this.wallMs(pageClock.nowMs)));

  /** Wall time by the web node's clock. */
  readonly anchor = new TimeAnchor();
  #socket: Link | undefined;
  #startedMs = 0;
  #heardMs: number | undefined;
  #lostMs: number | undefined;
  #overviewMs: number | undefined;
  #noIngestSinceMs: number | undefined;
  #givenUpMs = Number.NEGATIVE_INFINITY;
  #surveyedMs = Number.NEGATIVE_INFINITY;

  /** Opens the connection and keeps it. Returns what ends it and forgets all that came over it. */
  start(): () => void {
    this.#startedMs = performance.now();
    this.#socket = openLink(this.#hearing());
    const stopTicks = pageClock.onTick((nowMs, lateMs) => this.#tick(nowMs, lateMs));
    const judge = (): void => this.#judge(performance.now());
    const seen = (): void => {
      if (document.visibilityState !== 'visible') return;
      this.fleet.see();
      this.watched?.see();
    };
    addEventListener('online', judge);
    addEventListener('offline', judge);
    document.addEventListener('visibilitychange', seen);
    return () => {
      stopTicks();
      removeEventListener('online', judge);
      removeEventListener('offline', judge);
      document.removeEventListener('visibilitychange', seen);
      this.#socket?.close();
      this.#socket = undefined;
      this.#forget();
    };
  }

  /** Turns to a host, or to none. */
  watch(hostId: string | undefined): void {
    if (this.watched?.hostId === hostId) return;
    if (hostId === undefined) {
      this.watched = undefined;
      this.#socket?.watch({ host: null });
      return;
    }
    this.watched = new Watch(hostId, () => this.#socket?.watch({ host: hostId }));
    if (this.greeted) this.watched.begin(performance.now());
  }

  /** The server answers a question with its own kind of answer. */
  ask(question: Question): Promise<HistoryOutcome> {
    return this.#ask(question) as Promise<HistoryOutcome>;
  }

  askEvents(question: EventQuestion): Promise<EventAnswer | Refusal> {
    return this.#ask(question) as Promise<EventAnswer | Refusal>;
  }

  /** Wall time over there at a moment of the monotonic clock; until something was heard, this machine's. */
  wallMs(monotonicMs: number): number {
    return this.anchor.at(monotonicMs) ?? Date.now() - performance.now() + monotonicMs;
  }

  /** Name of an ingest node, for people. */
  nodeName(id: string): string {
    return this.ingest.find((node) => node.id === id)?.name ?? id;
  }

  #ask(question: PastQuestion): Promise<PastOutcome> {
    return this.#socket?.ask(question) ?? Promise.resolve(refuse('deadline', 'this page has no connection yet'));
  }

  #hearing(): Hearing {
    return {
      heard: () => {
        this.#heardMs = performance.now();
      },
      unreached: () => who.doubt(),
      up: () => {
        who.confirm();
        this.#lostMs = undefined;
        this.#judge(performance.now());
      },
      down: () => {
        this.#lostMs ??= performance.now();
        this.#judge(performance.now());
      },
      greeting: (greeting) => {
        const nowMs = performance.now();
        this.anchor.note(greeting.serverMs, nowMs);
        this.refusal = undefined;
        this.outdated = greeting.protocol !== protocolVersion;
        this.node = greeting.node;
        this.#setIngest(greeting.ingest, nowMs);
        this.#overviewMs = nowMs;
        this.fleet.greet(greeting, nowMs, pageClock.visible);
        this.greeted = true;
        this.watched?.begin(nowMs);
        this.#judge(nowMs);
        this.#survey(nowMs);
      },
      roster: (change) => {
        this.fleet.roster(change);
        this.#survey(performance.now());
      },
      ingest: (nodes) => this.#setIngest(nodes, performance.now()),
      beat: (serverMs) => this.anchor.note(serverMs, performance.now()),
      frame: (bytes) => {
        const nowMs = performance.now();
        if (frameKind(bytes) === frameKinds.overview) {
          this.#overviewMs = nowMs;
          this.fleet.frame(bytes, nowMs, pageClock.visible);
        } else this.watched?.frame(bytes, nowMs, pageClock.visible);
      },
      snapshot: (bytes) => {
        const nowMs = performance.now();
        this.watched?.snapshot(bytes, nowMs, this.anchor.at(nowMs), pageClock.visible);
      },
      snapshotRefused: (refusal) => this.watched?.refused(refusal),
      refused: (refusal) => {
        if (refusal.code === 'signed-out') return who.ended();
        this.refusal = refusal;
      },
    };
  }

  #forget(): void {
    this.fleet.forget();
    this.link = { kind: 'connecting' };
    this.watched = undefined;
    this.ingest = [];
    this.greeted = false;
    this.node = '';
    this.refusal = undefined;
    this.changes = [];
    this.#heardMs = undefined;
    this.#lostMs = undefined;
    this.#overviewMs = undefined;
    this.#noIngestSinceMs = undefined;
  }

  #setIngest(nodes: readonly IngestNode[], nowMs: number): void {
    this.ingest = nodes;
    this.#noIngestSinceMs = nodes.length > 0 ? undefined : (this.#noIngestSinceMs ?? nowMs);
  }

  #tick(nowMs: number, lateMs: number): void {
    if (lateMs > heldUpMs) return;
    this.#judge(nowMs);
    if (nowMs - this.#surveyedMs >= surveyEveryMs) this.#survey(nowMs);
    const silentMs = nowMs - (this.#heardMs ?? nowMs);
    if (this.#socket?.connected !== true || silentMs < silenceMs || nowMs - this.#givenUpMs < giveUpEveryMs) return;
    // The socket looks open and nobody speaks: the node hangs or the network swallows. Another connection may reach another node.
    this.#givenUpMs = nowMs;
    this.#socket.restart();
  }

  #judge(nowMs: number): void {
    this.link = linkState({
      nowMs,
      startedMs: this.#startedMs,
      connected: this.#socket?.connected ?? false,
      lostMs: this.#lostMs,
      heardMs: this.#heardMs,
      browserOnline: navigator.onLine,
      noIngestSinceMs: this.#noIngestSinceMs,
      overviewMs: this.#overviewMs,
      // Ingest nodes send a frame every second, an empty one when all their hosts are silent.
      expectsOverview: this.ingest.length > 0,
    });
  }

  #survey(nowMs: number): void {
    this.#surveyedMs = nowMs;
    this.changes = this.fleet.survey(nowMs, this.cutOff);
  }
}

export const dashboard = new Dashboard();
