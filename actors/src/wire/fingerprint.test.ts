/**
 * Everything that crosses a socket, hashed. When this fails, something changed that others depend on: bump `protocolVersion`, add a line
 * of history in `version.ts` and in PROTOCOL.md, and write the new fingerprint here.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { z } from 'zod';
import { dictionarySchema, helloSchema } from './agent-to-ingest.ts';
import { batchHeaderBytes, batchMagic, batchVersion, encodeBatch } from './batch.ts';
import { watchSchema } from './browser-to-web.ts';
import { catalogue } from './catalogue.ts';
import { dictionaryOf } from './dictionary.ts';
import { documentLimits, documentsEndpoint, documentsQuestionSchema } from './documents.ts';
import { eventQuestionSchema } from './event-question.ts';
import { eventKinds, eventsSchema, gapReasons } from './events.ts';
import {
  encodeHostFrame,
  encodeOverviewFrame,
  encodeSnapshot,
  frameKinds,
  frameVersion,
  overviewColumns,
} from './frame.ts';
import {
  ackSchema,
  busySchema,
  paceSchema,
  recentAnswerSchema,
  recentRequestSchema,
  refusalSchema,
  welcomeSchema,
} from './ingest-to-agent.ts';
import { limits } from './limits.ts';
import { questionSchema } from './question.ts';
import { refusals } from './refusal.ts';
import { storeKey, storeStateSchema, storeTopic } from './store-state.ts';
import { protocolVersion } from './version.ts';

const fingerprints: Record<number, string> = { 1: '9084d6876f1142af', 2: 'f3bd1d113b8f1537', 3: '374e87422128b626' };

const schemas = {
  helloSchema,
  dictionarySchema,
  welcomeSchema,
  refusalSchema,
  ackSchema,
  busySchema,
  paceSchema,
  eventsSchema,
  recentRequestSchema,
  recentAnswerSchema,
  watchSchema,
  questionSchema,
  eventQuestionSchema,
  documentsQuestionSchema,
  storeStateSchema,
};

test('a change of the wire comes with a new version', () => {
  const hostId = '0f8fad5b-d9cb-469f-a165-70867728950e';
  const dictionary = dictionaryOf(catalogue);
  const target = dictionary.targets.findIndex((one) => one.name === 'pressure');
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const table = { id: 1, series: [{ target: 'pressure', fields: ['io'], metrics: ['some', 'full'] }] };
  const everything = {
    schemas: Object.entries(schemas).map(([name, schema]) => [
      name,
      z.toJSONSchema(schema, { unrepresentable: 'any' }),
    ]),
    dictionary: dictionary.hash,
    refusals: Object.entries(refusals).map(([code, { next }]) => [code, next]),
    limits,
    documents: [documentsEndpoint, documentLimits],
    store: [storeTopic, storeKey],
    events: [Object.keys(eventKinds), Object.keys(gapReasons)],
    batch: [batchMagic, batchVersion, batchHeaderBytes],
    frames: [frameKinds, frameVersion, overviewColumns],
    examples: [
      hex(encodeBatch(dictionary, 1, 2, [{ target, fields: ['io'], timeMs: 1_000, values: [undefined, 2] }]).bytes),
      hex(encodeHostFrame({ hostId, table: 1, seq: 2, sampleMs: 3, ageMs: 4, values: new Float32Array([5]) })),
      hex(encodeOverviewFrame([{ hostId, sampleMs: 1, ageMs: 2, values: new Float32Array(8) }])),
      hex(
        encodeSnapshot({
          hostId,
          table,
          seq: 1,
          timesMs: new Float64Array(1),
          columns: [new Float32Array(1), new Float32Array(1)],
        }),
      ),
    ],
  };
  const fingerprint = createHash('sha256').update(JSON.stringify(everything)).digest('hex').slice(0, 16);
  assert.equal(fingerprint, fingerprints[protocolVersion]);
});
