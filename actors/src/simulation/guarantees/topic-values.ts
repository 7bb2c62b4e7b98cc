/**
 * Every subscriber of a last-value topic shows the newest value of each publisher that lives within 2 s after links are healthy; of one publisher
 * it never shows an older value after a newer one.
 */
import type { GuaranteeMaker } from '../guarantee.ts';
import type { SimNode } from '../mesh.ts';

const topics = ['simulated-a', 'simulated-b'];
const keys = ['x', 'y', 'z'];
type Told = { readonly start: number; readonly number: number };

/** Now and then a value is so large, and so often set, that a small outbox does not take it. */
const burst = { count: 40, characters: 4096, rate: 0.1 } as const;

const encode = (told: Told, characters = 0): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(told).padEnd(characters));
const decode = (payload: Uint8Array): Told => JSON.parse(new TextDecoder().decode(payload)) as Told;

export const topicValues: GuaranteeMaker = {
  name: 'topic-values',
  works: true,
  make: ({ mesh, broken }) => {
    /** What each start published last, by topic and key; undefined when it took it back. */
    const newest = new Map<number, Map<string, number | undefined>>();
    /** What each start shows: by subscribed topic, publishing node and key. */
    const shown = new Map<number, Map<string, Told>>();
    const subscriptions = new Map<number, Map<string, () => void>>();
    let numbers = 0;

    const subscribe = (node: SimNode, topic: string): void => {
      const view = shown.get(node.start);
      const mine = subscriptions.get(node.start);
      if (!view || !mine || mine.has(topic)) return;
      const stop = node.rooms?.topics.subscribe(topic, {
        deliver: ({ node: from, key, payload }) => {
          const at = `${topic} ${from} ${key}`;
          const before = view.get(at);
          if (payload.byteLength === 0) {
            view.delete(at);
            return;
          }
          const told = decode(payload);
          if (before && (told.start < before.start || (told.start === before.start && told.number < before.number)))
            broken(`${node.life.name} showed ${JSON.stringify(told)} for ${at} after ${JSON.stringify(before)}`);
          view.set(at, told);
        },
      });
      if (stop) mine.set(topic, stop);
    };

    const publish = (node: SimNode, topic: string, key: string, characters: number): void => {
      numbers += 1;
      newest.get(node.start)?.set(`${topic} ${key}`, numbers);
      node.rooms?.topics.publish(topic, encode({ start: node.start, number: numbers }, characters), { key });
    };

    const unsettled = (): string | undefined => {
      for (const reader of mesh.awake())
        for (const writer of mesh.awake())
          for (const [at, number] of newest.get(writer.start) ?? []) {
            const [topic = '', key] = at.split(' ');
            if (!subscriptions.get(reader.start)?.has(topic)) continue;
            const told = shown.get(reader.start)?.get(`${topic} ${writer.id} ${key}`);
            if (told?.number !== number && (told?.start === writer.start || number !== undefined))
              return `${reader.life.name} shows ${told?.number} for ${at} of ${writer.life.name}, newest is ${number}`;
          }
      return undefined;
    };

    return {
      started: (node) => {
        newest.set(node.start, new Map());
        shown.set(node.start, new Map());
        subscriptions.set(node.start, new Map());
        for (const topic of topics) subscribe(node, topic);
      },
      work: (node, random) => {
        const topic = topics[Math.floor(random() * topics.length)] ?? '';
        const key = keys[Math.floor(random() * keys.length)] ?? '';
        const what = random();
        if (what < 0.1) {
          const stop = subscriptions.get(node.start)?.get(topic);
          subscriptions.get(node.start)?.delete(topic);
          stop?.();
          for (const at of shown.get(node.start)?.keys() ?? [])
            if (at.startsWith(`${topic} `)) shown.get(node.start)?.delete(at);
          return `unsubscribes from ${topic}`;
        }
        if (what < 0.25) {
          subscribe(node, topic);
          return `subscribes to ${topic}`;
        }
        if (what < 0.35) {
          newest.get(node.start)?.set(`${topic} ${key}`, undefined);
          node.rooms?.topics.forget(topic, key);
          return `forgets ${topic} ${key}`;
        }
        if (mesh.plan.maxOutboxBytes !== undefined && random() < burst.rate) {
          for (let count = 0; count < burst.count; count += 1)
            publish(node, topic, keys[count % keys.length] ?? '', burst.characters);
          return `publishes ${topic} ${burst.count} times, up to ${numbers}`;
        }
        publish(node, topic, key, 0);
        return `publishes ${topic} ${key} = ${numbers}`;
      },
      settles: [
        {
          what: 'subscribers show the newest value of every publisher that lives',
          ...{ withinMs: 2000, after: 'healthy', unsettled },
        },
      ],
    };
  },
};
