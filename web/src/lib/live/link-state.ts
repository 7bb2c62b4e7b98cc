/**
 * What the link chip says, from facts alone. Three troubles that must never look alike: the browser hears nothing from its web node
 * (offline), the web node hears nothing from the hosts' side (path late), and one host is silent (which is no matter of the link).
 *
 * A frozen server keeps its socket open, so silence decides, not the socket: a web node speaks at least once a second.
 */
export type LinkFacts = {
  readonly nowMs: number;
  readonly startedMs: number;
  readonly connected: boolean;
  /** When the connection was lost, if it is. */
  readonly lostMs: number | undefined;
  /** When anything was last heard from a web node. */
  readonly heardMs: number | undefined;
  /** What the browser says of the network; only believed while there is no connection. */
  readonly browserOnline: boolean;
  /** Since when the web node has had no ingest node. */
  readonly noIngestSinceMs: number | undefined;
  /** When an overview frame was last heard. */
  readonly overviewMs: number | undefined;
  /** True when some host is connected, so that overview frames must come. */
  readonly expectsOverview: boolean;
};

export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'reconnecting'; readonly forMs: number }
  | { readonly kind: 'offline'; readonly sinceMs: number; readonly never: boolean }
  | { readonly kind: 'path-late'; readonly reason: 'no-ingest' | 'no-frames'; readonly sinceMs: number };

/** Half a beat is spared so that the page says so within 3 s of the last thing heard. */
export const silenceMs = 2500;
const firstContactMs = 3000;
const ingestGraceMs = 1000;
const overviewSilenceMs = 3000;

export const linkState = (facts: LinkFacts): LinkState => {
  if (facts.heardMs === undefined)
    return facts.nowMs - facts.startedMs < firstContactMs && facts.browserOnline
      ? { kind: 'connecting' }
      : { kind: 'offline', sinceMs: facts.startedMs, never: true };
  if (facts.nowMs - facts.heardMs >= silenceMs || (!facts.connected && !facts.browserOnline))
    return { kind: 'offline', sinceMs: facts.heardMs, never: false };
  if (!facts.connected) return { kind: 'reconnecting', forMs: facts.nowMs - (facts.lostMs ?? facts.heardMs) };
  if (facts.noIngestSinceMs !== undefined && facts.nowMs - facts.noIngestSinceMs >= ingestGraceMs)
    return { kind: 'path-late', reason: 'no-ingest', sinceMs: facts.noIngestSinceMs };
  if (facts.expectsOverview && facts.overviewMs !== undefined && facts.nowMs - facts.overviewMs >= overviewSilenceMs)
    return { kind: 'path-late', reason: 'no-frames', sinceMs: facts.overviewMs };
  return { kind: 'live' };
};

/** True while nothing on the page may be called live. */
export const isCutOff = (link: LinkState): boolean => link.kind === 'offline';
