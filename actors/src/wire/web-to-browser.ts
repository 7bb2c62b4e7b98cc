/** What a web node says to a browser. Types only: a page trusts the node it came from. */
import type { OverviewColumn } from './frame.ts';
import type { Refusal } from './refusal.ts';
import type { RosterEntry } from './roster.ts';

/** First message on every connection: everything the overview shows, without asking anybody. */
export type Greeting = {
  readonly protocol: number;
  readonly node: string;
  readonly version: string;
  readonly serverMs: number;
  readonly roster: readonly RosterEntry[];
  readonly columns: readonly OverviewColumn[];
  /**
   * Two overview frames: the rows of the last minute for the spark lines, oldest first (a host stands there many times), and the last row
   * of every host. Ages are those of now, not of when the rows arrived at the web node.
   */
  readonly overview: readonly Uint8Array[];
  readonly ingest: readonly IngestNode[];
};

export type IngestNode = {
  readonly id: string;
  readonly name: string;
  /** Since when its store does not answer, by its own wall clock; null while it does, and until it has said so. */
  readonly storeAwaySinceMs: number | null;
};

export type WebToBrowser = {
  greeting: (greeting: Greeting) => void;
  /** Entries that changed; `gone` are hosts nobody knows any more. */
  roster: (change: { readonly entries: readonly RosterEntry[]; readonly gone: readonly string[] }) => void;
  /** Ingest nodes this web node is linked to, and how their stores do; an empty list means the path is cut behind the web node. */
  ingest: (nodes: readonly IngestNode[]) => void;
  /** A host frame, overview frame or snapshot (`frame.ts`). A snapshot with `gzip: true` is compressed as a whole. */
  frame: (bytes: Uint8Array) => void;
  snapshot: (bytes: Uint8Array, how: { readonly gzip: boolean }) => void;
  /** The watched host's snapshot could not be had; frames may still come. */
  snapshotRefused: (refusal: Refusal & { readonly host: string }) => void;
  /** Why the connection is about to be closed. */
  refused: (refusal: Refusal) => void;
  /** Once a second when nothing else was said, so that silence is a sign. */
  beat: (serverMs: number) => void;
};
