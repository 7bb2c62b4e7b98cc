/**
 * Actors across nodes: messages to one arrive in the order they were told and at most once, a question comes back once, and a watch gives one DOWN:
 * when the actor stopped, its node ended, or the link to it was lost, and never without such a reason.
 */
import type { ActorRef, StopReason } from '../../system/actor-system.ts';
import type { GuaranteeMaker } from '../guarantee.ts';
import type { SimNode } from '../mesh.ts';

type Message =
  | { kind: 'count'; to: string; start: number; number: number }
  | { kind: 'ask'; number: number; reply(value: number): void };
type Target = { readonly name: string; readonly ref: ActorRef<Message>; readonly of: SimNode; stopped: boolean };
type Watch = {
  readonly by: SimNode;
  readonly target: Target;
  /** How often the link from the watcher to the target's node had been lost. */
  readonly lossesBefore: number;
  downs: number;
  stopped: boolean;
};

const maxActors = 4;
const askDeadlineMs = 1000;

export const oneDown: GuaranteeMaker = {
  name: 'one-down',
  works: true,
  make: ({ mesh, broken }) => {
    const targets = new Map<string, Target>();
    const watches: Watch[] = [];
    const losses = new Map<string, number>();
    const told = new Map<string, number>();
    const references = new Map<string, ActorRef<Message>>();
    let names = 0;
    let overdue: { readonly by: SimNode; readonly dueMs: number }[] = [];

    const lossesOf = (by: SimNode, id: string): number => losses.get(`${by.start} ${id}`) ?? 0;
    const isOver = ({ stopped, of }: Target): boolean => stopped || of.leaving || of.ended !== undefined;

    const spawn = (node: SimNode): string => {
      names += 1;
      const name = `simulated-${names}`;
      const seen = new Map<number, number>();
      const ref = node.rooms?.system.spawn<Message, undefined>({
        name,
        mailbox: { max: 1000, whenFull: 'refuse' },
        restart: { times: 0, withinMs: 1000 },
        start: () => undefined,
        receive: (_state, message) => {
          if (message.kind === 'ask') {
            message.reply(message.number);
            return undefined;
          }
          if (message.to !== name) broken(`${name} got a message for ${message.to}`);
          const last = seen.get(message.start) ?? 0;
          if (message.number <= last)
            broken(`${name}: message ${message.number} of start ${message.start} came after ${last}`);
          seen.set(message.start, message.number);
          return undefined;
        },
      });
      if (!ref) return 'nothing';
      node.rooms?.actors.register(name, ref);
      targets.set(name, { name, ref, of: node, stopped: false });
      return name;
    };

    const watch = (node: SimNode, target: Target, ref: ActorRef<Message>): void => {
      const lossesBefore = lossesOf(node, target.of.id);
      const isLinked = target.of === node || node.rooms?.links.peers().some(({ id }) => id === target.of.id) === true;
      const one: Watch = { by: node, target, lossesBefore, downs: 0, stopped: false };
      watches.push(one);
      const stop = node.rooms?.actors.watch(ref, (reason: StopReason) => {
        one.downs += 1;
        const about = `${node.life.name} watching ${target.name} of ${target.of.life.name}`;
        if (one.downs > 1) broken(`${about}: DOWN number ${one.downs} (${reason.kind})`);
        if (one.stopped) broken(`${about}: DOWN after it stopped watching (${reason.kind})`);
        // In the next turn all who listen have heard of the loss of a link.
        node.life.soon(() => {
          if (isLinked && !isOver(target) && lossesOf(node, target.of.id) === lossesBefore)
            broken(`${about}: DOWN (${reason.kind}) though it lives and no link was lost`);
        });
      });
      if (names % 7 === 0 && one.downs === 0) {
        one.stopped = true;
        stop?.();
      }
    };

    const ask = (node: SimNode, ref: ActorRef<Message>, number: number): void => {
      const due = { by: node, dueMs: mesh.time.nowMs() + askDeadlineMs };
      overdue.push(due);
      let answers = 0;
      void ref
        .ask<number>((reply) => ({ kind: 'ask', number, reply }), { deadlineMs: askDeadlineMs })
        .then((outcome) => {
          answers += 1;
          overdue = overdue.filter((one) => one !== due);
          if (answers > 1) broken(`${node.life.name}: an ask was settled twice`);
          if (outcome.ok && outcome.value !== number)
            broken(`${node.life.name}: asked ${number} and was answered ${String(outcome.value)}`);
        });
    };

    return {
      started: (node) => {
        node.rooms?.links.onPeer({
          up: () => undefined,
          down: ({ id }) => void losses.set(`${node.start} ${id}`, lossesOf(node, id) + 1),
        });
        spawn(node);
      },
      work: (node, random) => {
        const own = [...targets.values()].filter((target) => target.of === node && !target.stopped);
        const what = random();
        if (what < 0.1 && own.length < maxActors) return `starts ${spawn(node)}`;
        const [first] = own;
        if (what < 0.2 && first) {
          first.stopped = true;
          first.ref.stop();
          return `stops ${first.name}`;
        }
        const all = [...targets.values()].slice(-12);
        const target = all[Math.floor(random() * all.length)];
        if (!target) return undefined;
        const found = node.rooms?.actors.lookup<Message>(target.name)[0]?.actor;
        // A reference from before, though its node may have started anew since.
        const held = `${node.start} ${target.name}`;
        const actor = random() < 0.5 ? (references.get(held) ?? found) : found;
        if (!actor) return undefined;
        references.set(held, actor);
        if (what < 0.45) {
          watch(node, target, actor);
          return `watches ${target.name}`;
        }
        if (what < 0.6) {
          ask(node, actor, Math.floor(random() * 1e6));
          return `asks ${target.name}`;
        }
        const key = `${node.start} ${target.name}`;
        for (let at = 0; at < 5; at += 1) {
          const number = (told.get(key) ?? 0) + 1;
          told.set(key, number);
          actor.tell({ kind: 'count', to: target.name, start: node.start, number });
        }
        return `tells ${target.name}`;
      },
      look: () => {
        for (const { by, dueMs } of overdue)
          if (!by.ended && !by.life.isPaused() && mesh.isSound(by.index, 1000) && mesh.time.nowMs() > dueMs + 500)
            broken(`${by.life.name}: an ask is not settled though its deadline has passed`);
      },
      settles: [
        {
          what: 'actors that live are found by name, others are not',
          ...{ withinMs: 2000, after: 'healthy' },
          unsettled: () => {
            for (const node of mesh.awake())
              for (const target of targets.values()) {
                const found = node.rooms?.actors.lookup(target.name).length ?? 0;
                if (found > 0 === isOver(target))
                  return `${node.life.name} finds ${target.name} of ${target.of.life.name} ${found} times`;
              }
            return undefined;
          },
        },
        {
          what: 'every watch of an actor that is over has had its DOWN',
          withinMs: 2000,
          after: 'healthy',
          unsettled: () => {
            for (const { by, target, downs, stopped } of watches)
              if (!by.ended && !by.leaving && !stopped && downs === 0 && isOver(target))
                return `${by.life.name} watches ${target.name} of ${target.of.life.name}, which is over`;
            return undefined;
          },
        },
      ],
    };
  },
};
