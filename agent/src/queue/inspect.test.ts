import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DiskImage } from './crash-states.ts';
import { runQueueCommand } from './inspect-command.ts';
import { inspectQueue, type InspectLine } from './inspect.ts';
import { openWorld } from './queue-world.contract.ts';

const maxBytes = 64 * 1024;

const story = async () => {
  const world = await openWorld({ maxBytes });
  for (let i = 0; i < 4; i += 1) await world.append(2 + i, { words: i === 3 ? 1 : 0 });
  await world.appendEvents();
  await world.ack(1, [[1, 1]], [{ seq: 1, samples: 1 }]);
  await world.reopen('close');
  await world.append(30);
  await world.advance(3000);
  return world;
};

const linesOf = async (image: DiskImage, records = true): Promise<InspectLine[]> => {
  const lines: InspectLine[] = [];
  const files = {
    list: () => Promise.resolve([...image.keys()]),
    read: (name: string, bytes?: number) => {
      const content = image.get(name);
      return Promise.resolve(content && Buffer.from(content).subarray(0, bytes));
    },
  };
  for await (const line of inspectQueue(files, { records })) lines.push(line);
  return lines;
};
const summaryOf = (lines: readonly InspectLine[]) => lines.find((line) => line.type === 'summary') ?? assert.fail();

test('a queue in use is shown with every record taken apart, and the account is that of the queue', async () => {
  const world = await story();
  const lines = await linesOf(world.sim.image());
  const records = lines.filter((line) => line.type === 'record');
  assert.deepEqual(
    records.map(({ kind, epoch, seq, samples, acknowledged }) => `${kind} ${epoch}/${seq} ${samples} ${acknowledged}`),
    [
      ...['batch 1/0 2 false', 'batch 1/1 3 true', 'batch 1/2 4 false', 'batch 1/3 5 false', 'events 1/4 0 false'],
      'batch 2/0 30 false',
    ],
  );
  assert.deepEqual(records[0]?.items?.[1]?.values, { load1: 1, load5: 0, load15: 1 });
  assert.deepEqual([records[0].items[1].target, records[0].items[1].timeMs], ['load', records[0].timeMs]);
  assert.equal((records[4]?.events?.[0] as { kind: string } | undefined)?.kind, 'start');
  const summary = summaryOf(lines);
  assert.deepEqual(summary.account, world.queue().account());
  assert.deepEqual([summary.waiting.records, summary.waiting.samples, summary.wasClean], [5, 41, false]);
});

test('copies of single segments without a checkpoint show all that is in them', async () => {
  const world = await story();
  const image = new Map([...world.sim.image()].filter(([name]) => name.endsWith('.seg')));
  const records = (await linesOf(image)).filter((line) => line.type === 'record');
  assert.equal(records.length, 6);
  assert.ok(records.every((one) => one.unreadable === undefined && !one.acknowledged));
});

test('damage is shown with its place, what is missing, and does not hide the rest', async () => {
  const world = await story();
  await world.queue().close();
  const image = new Map(world.sim.image());
  const [name = '', bytes = new Uint8Array(0)] = [...image].find(([one]) => one.endsWith('.seg')) ?? [];
  const before = await linesOf(image);
  const total = before.filter((line) => line.type === 'record').length;
  // Behind the header, the dictionary and the first record.
  bytes[bytes.length - 200] = (bytes[bytes.length - 200] ?? 0) ^ 1;
  image.set(name, bytes);
  const lines = await linesOf(image);
  const damage = lines.filter((line) => line.type === 'damage');
  assert.equal(damage.length, 1);
  assert.equal(damage[0]?.records, 1);
  assert.equal(lines.filter((line) => line.type === 'record').length, total - 1);
  const { account } = summaryOf(lines);
  assert.equal(account.produced, account.stored + account.refused + account.gap + account.queued);
  assert.equal(account.gap, damage[0].samples);
});

test('the command needs no token, says one thing when it makes no sense, and ends with 2', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'thrum-inspect-'));
  try {
    const world = await story();
    for (const [name, bytes] of world.sim.image()) writeFileSync(join(folder, name), bytes);
    const run = async (...words: string[]) => {
      const out: string[] = [];
      const said: string[] = [];
      const code = await runQueueCommand(
        words,
        (line) => out.push(line),
        (line) => said.push(line),
      );
      return { code, out, said };
    };
    const plain = await run('inspect', folder);
    assert.equal(plain.code, 0);
    assert.match(plain.out.join('\n'), /Waiting: 5 records with 41 samples/);
    assert.match(plain.out.join('\n'), /44 produced = 2 stored \+ 1 refused \+ 0 lost \+ 41 waiting/);
    const json = await run('inspect', '--json', '--records', folder);
    assert.deepEqual(
      json.out.map((line) => (JSON.parse(line) as InspectLine).type).filter((type) => type === 'record').length,
      6,
    );
    assert.equal((JSON.parse(json.out.at(-1) ?? '') as InspectLine).type, 'summary');
    for (const words of [['look'], ['inspect', '--what'], ['inspect', 'a', 'b'], []]) {
      const bad = await run(...words);
      assert.deepEqual([bad.code, bad.out.length, bad.said.length], [2, 0, 1], words.join(' '));
    }
    const nowhere = await run('inspect', join(folder, 'nowhere'));
    assert.deepEqual([nowhere.code, nowhere.said.length], [1, 1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
