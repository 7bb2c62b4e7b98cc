/** What an actor is to others: told, asked, stopped, waited for. Outcomes are values; nothing here throws because an actor is gone or full. */
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { MailboxRule } from './mailbox.ts';
import type { RestartPolicy } from './restart-policy.ts';

/** `lost`, only of an actor on another node: that node is not linked, or not the one any more that the reference was made on. */
export type TellOutcome = { ok: true } | { ok: false; reason: 'full' | 'stopped' | 'lost' };
/** `failed`: the actor crashed on this very message. */
export type AskOutcome<R> =
  { ok: true; value: R } | { ok: false; reason: 'deadline' | 'full' | 'stopped' | 'failed' | 'lost' };
/** `lost`, only of an actor on another node: its node died or started anew, or the link to it went down; it may still live there. */
export type StopReason = { kind: 'stopped' } | { kind: 'failed'; error: unknown } | { kind: 'lost'; detail: string };

/** One kind of reference for an actor of this node and of any other (then see `link/mesh-actors.ts` for what differs). */
export type ActorRef<M> = {
  readonly path: string;
  tell(message: M): TellOutcome;
  ask<R>(make: (reply: (value: R) => void) => M, options: { deadlineMs: number }): Promise<AskOutcome<R>>;
  /** After the message it is at; those still queued become dead letters. Children stop with it. */
  stop(): void;
  /** Resolves once, when its last handler and its `stop` have ended. */
  readonly stopped: Promise<StopReason>;
  mailboxSize(): number;
};

/** What an actor is to itself. Children stop when it stops, and when it restarts. */
export type Self<M> = ActorRef<M> & {
  readonly clock: Clock;
  readonly log: Log;
  spawn<N, S>(spec: ActorSpec<N, S>): ActorRef<N>;
};

/**
 * `start` makes the state, anew after every crash. `receive` takes one message at a time, in the order they were told, and returns the next
 * state. `stop` frees what a state holds: at the end, and before a crashed actor starts anew (then `reason.kind` is 'failed').
 * A crash drops the message that caused it and keeps the queued ones.
 */
export type ActorSpec<M, S> = {
  readonly name: string;
  readonly mailbox: MailboxRule;
  readonly restart: RestartPolicy;
  start(self: Self<M>): S | Promise<S>;
  receive(state: S, message: M, self: Self<M>): S | Promise<S>;
  stop?(state: S, reason: StopReason): void | Promise<void>;
};
