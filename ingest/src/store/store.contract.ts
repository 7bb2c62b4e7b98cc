/** What every store must do. Each store's own test file runs this suite on the real thing. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EventAnswer, EventQuestion } from '@thrum/actors/wire/event-question';
import type { AgentEvent } from '@thrum/actors/wire/events';
import {
  memoryTarget,
  diskTarget,
  hostA,
  hostB,
  originOf,
  questionOf,
  requestOf,
  sample,
  written,
} from './store-scenario.ts';
import type { Store, StoreAnswer, StoreOptions, StoreQuestion } from './store.ts';

/** A dead letter as a person finds it. */
export type FoundLetter = {
  readonly hostId: string;
  readonly code: string;
  readonly detail: string;
  readonly target: string;
  readonly fields: readonly string[];
  readonly timeMs: number;
  readonly place: readonly [epoch: number, seq: number, index: number];
  readonly values: Readonly<Record<string, number>>;
};

export type Opened = {
  readonly store: Store;
  /** The dead letters of samples of this time, in the order of their places. */
  letters(timeMs: number): Promise<FoundLetter[]>;
  /** Makes what was written visible to questions. */
  settle(): Promise<void>;
  dispose(): Promise<void>;
};

const deadlineMs = 10_000;
const minuteMs = 60_000;

