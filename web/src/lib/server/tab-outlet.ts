/**
 * What goes out to one tab. Live news come as plain calls from the fan-out and are paced (`pacing.ts`); what cannot go now is only
 * remembered as "owed", and when the connection has room again its state of that moment is fetched and sent: latest wins.
 */
import type { RosterEntry } from '@thrum/actors/wire/roster';
import type { Refusal } from '@thrum/actors/wire/refusal';
import { refuse } from '@thrum/actors/wire/refusal';
import type { IngestNode } from '@thrum/actors/wire/web-to-browser';
import type { Counters } from './counters.ts';
import type { Viewer } from './host-watch.ts';
import { look, mayAdd, offer, startPacing, type Pacing } from './pacing.ts';
import type { PresenceChange } from '@thrum/actors/presence/presence';

/** A socket as the outlet needs it. */
export type Connection = {
  /** Bytes written and not yet taken by the operating system. */
  queuedBytes(): number;
  emit(event: 'frame', bytes: Uint8Array): void;
  emit(event: 'snapshot', bytes: Uint8Array, how: { gzip: boolean }): void;
  emit(event: 'snapshotRefused', refusal: Refusal & { host: string }): void;
  emit(event: 'roster', change: PresenceChange): void;
  emit(event: 'ingest', nodes: readonly IngestNode[]): void;
  emit(event: 'beat', serverMs: number): void;
  /** Says why and closes. */
  close(refusal: Refusal): void;
};

/** Where the state of now is fetched from when something is owed. */
export type Present = {
  nowMs(): number;
  serverMs(): number;
  overview(): Uint8Array;
  roster(hostId: string): RosterEntry | undefined;
  ingest(): readonly IngestNode[];
};

/** Bytes of one roster entry as JSON, roughly: only for pacing. */
const entryBytes = 700;

export type TabOutlet = ReturnType<typeof createTabOutlet>;

export const createTabOutlet = (connection: Connection, present: Present, counters: Counters) => {
  let pacing: Pacing = startPacing;
  let quiet = true;
  let closed = false;
  let watching: { host: string; again: () => void } | undefined;
  let onRoom: (() => void) | undefined;
  const owed = { overview: false, ingest: false, snapshot: false, frame: undefined as Uint8Array | undefined };
  const owedHosts = new Set<string>();

  const close = (refusal: Refusal): void => {
    if (closed) return;
    closed = true;
    connection.close(refusal);
  };

  const tooSlow = (): void => {
    counters.add('web_tabs_too_slow');
    close(refuse('too-fast', 'the connection is too slow for what is watched'));
  };

  /** Whether `bytes` may go now; frames that may not are counted. */
  const paced = (bytes: number): boolean => {
    if (closed) return false;
    const queuedBytes = connection.queuedBytes();
    if (queuedBytes === 0) {
      // Almost every frame of almost every tab: there is nothing to weigh.
      pacing = startPacing;
      quiet = false;
      return true;
    }
    const offered = offer(pacing, bytes, queuedBytes, present.nowMs());
    pacing = offered.pacing;
    if (offered.verdict === 'close') tooSlow();
    if (offered.verdict !== 'send') return false;
    quiet = false;
    return true;
  };

  const sendRoster = (hosts: ReadonlySet<string>): void => {
    const entries: RosterEntry[] = [];
    const gone: string[] = [];
    for (const host of hosts) {
      const entry = present.roster(host);
      if (entry) entries.push(entry);
      else gone.push(host);
    }
    connection.emit('roster', { entries, gone });
  };

  /** Pays what is owed, as far as there is room, the smallest and most important first. */
  const pay = (): void => {
    if (closed) return;
    if (owed.ingest && paced(1000)) {
      owed.ingest = false;
      connection.emit('ingest', present.ingest());
    }
    if (owedHosts.size > 0 && paced(owedHosts.size * entryBytes)) {
      sendRoster(owedHosts);
      owedHosts.clear();
    }
    if (owed.snapshot && watching && mayAdd(0, connection.queuedBytes())) {
      owed.snapshot = false;
      owed.frame = undefined;
      watching.again();
    }
    if (owed.frame && paced(owed.frame.length)) {
      connection.emit('frame', owed.frame);
      owed.frame = undefined;
    }
    if (owed.overview) {
      const bytes = present.overview();
      if (paced(bytes.length)) {
        owed.overview = false;
        connection.emit('frame', bytes);
      }
    }
    if (onRoom && mayAdd(0, connection.queuedBytes())) {
      const run = onRoom;
      onRoom = undefined;
      run();
    }
  };

  const isOwing = (): boolean =>
    owed.overview || owed.ingest || owed.snapshot || owed.frame !== undefined || owedHosts.size > 0 || !!onRoom;

  /** The viewer of one host: what the watch calls, until the tab looks elsewhere. */
  const viewerOf = (host: string): Viewer => {
    const isCurrent = (): boolean => watching?.host === host;
    return {
      snapshot: (bytes, gzip) => {
        if (!isCurrent()) return;
        if (paced(bytes.length)) connection.emit('snapshot', bytes, { gzip });
        else owed.snapshot = true;
      },
      refused: (refusal) => {
        if (!closed && isCurrent()) connection.emit('snapshotRefused', { ...refusal, host });
      },
      frame: (bytes) => {
        if (!isCurrent() || owed.snapshot) return;
        if (owed.frame === undefined && paced(bytes.length)) return connection.emit('frame', bytes);
        if (owed.frame) counters.add('web_frames_skipped');
        owed.frame = new Uint8Array(bytes);
      },
    };
  };

  return {
    close,
    isClosed: (): boolean => closed,
    /** The connection has ended by itself. */
    gone: (): void => void (closed = true),

    /** Looks at `host` from now on; `again` has its snapshot sent once more. Whatever the host before was owed is forgotten. */
    watch: (host: string | undefined, again: () => void = () => undefined): Viewer | undefined => {
      owed.snapshot = false;
      owed.frame = undefined;
      watching = host === undefined ? undefined : { host, again };
      return host === undefined ? undefined : viewerOf(host);
    },

    overview: (bytes: Uint8Array): void => {
      // A frame holds only the rows that are new: the next one does not replace one that was skipped, the whole overview does.
      if (!owed.overview && paced(bytes.length)) return connection.emit('frame', bytes);
      counters.add('web_frames_skipped');
      owed.overview = true;
    },

    /** True when the change may be sent now, by the caller, to all tabs that say so: encoded once. Otherwise it is owed. */
    takesRoster: (change: PresenceChange): boolean => {
      if (owedHosts.size === 0 && paced((change.entries.length + change.gone.length) * entryBytes)) return true;
      for (const entry of change.entries) owedHosts.add(entry.hostId);
      for (const host of change.gone) owedHosts.add(host);
      return false;
    },

    ingest: (): void => {
      owed.ingest = true;
      pay();
    },

    /** Runs `run` as soon as there is room for a large message, which may be now. One at a time. */
    whenRoom: (run: () => void): void => {
      onRoom = run;
      pay();
    },

    /** The connection took something. */
    drained: (): void => {
      if (isOwing()) pay();
    },

    /** Once a second: silence must be a sign. */
    beat: (): void => {
      if (closed) return;
      const seen = look(pacing, connection.queuedBytes(), present.nowMs());
      pacing = seen.pacing;
      if (seen.close) return tooSlow();
      if (isOwing()) pay();
      if (quiet && pacing.over === undefined) connection.emit('beat', present.serverMs());
      quiet = true;
    },
  };
};
