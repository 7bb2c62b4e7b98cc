/**
 * Whoever listens to publications without a key can know what it missed: they come in order, and each that was lost on the way, in a full outbox or
 * with a link, is made good by a snapshot that the subscriber is told to ask for. A snapshot stands here for what the publisher said last when
 * the subscriber was told.
 */
import type { GuaranteeMaker } from '../guarantee.ts';
import type { SimNode } from '../mesh.ts';

const topics = ['simulated-stream-a', 'simulated-stream-b'] as const;
type Topic = (typeof topics)[number];
/** Numbers of one publisher and topic leave none out. */
type Told = { readonly start: number; readonly number: number };
type Known = { upTo: number; missed: boolean };
/** Together they are more than a connection and a small outbox take at once. Halfway the other topic has a word, which may be dropped for them. */
const burst = { count: 40, bytes: 4096 } as const;
const burstRate = 0.15;

const encode = (told: Told, bytes: number): Uint8Array => {
  const words = new TextEncoder().encode(JSON.stringify(told));
  const payload = new Uint8Array(Math.max(bytes, words.byteLength)).fill(0x20);
  payload.set(words);
  return payload;
};
const decode = (payload: Uint8Array): Told => JSON.parse(new TextDecoder().decode(payload)) as Told;

export const topicStreams: GuaranteeMaker = {
  name: 'topic-streams',
  works: true,
  make: ({ mesh }) => {
    /** What each start said last, by topic. */
    const last = new Map<string, number>();
    /** By start of the reader, start of the publisher and topic. */
    const known = new Map<string, Known>();
    const lastOf = (start: number, topic: Topic): number => last.get(`${start} ${topic}`) ?? 0;
    const knownOf = (reader: number, writer: number, topic: Topic): Known => {
      const at = `${reader} ${writer} ${topic}`;
      const found = known.get(at) ?? { upTo: 0, missed: false };
      known.set(at, found);
      return found;
    };

    const publish = (node: SimNode, topic: Topic, bytes: number): void => {
      const number = lastOf(node.start, topic) + 1;
      last.set(`${node.start} ${topic}`, number);
      node.rooms?.topics.publish(topic, encode({ start: node.start, number }, bytes));
    };
    const subscribe = (node: SimNode, topic: Topic): void => {
      node.rooms?.topics.subscribe(topic, {
        deliver: ({ payload }) => {
          const told = decode(payload);
          const mine = knownOf(node.start, told.start, topic);
          // What came before a snapshot may still be on its way when that is there.
          if (told.number <= mine.upTo) return;
          if (told.number > mine.upTo + 1) mine.missed = true;
          mine.upTo = told.number;
        },
        stale: (id) => {
          const publisher = mesh.byId(id);
          if (!publisher) return;
          const snapshot = { upTo: lastOf(publisher.start, topic), missed: false };
          Object.assign(knownOf(node.start, publisher.start, topic), snapshot);
        },
      });
    };

    return {
      started: (node) => {
        for (const topic of topics) subscribe(node, topic);
      },
      work: (node, random) => {
        const [topic, other] = random() < 0.5 ? topics : [topics[1], topics[0]];
        if (mesh.plan.maxOutboxBytes === undefined || random() >= burstRate) {
          publish(node, topic, 0);
          return `publishes to ${topic}`;
        }
        for (let count = 0; count < burst.count; count += 1) {
          publish(node, topic, burst.bytes);
          if (count === burst.count / 2) publish(node, other, 0);
        }
        return `publishes ${burst.count} times to ${topic}`;
      },
      settles: [
        {
          what: 'who listens to a stream has all of it, or was told what it lacks',
          ...{ withinMs: 2500, after: 'healthy' },
          unsettled: () => {
            for (const topic of topics)
              for (const reader of mesh.awake())
                for (const writer of mesh.awake()) {
                  const { upTo, missed } = knownOf(reader.start, writer.start, topic);
                  const newest = lastOf(writer.start, topic);
                  if (upTo !== newest || missed)
                    return `${reader.life.name} knows ${topic} of ${writer.life.name} up to ${upTo}${missed ? ' with gaps' : ''}, it said ${newest}`;
                }
            return undefined;
          },
        },
      ],
    };
  },
};
