/**
 * How sessions lie in a file: one line per record, `CRC32 JSON`, a newline before it and one behind, so that damage to one record, its newlines
 * included, never reaches its neighbor, and a torn tail never reaches what is appended after it. Records are merged when they are read,
 * so neither their order nor reading one twice matters; a line of a kind that is not known is skipped as damaged.
 */
import { crc32 } from 'node:zlib';
import { packSession, packUser, unpackSession, unpackUser } from './session-record.ts';
import type { Entries, SessionRecord, UserGeneration } from './session-record.ts';

const newline = 0x0a;
const crcChars = 8;
const maxLineBytes = 4096;

const checksum = (json: string | Uint8Array): string => crc32(json).toString(16).padStart(crcChars, '0');

export const formatRecord = (record: SessionRecord | UserGeneration): string => {
  const json = JSON.stringify('id' in record ? ['session', packSession(record)] : ['user', packUser(record)]);
  return `\n${checksum(json)} ${json}\n`;
};

const parseLine = (line: Uint8Array): SessionRecord | UserGeneration | undefined => {
  if (line.byteLength > maxLineBytes) return undefined;
  const json = line.subarray(crcChars + 1);
  const head = Buffer.from(line.subarray(0, crcChars + 1)).toString('latin1');
  if (head !== `${checksum(json)} `) return undefined;
  try {
    const [kind, packed] = JSON.parse(Buffer.from(json).toString('utf8')) as readonly unknown[];
    return kind === 'session' ? unpackSession(packed) : kind === 'user' ? unpackUser(packed) : undefined;
  } catch {
    return undefined;
  }
};

/** `damaged` counts the records that could not be read, `lines` all. */
export const readRecords = (bytes: Uint8Array): { entries: Entries; damaged: number; lines: number } => {
  const sessions: SessionRecord[] = [];
  const users: UserGeneration[] = [];
  let damaged = 0;
  for (let start = 0; start < bytes.byteLength;) {
    const found = bytes.indexOf(newline, start);
    const end = found < 0 ? bytes.byteLength : found;
    if (end > start) {
      const record = parseLine(bytes.subarray(start, end));
      if (!record) damaged += 1;
      else if ('id' in record) sessions.push(record);
      else users.push(record);
    }
    start = end + 1;
  }
  return { entries: { sessions, users }, damaged, lines: sessions.length + users.length + damaged };
};
