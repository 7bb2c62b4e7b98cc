/**
 * Reads an agent's answer to "the last minutes, please": groups of batches, maybe compressed. The agent may be hostile, so everything
 * is bounded: bytes after decompression, batches, and how long the event loop is held (a pause whenever so
 * much was worked through, however few batches that took).
 */
import { setImmediate as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { decodeBatch, type Batch, type ShapeMemory } from '@thrum/actors/wire/batch';
import type { Dictionary } from '@thrum/actors/wire/dictionary';
import { recentAnswerSchema } from '@thrum/actors/wire/ingest-to-agent';
import { limits } from '@thrum/actors/wire/limits';
import { refuse, type Refusal } from '@thrum/actors/wire/refusal';

/** Ten minutes at 1 s take about 4 MB; an agent with a hundred containers 30. */
const maxBytes = 64 * 1024 * 1024;
const maxBatches = 20_000;
/** Some 5 ms; more of them would make everybody wait longer, fewer would make a snapshot take more turns. */
const workBetweenPauses = 100_000;
/** What a batch costs however small, and what one series more in it costs, in values. */
const workPerBatch = 100;
const workPerSample = 4;
const decompress = promisify(zstdDecompress);

/** Calls `take`, which returns how many values it wrote, for each batch in the order of the answer. Nothing is taken of a group that cannot be read. */
export const readRecent = async (
  answer: unknown,
  findDictionary: (hash: string) => Dictionary | undefined,
  take: (batch: Batch) => number,
): Promise<{ readonly ok: true; readonly batches: number } | Refusal> => {
  const parsed = recentAnswerSchema.safeParse(answer);
  if (!parsed.success) return refuse('malformed', 'recent: not an answer');
  const dictionary = findDictionary(parsed.data.dictionary);
  if (!dictionary) return refuse('unknown-dictionary', parsed.data.dictionary);
  let memory: ShapeMemory;
  let bytesRead = 0;
  let batches = 0;
  let work = 0;
  for (const group of parsed.data.groups) {
    const plain = await unpack(group, maxBytes - bytesRead);
    if (!plain) return refuse('malformed', `recent: group ${parsed.data.groups.indexOf(group)} cannot be unpacked`);
    bytesRead += plain.length;
    if (bytesRead > maxBytes) return refuse('too-large', 'recent');
    const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
    for (let at = 0; at < plain.length;) {
      const length = at + 4 <= plain.length ? view.getUint32(at, true) : limits.maxBatchBytes + 1;
      if (length > limits.maxBatchBytes || at + 4 + length > plain.length)
        return refuse('malformed', 'recent: lengths');
      const decoded = decodeBatch(plain.subarray(at + 4, at + 4 + length), dictionary, memory);
      if (!decoded.ok) return decoded;
      memory = decoded.memory;
      const { timesMs, values } = decoded.batch;
      work += workPerBatch + values.length + timesMs.length * workPerSample + take(decoded.batch);
      at += 4 + length;
      batches += 1;
      if (batches > maxBatches) return refuse('too-large', 'recent');
      if (work < workBetweenPauses) continue;
      work = 0;
      await pause();
    }
  }
  return { ok: true, batches };
};

const unpack = async (
  group: { readonly encoding: 'plain' | 'zstd'; readonly bytes: Uint8Array },
  roomBytes: number,
): Promise<Uint8Array | undefined> => {
  if (group.encoding === 'plain') return group.bytes;
  if (group.bytes.length === 0 || roomBytes <= 0) return undefined;
  try {
    return await decompress(group.bytes, { maxOutputLength: roomBytes });
  } catch {
    return undefined; // not Zstandard, damaged, or more than fits
  }
};
