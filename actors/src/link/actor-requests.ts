/** What peers want of the actors of this node: tells, questions, stops, watches, names. Bounded per peer; what is too much is counted. */
import type { StopReason } from '../system/actor-system.ts';
import type { Clock } from '../system/clock.ts';
import { errorMessage } from '../system/describe-error.ts';
import type { ActorPort } from './actor-traffic.ts';
import type { TrafficCounts } from './actor-traffic-counts.ts';
import type { Exports } from './exports.ts';
import type { ActorMessage } from './messages.ts';
import type { Names } from './names.ts';
import type { NodeInfo } from './node-info.ts';
import { QuestionReply } from './question-reply.ts';
import { RemoteRef } from './remote-ref.ts';
import type { RemoteActors } from './remote-side.ts';

/** No question of a peer is at work longer, whatever it asks for. */
const longestAskMs = 10 * 60_000;
/** As many as a node may have under way to all. */
const maxQuestionsPerPeer = 20_000;

export type ActorRequests = {
  take(from: NodeInfo, message: ActorMessage): void;
  sayDown(peerId: string, actor: number, reason: StopReason): void;
  sayNames(peerId: string): void;
  forget(peerId: string): void;
};

export const createActorRequests = (options: {
  port: ActorPort;
  exports: Exports;
  names: Names<RemoteRef<never>>;
  remote: RemoteActors;
  clock: Clock;
  counts: TrafficCounts;
}): ActorRequests => {
  const { port, exports, names, remote, clock, counts } = options;
  const questions = new Map<string, number>();

  const sayDown = (peerId: string, actor: number, reason: StopReason): void => {
    const detail = reason.kind === 'failed' ? errorMessage(reason.error) : reason.kind === 'lost' ? reason.detail : '';
    port.send(peerId, { kind: 'down', actor, reason: reason.kind, detail });
  };
  const sayNames = (peerId: string): void => {
    const all = [...names.own].map(([name, { id }]) => [name, id] as const);
    port.send(peerId, { kind: 'names', all: true, names: all });
  };

  const question = async (from: NodeInfo, message: ActorMessage & { kind: 'question' }): Promise<void> => {
    const refuse = (code: string, detail: string): void => port.answer(from, message.id, { ok: false, detail, code });
    const exported = exports.get(message.actor);
    if (!exported) {
      counts.unreached += 1;
      refuse('stopped', 'no such actor');
      return;
    }
    const atWork = questions.get(from.id) ?? 0;
    if (atWork >= maxQuestionsPerPeer) {
      counts.refused += 1;
      refuse('full', `${atWork} questions of this node are at work`);
      return;
    }
    questions.set(from.id, atWork + 1);
    const deadlineMs = Math.min(longestAskMs, message.deadlineMs);
    const outcome = await exported.actor.ask(
      (reply) => {
        if (message.noted instanceof QuestionReply) message.noted.bind(reply, clock.monotonicMs() + deadlineMs);
        return message.body;
      },
      { deadlineMs },
    );
    const left = (questions.get(from.id) ?? 1) - 1;
    if (left > 0) questions.set(from.id, left);
    else questions.delete(from.id);
    if (outcome.ok) port.answer(from, message.id, outcome);
    else refuse(outcome.reason, `the actor did not answer: ${outcome.reason}`);
  };

  const learnNames = (from: NodeInfo, message: ActorMessage & { kind: 'names' }): void => {
    if (message.all) names.forget(from.id);
    for (const [name, id] of message.names)
      if (!names.learn(from.id, name, new RemoteRef(remote, from, id))) counts.refused += 1;
  };

  const watch = (from: NodeInfo, actor: number): void => {
    const exported = exports.get(actor);
    if (port.rules.isGone(exported !== undefined)) sayDown(from.id, actor, { kind: 'stopped' });
    else if (exported && !exports.watch(exported, from.id)) {
      counts.refused += 1;
      sayDown(from.id, actor, { kind: 'lost', detail: 'its node lets this one watch no more actors' });
    }
  };

  const take = (from: NodeInfo, message: ActorMessage): void => {
    switch (message.kind) {
      case 'send': {
        const exported = exports.get(message.actor);
        if (!exported) counts.unreached += 1;
        else if (!exported.actor.tell(message.body).ok) counts.undelivered += 1;
        break;
      }
      case 'question':
        void question(from, message);
        break;
      case 'stop': {
        const exported = exports.get(message.actor);
        if (!exported) counts.unreached += 1;
        else if (port.rules.mayStop(exported.named)) exported.actor.stop();
        else counts.refused += 1;
        break;
      }
      case 'watch':
        watch(from, message.actor);
        break;
      case 'unwatch':
        exports.unwatch(message.actor, from.id);
        break;
      case 'down': {
        const { reason, detail } = message;
        const error = new Error(detail);
        const why: StopReason =
          reason === 'stopped'
            ? { kind: reason }
            : reason === 'lost'
              ? { kind: reason, detail }
              : { kind: reason, error };
        remote.down(from, message.actor, why);
        break;
      }
      case 'names':
        learnNames(from, message);
        break;
      case 'unname':
        names.unlearn(from.id, message.name);
        break;
      case 'who':
        sayNames(from.id);
        break;
    }
  };

  return {
    take,
    sayDown,
    sayNames,
    forget: (peerId) => {
      exports.forget(peerId);
      if (!port.rules.keepsNames()) names.forget(peerId);
    },
  };
};
