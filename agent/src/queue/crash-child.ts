/**
 * The program that `killed-queue.crash.test.ts` kills: appends to a real queue and tells on stdout, line by line and at once, what became
 * durable. What it appends is told by its number alone, so that whoever comes later knows every byte: `batchOf` of `queue-world.contract.ts`.
 *
 *   node crash-child.ts DIRECTORY EPOCH RECORDS
 */
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { silentLog } from '@thrum/actors/system/log';
import { systemClock } from '@thrum/actors/system/clock';
import { openDiskQueue } from './disk-queue.ts';
import { openFileDisk } from './file-disk.ts';
import { batchOf, dictionaryOfBatch, eventsOf, host } from './queue-world.contract.ts';

export const childOptions = { host, maxBytes: 64 * 1024, maxAgeMs: 3_600_000 };

/** Every ninth record is one of events; sizes differ, so that segments end at different places. */
export const childRecord = (epoch: number, seq: number) => {
  const timeMs = 1_790_000_000_000 + epoch * 1_000_000 + seq;
  return seq % 9 === 8 ? eventsOf({ epoch, seq }, timeMs) : batchOf({ epoch, seq }, timeMs, 1 + ((seq * 7) % 50));
};

const say = (line: string): void => void writeSync(1, `${line}\n`);

const run = async (directory: string, epoch: number, records: number): Promise<void> => {
  const queue = await openDiskQueue({
    ...childOptions,
    ...{ disk: openFileDisk(directory), epoch, clock: systemClock, log: silentLog },
  });
  say('open');
  let state = queue.durability().state;
  const watch = (): void => {
    const now = queue.durability().state;
    if (now !== state) say(now);
    state = now;
  };
  const group = 4;
  for (let seq = 0; seq < records; seq += group) {
    const appended = Array.from({ length: group }, async (_, i) => {
      const record = childRecord(epoch, seq + i);
      await queue.append(record, dictionaryOfBatch(record));
      watch();
      say(`${state === 'durable' ? 'safe' : 'kept'} ${epoch} ${seq + i}`);
    });
    await Promise.all(appended);
    // Parts of segments, and whole ones, which then go.
    const [from, to] = seq % 24 === 20 ? [0, seq - 6] : [seq - 8, seq - 2];
    if (seq % 12 === 8) {
      say(`ack ${epoch} ${from} ${to}`);
      queue.ack(epoch, [[from, to]]);
    }
    const gap = queue.nextGap();
    if (gap) {
      say(`gap ${JSON.stringify(gap)}`);
      queue.gapIsToldIn(gap.id, { epoch, seq: seq + 3 - ((seq + 4) % 9) }); // the newest record of events
    }
    await pause(2);
  }
  // A disk that works again is noticed without being told.
  for (let waited = 0; waited < 600 && queue.durability().state !== 'durable'; waited += 1) await pause(25);
  watch();
  await queue.close();
  say('closed');
};

if (import.meta.main) {
  const [directory = '', epoch, records] = process.argv.slice(2);
  await run(directory, Number(epoch), Number(records));
}
