/**
 * Traffic per network interface from /proc/net/dev. Left out: the loop-back, one end of each container's pair (veth; its bridge and the
 * physical interface show the same bytes), and interfaces that never carried a packet.
 */
import { network } from '@thrum/actors/wire/catalogue/network';
import type { Add, Collector, CollectorKind, Values } from './collector.ts';
import type { LinuxSources } from './linux-sources.ts';
import type { ProcText } from './proc-text.ts';

const colon = 58;
const columns = 16;
/** Columns of the file in the order of the target's metrics: bytes, packets, errors, drops, each received and sent. */
const order = [0, 8, 1, 9, 2, 10, 3, 11] as const;

export const isCounted = (name: string): boolean => name !== 'lo' && !name.startsWith('veth');

/** Hands over every interface that is counted. Throws when no line at all is one of an interface. */
export const parseNetDev = (text: ProcText, add: Add, fieldsOf: (name: string) => readonly string[]): void => {
  const read = new Float64Array(columns);
  const values: Values = [];
  let lines = 0;
  for (; !text.done; text.nextLine()) {
    const from = text.at;
    // The last colon: an alias has one in its name, and old kernels write the first number right behind it.
    const found = text.bytes.lastIndexOf(colon, Math.max(from, text.lineEnd - 1));
    if (found < from) continue;
    text.skipSpaces();
    const name = text.nameOf(text.at, found);
    text.at = found + 1;
    let count = 0;
    for (; count < columns; count += 1) {
      const value = text.number();
      if (Number.isNaN(value)) break;
      read[count] = value;
    }
    if (count < columns) continue;
    lines += 1;
    if (!isCounted(name) || (read[1] === 0 && read[9] === 0)) continue;
    for (let i = 0; i < order.length; i += 1) values[i] = read[order[i] ?? 0];
    add(fieldsOf(name), values);
  }
  if (lines === 0) throw new Error('/proc/net/dev has no line of an interface.');
};

const maxNames = 4096;

/** The same list for the same name, so that a tick makes none. */
export const fieldLists = (): ((name: string) => readonly string[]) => {
  const known = new Map<string, readonly string[]>();
  return (name) => {
    const found = known.get(name);
    if (found) return found;
    if (known.size >= maxNames) known.clear();
    const made = [name];
    known.set(name, made);
    return made;
  };
};

const onLinux = (sources: LinuxSources): Collector => {
  const file = sources.proc('net/dev');
  const fieldsOf = fieldLists();
  return { collect: (_tick, add) => parseNetDev(file.read(), add, fieldsOf) };
};

export const networkCollector: CollectorKind = {
  target: network,
  start: ({ linux, elsewhere }) =>
    linux
      ? onLinux(linux)
      : {
          collect: async (_tick, add) => {
            for (const one of await (await elsewhere()).interfaces())
              if (isCounted(one.name))
                add(
                  [one.name],
                  [
                    one.receivedBytes,
                    one.sentBytes,
                    undefined,
                    undefined,
                    one.receiveErrors,
                    one.sendErrors,
                    one.receiveDrops,
                    one.sendDrops,
                  ],
                );
          },
        },
};
