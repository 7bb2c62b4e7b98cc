import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullBucket, messageRate, takeOne, type Bucket } from './message-rate.ts';

const spend = (bucket: Bucket | undefined, nowMs: number, times: number): Bucket | undefined => {
  for (let i = 0; i < times && bucket; i += 1) bucket = takeOne(bucket, nowMs);
  return bucket;
};

test('a burst passes and one message more does not', () => {
  assert.ok(spend(fullBucket(0), 0, messageRate.burst));
  assert.equal(spend(fullBucket(0), 0, messageRate.burst + 1), undefined);
});

test('the allowed rate can be kept up for ever', () => {
  let bucket: Bucket | undefined = fullBucket(0);
  for (let second = 1; second < 100; second += 1) bucket = spend(bucket, second * 1000, messageRate.perSecond);
  assert.ok(bucket);
});

test('a pause fills the bucket to the burst and no further', () => {
  const empty = spend(fullBucket(0), 0, messageRate.burst);
  assert.equal(spend(empty, 3_600_000, messageRate.burst + 1), undefined);
  assert.ok(spend(empty, 3_600_000, messageRate.burst));
});
