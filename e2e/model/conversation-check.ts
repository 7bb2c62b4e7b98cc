/** What one connection may carry, judged at the node's end of it: no more on the way than the window, nothing of a backlog while none is wanted. */
import { answerMs } from '../../agent/src/uplink/delivery.ts';
import { readBatchHeader } from '@thrum/actors/wire/batch';
import type { Ack, Busy, Pace, Welcome } from '@thrum/actors/wire/ingest-to-agent';

export type ConversationCheck = {
  /** The node says this. */
  told(event: string, message: unknown): void;
  /** The agent says this; `look` lets the node look at it. */
  came(event: string, args: readonly unknown[], look: () => void): void;
};

export const newConversationCheck = (options: {
  readonly nowMs: () => number;
  /** What the node says is known to the agent, and what the agent sent before has arrived, after so long. */
  readonly roundTripMs: () => number;
  readonly broken: (what: string, detail: string) => void;
}): ConversationCheck => {
  const { nowMs, broken } = options;
  /** When each came. What gets no answer for long leaves the window of the agent, which sends it again. */
  const unanswered = new Map<string, number>();
  let window = 0;
  /** Since when nothing of a backlog is wanted. */
  let closedSinceMs: number | undefined;
  const granted = (backlog: number | undefined): void => {
    if (backlog === undefined) return;
    closedSinceMs = backlog === 0 ? (closedSinceMs ?? nowMs()) : undefined;
  };
  return {
    told: (event, message) => {
      if (event === 'welcome') {
        ({ window } = message as Welcome);
        granted((message as Welcome).backlog);
      } else if (event === 'pace') granted((message as Pace).backlog);
      else if (event === 'busy') unanswered.delete(`${(message as Busy).epoch}:${(message as Busy).seq}`);
      else if (event === 'ack')
        for (const [from, to] of (message as Ack).ranges)
          for (let seq = from; seq <= to; seq += 1) unanswered.delete(`${(message as Ack).epoch}:${seq}`);
    },
    came: (event, [bytes, notLive], look) => {
      const header = event === 'batch' ? readBatchHeader(bytes as Uint8Array) : undefined;
      if (!header) return look();
      if (notLive === true && closedSinceMs !== undefined && nowMs() - closedSinceMs > options.roundTripMs())
        broken('the pace is kept', `${header.epoch}:${header.seq} is sent though no backlog is wanted`);
      unanswered.set(`${header.epoch}:${header.seq}`, nowMs());
      look();
      const young = unanswered.values().reduce((sum, cameMs) => sum + Number(nowMs() - cameMs < answerMs), 0);
      if (young > window) broken('bounds', `${young} batches on the way, the window is ${window}`);
    },
  };
};
