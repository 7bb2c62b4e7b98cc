/** What every store must do. Each store's own test file runs this suite on the real thing. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
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

export type Opened = {
  readonly store: Store;
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
