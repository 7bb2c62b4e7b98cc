/**
 * What this node serves to its peers: handlers by name. A handler that throws, or whose promise fails, costs its caller a 'failed' and nobody
 * else anything. Of one peer at most `maxRunningPerPeer` questions are at work at a time.
 */
import { errorMessage } from '../system/describe-error.ts';
import type { Log } from '../system/log.ts';
import type { LinkCounts } from './link-counts.ts';
import type { NodeInfo } from './node-info.ts';

export type Handler = (message: unknown, from: NodeInfo) => unknown;
/** `code`, of an actor: why it gave no answer. */
export type Answer = { ok: true; value: unknown } | { ok: false; detail: string; code?: string };

const maxRunningPerPeer = 500;

export class Endpoints {
  readonly #log: Log;
  readonly #counts: LinkCounts;
  readonly #handlers = new Map<string, Handler>();
  readonly #running = new Map<string, number>();

  constructor(log: Log, counts: LinkCounts) {
    this.#log = log;
    this.#counts = counts;
  }

  /** Throws when the name is taken: two rooms that serve one endpoint are a mistake. */
  serve(endpoint: string, handler: Handler): () => void {
    if (this.#handlers.has(endpoint)) throw new Error(`endpoint ${endpoint} is served already`);
    this.#handlers.set(endpoint, handler);
    return () => {
      if (this.#handlers.get(endpoint) === handler) this.#handlers.delete(endpoint);
    };
  }

  told(endpoint: string, body: unknown, from: NodeInfo): void {
    const handler = this.#handlers.get(endpoint);
    if (!handler) {
      this.#counts.unserved += 1;
      return;
    }
    try {
      const handling = handler(body, from);
      if (handling instanceof Promise) handling.catch((error: unknown) => this.#failed(endpoint, from, error));
    } catch (error) {
      this.#failed(endpoint, from, error);
    }
  }

  async asked(endpoint: string, body: unknown, from: NodeInfo): Promise<Answer> {
    const handler = this.#handlers.get(endpoint);
    if (!handler) {
      this.#counts.unserved += 1;
      return { ok: false, detail: `nobody serves ${endpoint.slice(0, 100)} here` };
    }
    const running = this.#running.get(from.id) ?? 0;
    if (running >= maxRunningPerPeer) return { ok: false, detail: `${running} questions of this node are at work` };
    this.#running.set(from.id, running + 1);
    try {
      return { ok: true, value: await handler(body, from) };
    } catch (error) {
      this.#failed(endpoint, from, error);
      return { ok: false, detail: errorMessage(error) };
    } finally {
      const left = (this.#running.get(from.id) ?? 1) - 1;
      if (left > 0) this.#running.set(from.id, left);
      else this.#running.delete(from.id);
    }
  }

  #failed(endpoint: string, from: NodeInfo, error: unknown): void {
    this.#counts.handlerFailures += 1;
    this.#log.warn({ endpoint, from: from.name, error }, 'a message of a peer could not be handled');
  }
}
