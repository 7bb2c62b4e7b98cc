/** A reference to an actor of another node. Holds nothing but who that is; `path` is the same for every reference to one actor. */
import type { ActorRef, AskOutcome, StopReason, TellOutcome } from '../system/actor-system.ts';
import type { Life } from './rules.ts';

/** What a reference does, done by the node that holds it. */
export type RemoteSide = {
  tell(ref: RemoteRef<never>, message: unknown): TellOutcome;
  ask<R>(
    ref: RemoteRef<never>,
    make: (reply: (value: R) => void) => unknown,
    deadlineMs: number,
  ): Promise<AskOutcome<R>>;
  stop(ref: RemoteRef<never>): void;
  stopped(ref: RemoteRef<never>): Promise<StopReason>;
};

export class RemoteRef<M> implements ActorRef<M> {
  readonly life: Life;
  readonly id: number;
  readonly #side: RemoteSide;
  #stopped: Promise<StopReason> | undefined;

  constructor(side: RemoteSide, life: Life, id: number) {
    this.#side = side;
    this.life = life;
    this.id = id;
  }

  get path(): string {
    return `mesh:${this.life.id}/${this.life.incarnation}/${this.id}`;
  }

  tell(message: M): TellOutcome {
    return this.#side.tell(this, message);
  }

  ask<R>(make: (reply: (value: R) => void) => M, options: { deadlineMs: number }): Promise<AskOutcome<R>> {
    return this.#side.ask(this, make, options.deadlineMs);
  }

  stop(): void {
    this.#side.stop(this);
  }

  /** Watches the actor from the first time it is read. */
  get stopped(): Promise<StopReason> {
    return (this.#stopped ??= this.#side.stopped(this));
  }

  /** Not known from here. */
  mailboxSize(): number {
    return 0;
  }
}
