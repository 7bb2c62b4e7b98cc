import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../store-error.ts';
import { scenarioOptions } from '../store-scenario.ts';
import { openStore } from '../open-store.ts';
import { createElasticsearchClient } from './client.ts';

const complaintAbout = (url: string): string => {
  try {
    createElasticsearchClient(scenarioOptions(url));
  } catch (error) {
    assert.ok(error instanceof StoreError);
    return error.message;
  }
  return assert.fail(`${url} was taken`);
};

test('an address that is no URL is named, but never a password in it', () => {
  assert.match(complaintAbout('elasticsearch:host:9200'), /"host:9200" is no URL/);
  for (const url of [
    'elasticsearch:ftp://me:hunter2@host',
    'elasticsearch:http://host:9200,http://me:hunter2@host:port',
    'elasticsearch:http://me:hun,ter2@host',
    'elasticsearch:http://me:hun/ter2@host',
  ]) {
    const complaint = complaintAbout(url);
    assert.match(complaint, /number [12] is no URL/);
    assert.doesNotMatch(complaint, /hun|ter2/);
  }
});

test('of an address whose kind is unknown only the kind is repeated', async () => {
  await assert.rejects(openStore(scenarioOptions('https://me:hunter2@host:9200')), (error: Error) => {
    assert.match(error.message, /"https" is unknown: write duckdb/);
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
});
