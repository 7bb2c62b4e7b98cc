/**
 * Every state that a power failure may leave, at every moment of every short story of a queue (`crash-states-sequences.ts`): the queue opens,
 * and what it says keeps every promise; so it does when the power fails again while it recovers. THRUM_FUZZ_INPUTS asks for about so many
 * states, spread over all stories; a number above a million looks at all of them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { fuzzInputs } from '@thrum/actors/testing/fuzz';
import { crashStatesOfStory, storiesOf, type Moment } from './crash-states-sequences.ts';
import { imageKey } from './crash-states.ts';
import * as list from './queue-ledger.ts';
import { batchOf, dictionaryOfBatch, lookAt, openOn } from './queue-world.contract.ts';
import { simulatedDisk } from './simulated-disk.ts';

/** Segments of 2 KiB: a few records fill one. */
const maxBytes = 16 * 1024;
const statesPerMoment = 64;

const explain = ({ story, at }: Moment, where: string): string => `story ${story}, call ${at}, ${where}`;

/** The power fails again at every moment of the recovery: what is found then is judged like what was found first. */
const failAgain = async (moment: Moment): Promise<number> => {
  const sim = simulatedDisk({ image: moment.image });
  const images = new Map<string, ReadonlyMap<string, Uint8Array>>();
  sim.onChange(() => {
    for (const image of sim.crashStates(8)) images.set(imageKey(image), image);
  });
  const clock = fakeClock(moment.wallMs);
  const queue = await openOn(sim.disk, clock, moment.epoch, { maxBytes });
  await queue.close().catch(() => undefined);
  for (const image of images.values()) {
    const found = await lookAt(image, { maxBytes, wallMs: moment.wallMs + 10, epoch: moment.epoch + 1 });
    list.judge(moment.ledger, found, { crashed: true });
  }
  return images.size;
};

/** What was found is kept: another record, an orderly end, and everything is there once more. */
const goOn = async (moment: Moment): Promise<void> => {
  const { epoch, wallMs, ledger } = moment;
  const sim = simulatedDisk({ image: moment.image });
  const queue = await openOn(sim.disk, fakeClock(wallMs), epoch, { maxBytes });
  const next = list.copyLedger(ledger);
  const record = batchOf({ epoch, seq: 0 }, wallMs, 2);
  list.offer(next, record);
  await queue.append(record, dictionaryOfBatch(record));
  list.setState(next, record, 'safe');
  await queue.close();
  sim.powerFailure();
  const found = await lookAt(sim.image(), { maxBytes, wallMs: wallMs + 100, epoch: epoch + 1 });
  list.judge(next, found, { crashed: true });
  assert.ok(found.records.some((one) => one.epoch === epoch));
};

const judgeMoment = async (moment: Moment): Promise<void> => {
  const { image, ledger, wallMs, epoch } = moment;
  const began = process.cpuUsage();
  const found = await lookAt(image, { maxBytes, wallMs, epoch });
  const tookMs = process.cpuUsage(began).user / 1000;
  assert.ok(tookMs < 1000, `I5: opening took ${tookMs} ms`);
  list.judge(ledger, found, { crashed: true });
};

const run = async (letters: string, length: number, most: number): Promise<string> => {
  const stories = letters.length ** length;
  // What a story brings beyond the one before it, as measured: a first guess that is corrected as it goes.
  let perStory = 25;
  let [states, again, told, cut, at] = [0, 0, 0, 0, 0];
  let before = '';
  let nextStory = 0;
  for (const story of storiesOf(letters, length)) {
    at += 1;
    if (at - 1 < nextStory) continue;
    let skip = 0;
    while (before.length > 0 && story[skip] === before[skip]) skip += 1;
    before = story;
    const { moments, cut: cutHere } = await crashStatesOfStory(story, { maxBytes, skip, limit: statesPerMoment });
    cut += cutHere;
    told += 1;
    for (const [i, moment] of moments.entries()) {
      let where = 'found';
      try {
        await judgeMoment(moment);
        if ((i + told) % 7 === 0) {
          where = 'goes on';
          await goOn(moment);
        }
        if ((i + told) % 19 === 0) {
          where = 'fails again';
          again += await failAgain(moment);
        }
      } catch (error) {
        throw new Error(explain(moment, where), { cause: error });
      }
    }
    states += moments.length;
    perStory = Math.max(1, states / told);
    nextStory = at - 1 + Math.max(1, Math.floor((stories - at) / Math.max(1, (most - states) / perStory)));
    if (states >= most) break;
  }
  return `${states} states of ${told} of ${stories} stories, ${again} of failing again, ${cut} moments with more than ${statesPerMoment}`;
};

const most = fuzzInputs(1500);

test('whatever a power failure leaves of the last six things that happened, the queue keeps its promises', async (t) => {
  t.diagnostic(await run('aAkKtcx', 6, most));
});

test('so it does where several records are committed at once, and gaps are told', async (t) => {
  t.diagnostic(await run('bAgkx', 6, Math.ceil(most / 2)));
});
