/** The reply in a question of a peer: made while the question is read, bound to the ask of the local actor when it is put to it. */
import { asReply } from '../system/reply.ts';

export class QuestionReply {
  #to: ((value: unknown) => void) | undefined;
  readonly call = (value: unknown): void => this.#to?.(value);

  bind(to: (value: unknown) => void, untilMs: number): void {
    this.#to = to;
    asReply(this.call, untilMs);
  }
}
