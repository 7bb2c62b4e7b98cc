/**
 * The newest values are shown at once, whatever the store does: what an agent has put into its queue is offered to the live view soon after, as
 * long as its connection stands and nobody on it stands still. Whoever disturbs a connection says so here, and nothing more is asked of it.
 */
import type { Batch } from '@thrum/actors/wire/batch';
import type { Line } from './balancer.ts';
import type { KeptRecord } from './ledger.ts';

const keyOf = ({ host, epoch, seq }: { host: string; epoch: number; seq: number }): string => `${host}:${epoch}:${seq}`;

type Awaited = { readonly key: string; readonly line: Line; readonly dueMs: number };

export class LiveCheck {
  readonly #broken: (what: string, detail: string) => void;
  readonly #withinMs: number;
  readonly #spoiled = new WeakSet<Line>();
  #awaited: Awaited[] = [];
  readonly #shown = new Set<string>();

  constructor(options: { broken: (what: string, detail: string) => void; withinMs: number }) {
    this.#broken = options.broken;
    this.#withinMs = options.withinMs;
  }

  /** It is in the queue, and the agent's conversation over this line is open. */
  kept(record: KeptRecord, line: Line, nowMs: number): void {
    if (!this.#spoiled.has(line)) this.#awaited.push({ key: keyOf(record), line, dueMs: nowMs + this.#withinMs });
  }

  shown(host: string, { epoch, seq }: Batch): void {
    const key = keyOf({ host, epoch, seq });
    if (this.#shown.has(key)) this.#broken('live is shown once', `${key} is shown again`);
    this.#shown.add(key);
  }

  spoil(line: Line): void {
    this.#spoiled.add(line);
  }

  look(nowMs: number): void {
    const due = this.#awaited.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0) return;
    this.#awaited = this.#awaited.filter(({ dueMs }) => dueMs > nowMs);
    for (const { key, line } of due)
      if (!line.wire.isOver() && !this.#spoiled.has(line) && !this.#shown.has(key))
        this.#broken('live is never late', `${key} is not shown ${this.#withinMs} ms after it was measured`);
  }
}
