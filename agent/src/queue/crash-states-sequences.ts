/**
 * Every short story of a queue, and every state a power failure at any moment of it may leave on the disk: for tests that look at all of them.
 * A story is a word over a small alphabet. Stories that begin alike share the states of their beginning, which are told once.
 */
import { openWorld, type WorldOptions } from './queue-world.contract.ts';
import { copyLedger, type Ledger } from './queue-ledger.ts';
import { imageKey, type DiskImage } from './crash-states.ts';

/** What can happen next. Large records fill a segment by a few. */
export const alphabet = {
  a: 'a small record',
  A: 'a large record',
  b: 'two records in one commit',
  k: 'the oldest record is acknowledged',
  K: 'all records are acknowledged',
  g: 'a gap is told',
  t: 'time passes, so that what is done now and then is done',
  c: 'the agent stops in order and starts again',
  x: 'the agent is killed and starts again',
} as const;
export type Letter = keyof typeof alphabet;

export type Moment = {
  readonly story: string;
  /** Calls of the disk that changed something, so far. */
  readonly at: number;
  readonly image: DiskImage;
  /** What the queue had been given then. */
  readonly ledger: Ledger;
  readonly wallMs: number;
  readonly epoch: number;
};

/** All words of this length, in order. */
export const storiesOf = function* (letters: string, length: number): Generator<string> {
  const count = letters.length ** length;
  for (let n = 0; n < count; n += 1) {
    let word = '';
    for (let at = 0, rest = n; at < length; at += 1, rest = Math.floor(rest / letters.length))
      word = `${letters.charAt(rest % letters.length)}${word}`;
    yield word;
  }
};

/**
 * Plays a story and returns each state that a power failure may leave behind the first `skip` letters; at most `limit` for each moment, and
 * how many moments had more than that. The queue is judged on the way too.
 */
export const crashStatesOfStory = async (
  story: string,
  options: WorldOptions & { skip: number; limit: number },
): Promise<{ moments: Moment[]; cut: number }> => {
  const world = await openWorld(options);
  const { sim } = world;
  const moments: Moment[] = [];
  const seen = new Set<string>();
  let [calls, cut, place] = [0, 0, 0];
  const look = (): void => {
    calls += 1;
    if (place < options.skip) return;
    const ledger = copyLedger(world.ledger());
    const known =
      [...ledger.entries.values()].map(({ state, acked }) => `${state}${acked}`).join() +
      [...ledger.given.keys()].join();
    let states = 0;
    for (const image of sim.crashStates(options.limit)) {
      states += 1;
      const key = `${imageKey(image)} ${known}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const { clock, epoch } = world;
      moments.push({ ...{ story, at: calls, image, ledger }, wallMs: clock.wallMs() + 10, epoch: epoch() + 1 });
    }
    if (states >= options.limit) cut += 1;
  };
  sim.onChange(look);
  const play = async (letter: string): Promise<void> => {
    const first = (): { epoch: number; seq: number } | undefined => {
      const queued = [...world.ledger().entries.values()].find(
        ({ acked, state }) => acked === undefined && state !== 'offered',
      );
      return queued?.record;
    };
    const oldest = first();
    if (letter === 'a') await world.append(1);
    else if (letter === 'A') await world.append(45);
    else if (letter === 'b') {
      await world.append(2, { settle: false });
      await world.append(9);
    } else if (letter === 'k' && oldest) await world.ack(oldest.epoch, [[oldest.seq, oldest.seq]]);
    else if (letter === 'K') for (let e = 1; e <= world.epoch(); e += 1) await world.ack(e, [[0, 1000]]);
    else if (letter === 'g') await world.takeGap();
    else if (letter === 't') await world.advance(3000);
    else if (letter === 'c') await world.reopen('close');
    else if (letter === 'x') await world.reopen('kill');
    await world.settle();
    await world.check();
    look();
  };
  for (const letter of story) {
    await play(letter);
    place += 1;
  }
  sim.onChange(undefined);
  await world
    .queue()
    .close()
    .catch(() => undefined);
  return { moments, cut };
};