export const storeContract = (name: string, open: (over?: Partial<StoreOptions>) => Promise<Opened>): void => {
  describe(`a store on ${name}`, () => {
    let opened: Opened;
    let seq = 0;
    /** Each test has its own minute, so that none sees the samples of another. */
    let startMs = Math.floor((Date.now() - 60 * minuteMs) / minuteMs) * minuteMs;

    before(async () => (opened = await open()));
    after(() => opened.dispose());
    const nextMinute = (): number => (startMs += minuteMs);
    const nextSeq = (): number => (seq += 1);

    const answer = async (question: StoreQuestion): Promise<Extract<StoreAnswer, { ok: true }>> => {
      await opened.settle();
      const given = await opened.store.ask(question, { deadlineMs });
      assert.ok(given.ok, JSON.stringify(given));
      return given;
    };

    test('every value that was written is read back', async () => {
      const at = nextMinute();
      const samples = [0, 1, 2].map((i) => sample('memory', at + i * 1000, [50.25 + i, 2 ** 52 + i]));
      assert.deepEqual(await written(opened.store, requestOf(originOf(hostA, nextSeq()), samples)), {
        ok: true,
        refused: [],
      });
      const given = await answer(questionOf({ metrics: ['usage', 'used'], fromMs: at, toMs: at + 3000 }));
      assert.equal(given.startMs, at);
      assert.deepEqual(given.series, [
        {
          fields: [],
          values: [
            [50.25, 51.25, 52.25],
            [2 ** 52, 2 ** 52 + 1, 2 ** 52 + 2],
          ],
          lastMs: [at, at + 1000, at + 2000],
        },
      ]);
    });

    test('a batch sent again changes nothing', async () => {
      const at = nextMinute();
      const origin = originOf(hostA, nextSeq());
      const samples = [sample('memory', at, [10, 1]), sample('memory', at + 100, [20, 2])];
      await written(opened.store, requestOf(origin, samples));
      for (let i = 0; i < 3; i += 1)
        assert.deepEqual(await written(opened.store, requestOf(origin, samples)), { ok: true, refused: [] });
      const given = await answer(questionOf({ metrics: ['usage', 'used'], fromMs: at, toMs: at + 1000 }));
      assert.deepEqual(given.series[0]?.values, [[15], [1.5]]);
    });

    test('the same batch twice at the same moment is stored once', async () => {
      const at = nextMinute();
      const origin = originOf(hostA, nextSeq());
      const samples = [sample('memory', at, [10, 1])];
      const results = await Promise.all([
        written(opened.store, requestOf(origin, samples)),
        written(opened.store, requestOf(origin, samples)),
      ]);
      assert.deepEqual(results, [
        { ok: true, refused: [] },
        { ok: true, refused: [] },
      ]);
      await written(opened.store, requestOf(originOf(hostA, nextSeq()), [sample('memory', at + 1, [40, 4])]));
      const given = await answer(questionOf({ fromMs: at, toMs: at + 1000 }));
      assert.deepEqual(given.series[0]?.values, [[25]]);
    });

    test('a resend beside the first attempts of many batches: all end well and each is stored once', async () => {
      const at = nextMinute();
      const origins = Array.from({ length: 40 }, () => originOf(hostA, nextSeq()));
      const results = await Promise.all(
        origins.flatMap((origin, i) => {
          const samples = Array.from({ length: 100 }, (_, k) => sample('memory', at + i * 1000 + k, [i + k / 8, k]));
          return [1, 2].map(() => written(opened.store, requestOf(origin, samples)));
        }),
      );
      assert.ok(results.every((result) => result.ok && result.refused.length === 0));
      const given = await answer(questionOf({ metrics: ['used'], fromMs: at, toMs: at + 40_000, bucketMs: 40_000 }));
      assert.deepEqual(given.series[0]?.values, [[49.5]]);
    });

    test('the same sequence number of another epoch is another batch', async () => {
      const at = nextMinute();
      const number = nextSeq();
      await written(opened.store, requestOf(originOf(hostA, number, 1), [sample('memory', at, [1, 1])]));
      await written(opened.store, requestOf(originOf(hostA, number, 2), [sample('memory', at + 1000, [2, 2])]));
      const given = await answer(questionOf({ fromMs: at, toMs: at + 2000 }));
      assert.deepEqual(given.series[0]?.values, [[1, 2]]);
    });

    test('a value that is not a number is left out and the rest of its sample is stored', async () => {
      const at = nextMinute();
      const samples = [
        sample('memory', at, [Number.NaN, 7]),
        sample('memory', at + 1000, [1, undefined]),
        sample('memory', at + 2000, [5, 1e300]),
      ];
      assert.deepEqual(await written(opened.store, requestOf(originOf(hostA, nextSeq()), samples)), {
        ok: true,
        refused: [],
      });
      const given = await answer(questionOf({ metrics: ['usage', 'used'], fromMs: at, toMs: at + 3000 }));
      assert.deepEqual(given.series[0]?.values, [
        [null, 1, 5],
        [7, null, null],
      ]);
    });

    test('samples of an unknown target or an unbelievable time are refused with their reason, the others stored', async () => {
      const at = nextMinute();
      const dayMs = 86_400_000;
      const samples = [
        sample('memory', at, [1, 1]),
        sample('unknown', at, [1, 1]),
        sample('memory', Date.now() + 6 * minuteMs, [1, 1]),
        sample('memory', Date.now() - 6 * dayMs, [1, 1]),
      ];
      const result = await written(opened.store, requestOf(originOf(hostA, nextSeq()), samples));
      assert.ok(result.ok);
      assert.deepEqual(result.refused.map(({ code, samples: count }) => [code, count]).sort(), [
        ['time-ahead', 1],
        ['time-past', 1],
        ['unknown-target', 1],
      ]);
      assert.match(result.refused.find((one) => one.code === 'unknown-target')?.detail ?? '', /unheard_of/);
      const given = await answer(questionOf({ fromMs: at, toMs: at + 1000 }));
      assert.deepEqual(given.series[0]?.values, [[1]]);
    });

    test('a sample that was not accepted is not stored, and no part of the result', async () => {
      const at = nextMinute();
      const request = requestOf(originOf(hostA, nextSeq()), [
        sample('memory', at, [1, 1]),
        sample('memory', at + 500, [9, 9]),
      ]);
      request.accepted[1] = 0;
      assert.deepEqual(await written(opened.store, request), { ok: true, refused: [] });
      const given = await answer(questionOf({ fromMs: at, toMs: at + 1000 }));
      assert.deepEqual(given.series[0]?.values, [[1]]);
    });

    test('samples that are refused are kept as dead letters with their reason before the batch counts as written, once', async () => {
      const at = nextMinute();
      const origin = originOf(hostA, nextSeq(), 3);
      const samples = [
        sample('memory', at, [1, 1]),
        sample('unknown', at, [1.5, undefined]),
        sample('disk', at, [7, Number.NaN], ['sda', 'h']),
      ];
      const refused = [undefined, undefined, { code: 'too-many-series', detail: 'disk' }] as const;
      const request = { ...requestOf(origin, samples), refused };
      request.accepted[2] = 0;
      for (let i = 0; i < 2; i += 1)
        assert.deepEqual(await written(opened.store, request), {
          ok: true,
          refused: [{ code: 'unknown-target', samples: 1, detail: 'unheard_of' }],
        });
      await opened.settle();
      const common = { hostId: hostA, timeMs: at };
      assert.deepEqual(await opened.letters(at), [
        {
          ...{ ...common, code: 'unknown-target', detail: 'unheard_of', target: 'unheard_of', fields: [] },
          ...{ place: [3, origin.seq, 1], values: { usage: 1.5 } },
        },
        {
          ...{ ...common, code: 'too-many-series', detail: 'disk', target: 'disk', fields: ['sda', 'h'] },
          ...{ place: [3, origin.seq, 2], values: { reads: 7 } },
        },
      ]);
    });

    test('a batch of which everything was refused before is written when its dead letters are', async () => {
      const at = nextMinute();
      const request = {
        ...requestOf(originOf(hostA, nextSeq()), [sample('memory', at, [1, 1])]),
        refused: [{ code: 'time-ahead', detail: 'scripted' }] as const,
      };
      request.accepted[0] = 0;
      assert.deepEqual(await written(opened.store, request), { ok: true, refused: [] });
      await opened.settle();
      assert.deepEqual(
        (await opened.letters(at)).map(({ code, detail }) => [code, detail]),
        [['time-ahead', 'scripted']],
      );
    });

    const collided = (samples: number) => ({
      ok: true,
      refused: [
        { code: 'not-stored', samples, detail: 'collision: the series already has another sample at this time' },
      ],
    });

    test('another sample of the same series and time is refused as a collision, however often it comes, and kept as a dead letter', async () => {
      const at = nextMinute();
      const first = [
        sample('disk', at, [1, 0.5], ['sda', 'x']),
        sample('disk', at + 1000, [2, 0.5], ['sda', 'x']),
        sample('disk', at, [1, 0.5], ['sdb', 'x']),
      ];
      await written(opened.store, requestOf(originOf(hostA, nextSeq(), 4), first));
      const origin = originOf(hostA, nextSeq(), 5);
      const second = [
        sample('disk', at, [9, 0.5], ['sda', 'x']),
        sample('disk', at + 1000, [2, undefined], ['sda', 'x']),
        sample('disk', at + 500, [3, 0.5], ['sda', 'x']),
        sample('disk', at, [9, 0.5], ['sdc', 'x']),
      ];
      const twice = [1, 2].map(() => written(opened.store, requestOf(origin, second)));
      for (const result of await Promise.all(twice)) assert.deepEqual(result, collided(2));
      assert.deepEqual(await written(opened.store, requestOf(origin, second)), collided(2));
      const question = questionOf({ target: diskTarget, metrics: ['reads', 'busy'], fromMs: at, toMs: at + 2000 });
      const given = await answer({ ...question, aggregate: 'max', bucketMs: 500 });
      const byDevice = given.series.map(({ fields, values }) => [fields[0], ...(values[0] ?? [])]);
      assert.deepEqual(byDevice.sort(), [
        ['sda', 1, 3, 2, null],
        ['sdb', 1, null, null, null],
        ['sdc', 9, null, null, null],
      ]);
      assert.deepEqual(
        [...(await opened.letters(at)), ...(await opened.letters(at + 1000))].map(({ place, values }) => [
          ...place,
          values,
        ]),
        [
          [5, origin.seq, 0, { reads: 9, busy: 0.5 }],
          [5, origin.seq, 1, { reads: 2 }],
        ],
      );
    });

    test('a sample that is stored already under another sequence number is stored once and no collision', async () => {
      const at = nextMinute();
      const samples = [
        sample('memory', at, [52.72, 2 ** 53 - 1]),
        sample('memory', at + 1000, [1e-40, -5]),
        sample('memory', at + 2000, [Number.NaN, 7.4]),
        sample('memory', at + 3000, [-0, undefined]),
        sample('memory', at + 4000, [1e300, 7]),
      ];
      for (let epoch = 6; epoch < 9; epoch += 1)
        assert.deepEqual(await written(opened.store, requestOf(originOf(hostA, nextSeq(), epoch), samples)), {
          ok: true,
          refused: [],
        });
      await opened.settle();
      assert.deepEqual(await opened.letters(at), []);
    });

    test('of two different samples of one series and time that come at the same moment one is stored, the other refused', async () => {
      const at = nextMinute();
      const results = await Promise.all(
        [1, 2].map((n) =>
          written(opened.store, requestOf(originOf(hostA, nextSeq(), 8 + n), [sample('memory', at, [n, n])])),
        ),
      );
      assert.deepEqual(results.map((result) => result.ok && result.refused.length).sort(), [0, 1]);
      await opened.settle();
      assert.equal((await opened.letters(at)).length, 1);
      const given = await answer(questionOf({ fromMs: at, toMs: at + 1000 }));
      assert.ok(given.series[0]?.values[0]?.[0] === 1 || given.series[0]?.values[0]?.[0] === 2);
    });

    test('a backlog older than what is stored, beside live samples, is stored whole', async () => {
      const at = nextMinute();
      const writes: ReturnType<typeof written>[] = [];
      for (let i = 59; i >= 0; i -= 1) {
        const samples = [sample('memory', at + i * 1000, [i, i]), sample('disk', at + i * 1000, [i, i], ['sda', 'y'])];
        writes.push(written(opened.store, requestOf(originOf(hostA, nextSeq(), 11), samples)));
        if (i % 20 === 0) await writes.at(-1);
      }
      for (const result of await Promise.all(writes)) assert.deepEqual(result, { ok: true, refused: [] });
      const given = await answer(questionOf({ metrics: ['used'], bucketMs: 60_000, fromMs: at, toMs: at + 60_000 }));
      assert.deepEqual(given.series[0]?.values, [[29.5]]);
    });

    const eventOf = (id: string, timeMs: number, kind = 'gap', facts: AgentEvent['facts'] = {}): AgentEvent => ({
      ...{ id, timeMs, kind, facts },
    });
    const told = async (origin: ReturnType<typeof originOf>, events: AgentEvent[]): Promise<void> => {
      const outcome = opened.store.writeEvents({ origin, events });
      assert.ok(outcome.ok);
      assert.deepEqual(await outcome.done, { ok: true, refused: [] });
    };
    const askEvents = async (over: Partial<EventQuestion>): Promise<EventAnswer> => {
      await opened.settle();
      const question: EventQuestion = { ask: 'events', host: hostA, fromMs: 0, toMs: 2 ** 48, max: 100, ...over };
      const given = await opened.store.askEvents(question, { deadlineMs });
      assert.ok(given.ok, JSON.stringify(given));
      return given;
    };

    test('events are answered newest first, each once however often and under whatever sequence it is told', async () => {
      const at = nextMinute();
      const facts = { reason: 'full', epoch: 1, first_seq: 7, samples: 2 ** 40, from_ms: at, odd: 'ä "b"', is: true };
      const events = [eventOf('a', at), eventOf('b', at + 2, 'gap', facts), eventOf('c', at + 1, 'start')];
      const origin = originOf(hostA, nextSeq());
      await told(origin, events);
      await told(origin, events);
      await told(originOf(hostA, nextSeq(), 2), [eventOf('b', at + 2, 'gap', facts), eventOf('d', at + 3, 'stop')]);
      await told(originOf(hostB, nextSeq()), [eventOf('a', at)]);
      const within = { fromMs: at, toMs: at + 60_000 };
      const all = [eventOf('d', at + 3, 'stop'), events[1], events[2], events[0]];
      assert.deepEqual(await askEvents(within), { ok: true, events: all, more: false });
      assert.deepEqual(await askEvents({ ...within, max: 2 }), { ok: true, events: all.slice(0, 2), more: true });
      assert.deepEqual(await askEvents({ ...within, max: 4 }), { ok: true, events: all, more: false });
      const some = await askEvents({ ...within, kinds: ['start', 'stop'] });
      assert.deepEqual(
        some.events.map(({ id }) => id),
        ['d', 'c'],
      );
      assert.deepEqual((await askEvents({ fromMs: at + 1, toMs: at + 3 })).events, [events[1], events[2]]);
      assert.deepEqual((await askEvents({ ...within, host: hostB })).events, [events[0]]);
    });

    test('events of any time and with facts of any type are kept', async () => {
      const at = nextMinute();
      const events = [
        eventOf('old', 1, 'start'),
        eventOf('far', 2 ** 47, 'stop'),
        eventOf('odd', at, 'gap', { samples: 'many', reason: 5, from_ms: true, to_ms: 'then', gap: 1.5 }),
      ];
      await told(originOf(hostA, nextSeq(), 20), events);
      assert.deepEqual((await askEvents({ fromMs: 0, toMs: 2 })).events, [events[0]]);
      assert.deepEqual((await askEvents({ fromMs: 2 ** 47, toMs: 2 ** 48 })).events, [events[1]]);
      assert.deepEqual((await askEvents({ fromMs: at, toMs: at + 1 })).events, [events[2]]);
    });

    test('a question for events without time is refused as too late', async () => {
      const question = { ask: 'events', host: hostA, fromMs: 0, toMs: 1, max: 1 } as const;
      const given = await opened.store.askEvents(question, { deadlineMs: 0 });
      assert.deepEqual(given, { ok: false, code: 'deadline', detail: '' });
    });

    test('it says how much room is left', () => {
      const { heldBytes, maxHeldBytes, isFailing } = opened.store.room();
      assert.ok(heldBytes >= 0 && heldBytes < maxHeldBytes);
      assert.equal(isFailing, false);
    });

    test('samples of days ago go where they belong', async () => {
      const at = nextMinute() - 3 * 86_400_000;
      await written(opened.store, requestOf(originOf(hostA, nextSeq()), [sample('memory', at, [33, 1])]));
      const given = await answer(questionOf({ fromMs: at, toMs: at + 1000 }));
      assert.deepEqual(given.series[0]?.values, [[33]]);
    });

    test('two hosts with the same series and time do not mix', async () => {
      const at = nextMinute();
      await written(opened.store, requestOf(originOf(hostA, nextSeq()), [sample('memory', at, [1, 1])]));
      await written(opened.store, requestOf(originOf(hostB, 1), [sample('memory', at, [2, 2])]));
      for (const [hostId, value] of [
        [hostA, 1],
        [hostB, 2],
      ] as const) {
        const given = await answer(questionOf({ hostId, fromMs: at, toMs: at + 1000 }));
        assert.deepEqual(given.series[0]?.values, [[value]]);
      }
    });

    const odd = ['/mnt/ä "b"', 'x'.repeat(500)];
    const diskQuestion = (at: number): StoreQuestion =>
      questionOf({ target: diskTarget, metrics: ['reads', 'busy'], fromMs: at, toMs: at + 1000 });

    test('every combination of field values is a series of its own, whatever the values are', async () => {
      const at = nextMinute();
      const samples = [
        sample('disk', at, [1, 0.5], ['sda', 'one']),
        sample('disk', at, [2, 0.25], ['sda', 'two']),
        sample('disk', at, [3, 0.125], odd),
        sample('disk', at, [4, 1], ['', '']),
      ];
      assert.deepEqual(await written(opened.store, requestOf(originOf(hostA, nextSeq()), samples)), {
        ok: true,
        refused: [],
      });
      const given = await answer(diskQuestion(at));
      const byFields = new Map(given.series.map((one) => [one.fields.join('|'), one.values]));
      assert.equal(byFields.size, 4);
      assert.deepEqual(byFields.get('sda|one'), [[1], [0.5]]);
      assert.deepEqual(byFields.get('sda|two'), [[2], [0.25]]);
      assert.deepEqual(byFields.get(odd.join('|')), [[3], [0.125]]);
      assert.deepEqual(byFields.get('|'), [[4], [1]]);
      const one = await answer({ ...diskQuestion(at), fields: odd });
      assert.deepEqual(
        one.series.map(({ fields, values }) => [fields, values]),
        [[odd, [[3], [0.125]]]],
      );
    });

    test('of too many series those with most samples are answered and the others counted', async () => {
      const at = nextMinute();
      const samples = ['a', 'b', 'c', 'd', 'e'].flatMap((device, k) =>
        Array.from({ length: device === 'd' ? 3 : 1 }, (_, i) => sample('disk', at + i * 10, [k, k], [device, ''])),
      );
      await written(opened.store, requestOf(originOf(hostA, nextSeq()), samples));
      const given = await answer({ ...diskQuestion(at), maxSeries: 2 });
      assert.deepEqual(given.series.map((one) => one.fields[0]).sort(), ['a', 'd']);
      assert.equal(given.leftOut, 3);
    });

    test('average, least, greatest and last of a bucket', async () => {
      const at = nextMinute();
      const samples = [3, 1, 8, 4].map((value, i) =>
        sample('memory', at + i * 100, [value, i === 3 ? undefined : value]),
      );
      await written(opened.store, requestOf(originOf(hostA, nextSeq()), samples));
      const expected = { avg: [[4], [4]], min: [[1], [1]], max: [[8], [8]], last: [[4], [8]] } as const;
      for (const aggregate of ['avg', 'min', 'max', 'last'] as const) {
        const given = await answer(questionOf({ metrics: ['usage', 'used'], aggregate, fromMs: at, toMs: at + 1000 }));
        assert.deepEqual(given.series[0]?.values, expected[aggregate], aggregate);
      }
    });

    test('a bucket begins at its start and ends before the next, and one without samples is null', async () => {
      const at = nextMinute();
      const times = [-1, 0, 4999, 5000, 15_000, 19_999, 20_000];
      const samples = times.map((ms, i) => sample('memory', at + ms, [i, i]));
      await written(opened.store, requestOf(originOf(hostA, nextSeq()), samples));
      const given = await answer(questionOf({ aggregate: 'max', bucketMs: 5000, fromMs: at, toMs: at + 20_000 }));
      assert.deepEqual(given.series[0]?.values, [[2, 3, null, 5]]);
      assert.deepEqual(given.series[0].lastMs, [at + 4999, at + 5000, null, at + 19_999]);
    });

    test('buckets need not begin at a multiple of their width', async () => {
      const at = nextMinute();
      const samples = [123, 1122, 1123].map((ms, i) => sample('memory', at + ms, [i, i]));
      await written(opened.store, requestOf(originOf(hostA, nextSeq()), samples));
      const given = await answer(questionOf({ aggregate: 'max', fromMs: at + 123, toMs: at + 2123 }));
      assert.equal(given.startMs, at + 123);
      assert.deepEqual(given.series[0]?.values, [[1, 2]]);
    });

    test('a question about nothing has an empty answer', async () => {
      const at = nextMinute();
      for (const target of [memoryTarget, diskTarget]) {
        const metrics = [target.metrics[0]?.name ?? ''];
        const given = await answer(
          questionOf({ target, metrics, hostId: 'ffffffff-ffff-4fff-8fff-ffffffffffff', fromMs: at, toMs: at + 1000 }),
        );
        assert.deepEqual([given.series, given.leftOut], [[], 0]);
      }
    });

    test('a question without time is refused as too late', async () => {
      const at = nextMinute();
      const given = await opened.store.ask(questionOf({ fromMs: at, toMs: at + 1000 }), { deadlineMs: 0 });
      assert.deepEqual(given, { ok: false, code: 'deadline', detail: '' });
    });

    test('a large batch and many small ones at once all arrive', async () => {
      const at = nextMinute();
      const large = Array.from({ length: 4000 }, (_, i) => sample('memory', at + i, [i, i]));
      const requests = [requestOf(originOf(hostA, nextSeq()), large)];
      for (let i = 4000; i < 4200; i += 1)
        requests.push(requestOf(originOf(hostA, nextSeq()), [sample('memory', at + i, [i, i])]));
      const results = await Promise.all(requests.map((request) => written(opened.store, request)));
      assert.ok(results.every((result) => result.ok && result.refused.length === 0));
      const given = await answer(questionOf({ metrics: ['used'], bucketMs: 100, fromMs: at, toMs: at + 4200 }));
      const expected = Array.from({ length: 42 }, (_, k) => k * 100 + 49.5);
      assert.deepEqual(given.series[0]?.values, [expected]);
    });

    test('its health is ready while it answers', () => {
      assert.equal(opened.store.health().state, 'ready');
    });

    test('a full buffer says so and keeps nothing of the batch', async () => {
      const at = nextMinute();
      const small = await open({ maxHeldBytes: 1 });
      const first = written(small.store, requestOf(originOf(hostA, nextSeq()), [sample('memory', at, [1, 1])]));
      const request = requestOf(originOf(hostA, nextSeq()), [sample('memory', at + 1000, [2, 2])]);
      const second = small.store.write(request);
      assert.ok(!second.ok && second.afterMs > 0, JSON.stringify(second));
      assert.equal(second.reason, 'full');
      await first;
      await small.settle();
      const question = questionOf({ fromMs: at, toMs: at + 2000 });
      const given = await small.store.ask(question, { deadlineMs });
      assert.deepEqual(given.ok && given.series[0]?.values, [[1, null]]);
      assert.equal((await written(small.store, request)).ok, true);
      await small.store.close();
      await small.dispose();
    });

    test('closing it ends writes on their way, each stored or said to be closed, and takes no more', async () => {
      const at = nextMinute();
      const other = await open();
      const writes = Array.from({ length: 20 }, (_, i) =>
        written(other.store, requestOf(originOf(hostA, i + 1), [sample('memory', at + i, [i, i])])),
      );
      const closing = other.store.close();
      const results = await Promise.all(writes);
      assert.ok(results.every((result) => (result.ok ? result.refused.length === 0 : true)));
      assert.equal(results.length, 20);
      await closing;
      assert.deepEqual(await written(other.store, requestOf(originOf(hostA, 99), [sample('memory', at, [1, 1])])), {
        ok: false,
        reason: 'closed',
      });
      await other.dispose();
    });
  });
};
