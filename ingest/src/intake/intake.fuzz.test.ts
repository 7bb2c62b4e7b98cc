/**
 * Damaged hellos, dictionaries, batches and events through real sessions, and some of them over real sockets. Each ends in a reason of the
 * closed list or is taken; the session that does nothing wrong goes on. THRUM_FUZZ_INPUTS says how many are tried.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '@thrum/actors/system/clock';
import { silentLog } from '@thrum/actors/system/log';
import { fuzz, fuzzInputs, fuzzSeed } from '@thrum/actors/testing/fuzz';
import { mutateJson, mutations } from '@thrum/actors/testing/mutations';
import { encodeBatch } from '@thrum/actors/wire/batch';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { limits } from '@thrum/actors/wire/limits';
import { refusals, type Refusal } from '@thrum/actors/wire/refusal';
import { Dictionaries } from './dictionaries.ts';
import { EventAllowance } from './event-allowance.ts';
import { IntakeCounts } from './intake-counts.ts';
import {
  dictionary,
  sampleOf,
  scriptedStore,
  startNode,
  token,
  type ScriptedStore,
  type TestAgent,
  type TestNode,
} from './intake.contract.ts';
import { rules } from './rules.ts';
import { SeriesCounts, seriesCountsDefaults } from './series-counts.ts';
import { Session } from './session.ts';
import { Sessions } from './sessions.ts';
import { StrangerLog } from './stranger-log.ts';
import type { Peer, Surroundings } from './surroundings.ts';
import { tokenCheck } from './token-check.ts';
import { UnderWay } from './under-way.ts';

/** Of each of the four kinds. */
const inputs = Math.ceil(fuzzInputs(10_000) / 4);
const seed = fuzzSeed();
const options = { timeout: 30_000 + inputs * 10 };
const admission = {
  handshakesPerSecond: 10_000,
  burst: 10_000,
  maxConnections: 10_000,
  maxWaiting: 1000,
  maxWaitingPerAddress: 1000,
};
let node: TestNode;
/** The session that has to go on undisturbed, whatever the others do. */
let bystander: TestAgent;
before(async () => {
  node = await startNode({ store: scriptedStore(), admission });
  bystander = node.agent();
  await bystander.greet();
});
after(() => node.close());

const good = {
  batch: encodeBatch(dictionary, 1, 1, [
    sampleOf('load', { load1: 1, load5: 2 }),
    sampleOf('network', { received_bytes: 5, sent_bytes: 6 }, { fields: ['eth0'] }),
    sampleOf('filesystem', { usage: 7 }, { fields: ['/dev/sda1', 'ext4', '/'] }),
  ]).bytes,
  events: Buffer.from(
    JSON.stringify({
      epoch: 1,
      seq: 2,
      events: [
        { kind: 'start', id: '1-1', timeMs: 1_700_000_000_000, facts: { version: '0.1.0', produced: 12 } },
        { kind: 'gap', id: '1-2', timeMs: 1_700_000_000_001, facts: { reason: 'full', samples: 7, known: true } },
      ],
    }),
  ),
};

type Outcome = { word: string };

/** Sessions one after another, each until it is refused; what becomes of the thing said last is in `outcome`. */
const sessionsOf = () => {
  const dictionaries = new Dictionaries(catalogue);
  assert.ok(dictionaries.declare(dictionary).ok);
  const store: ScriptedStore = scriptedStore();
  const outcome: Outcome = { word: '' };
  const say = (word: string): void => {
    if (outcome.word === '') outcome.word = word;
  };
  const around: Surroundings = {
    clock: systemClock,
    isTimeSure: () => true,
    log: silentLog,
    nodeName: 'here',
    isOurToken: tokenCheck(token),
    dictionaries,
    sessions: new Sessions(),
    seriesCounts: new SeriesCounts({ ...seriesCountsDefaults, maxSeriesPerHost: limits.maxSeriesPerHost }),
    live: node.live,
    store: {
      ...store,
      write: (request) => {
        const { n, whyNot } = { n: request.batch.timesMs.length, whyNot: request.refused };
        assert.equal(request.accepted.length, n);
        request.accepted.forEach((one, i) => assert.equal(one === 1, whyNot?.[i] === undefined));
        say('taken');
        return { ok: true, done: Promise.resolve({ ok: true, refused: [] }) };
      },
      writeEvents: ({ events }) => {
        assert.ok(events.length > 0);
        say('taken');
        return { ok: true, done: Promise.resolve({ ok: true, refused: [] }) };
      },
    },
    strangerLog: new StrangerLog(),
    underWay: new UnderWay(),
    // What is refused is told by what it says, not by how much came before it.
    eventAllowance: new EventAllowance({ burst: 1e12, refillPerSecond: 1, maxHosts: 10 }),
    pacing: { enter: () => 0, backlogOf: () => 1, sawBacklog: () => 1 },
    rules,
    retentionMs: 5 * 86_400_000,
    counts: new IntakeCounts(),
  };
  let current: Session | undefined;
  const open = (): Session => {
    const peer: Peer = {
      address: 'nowhere',
      send: (event, message) => {
        if (event === 'refused') say((message as Refusal).code);
        else if (event === 'busy') say('busy');
      },
      close: () => (current = undefined),
      greeted: () => undefined,
      replaced: () => undefined,
      superseded: () => undefined,
    };
    return new Session(around, peer);
  };
  const hello = { ...bystander.hello, host: '99999999-9999-4999-8999-999999999999' };
  const greeted = (): Session => {
    if (current) return current;
    current = open();
    current.said('hello', [hello]);
    return current;
  };
  /** Says it and returns what became of it: a code of the closed list, or a word for what was taken. */
  const word = (session: Session, event: string, args: readonly unknown[], otherwise: string): string => {
    outcome.word = '';
    session.said(event, args);
    const said = outcome.word === '' ? otherwise : outcome.word;
    assert.ok(said in refusals || said === otherwise || said === 'busy' || said === 'taken', said);
    return said;
  };
  return { around, hello, open, greeted, word };
};

const bothHappen = (words: Readonly<Record<string, number>>, taken: string): void => {
  const refused = Object.entries(words).reduce((sum, [word, count]) => sum + (word in refusals ? count : 0), 0);
  assert.ok(refused > inputs / 50, `${refused} were refused: ${JSON.stringify(words)}`);
  assert.ok((words[taken] ?? 0) > 0, `some are still good: ${JSON.stringify(words)}`);
};

test('a damaged hello is refused with a reason or is a good one', options, async () => {
  const { hello, open, word } = sessionsOf();
  const mutate = mutateJson({ seed });
  const { words } = await fuzz({
    ...{ name: 'hello', inputs, seed },
    next: () => mutate(hello),
    take: (input) => {
      const session = open();
      const said = word(session, 'hello', [input, () => undefined], 'welcome');
      session.gone(false);
      return said;
    },
  });
  bothHappen(words, 'welcome');
  assert.equal(node.intake.counts.sessionsFailed, 0);
});

test('a damaged dictionary is refused with a reason or is a good one', options, async () => {
  const { around, greeted, word } = sessionsOf();
  const mutate = mutateJson({ seed });
  const few = { hash: dictionary.hash, targets: dictionary.targets.slice(0, 3) };
  const { words } = await fuzz({
    ...{ name: 'dictionary', inputs, seed },
    next: (number) => (number % 100 === 0 ? dictionary : mutate(number % 10 === 0 ? dictionary : few)),
    take: (input) => word(greeted(), 'dictionary', [input, () => undefined], 'declared'),
  });
  bothHappen(words, 'declared');
  assert.ok(around.dictionaries.size <= 256);
});

test('a damaged batch is refused with a reason or is a good one', options, async () => {
  const { around, greeted, word } = sessionsOf();
  const mutate = mutations({ seed });
  const { words } = await fuzz({
    ...{ name: 'batch', inputs, seed },
    next: (number) => ({ bytes: mutate(good.batch, [good.events]), notLive: number % 2 === 0 }),
    take: ({ bytes, notLive }) => word(greeted(), 'batch', [bytes, notLive], 'under way already'),
  });
  bothHappen(words, 'taken');
  assert.ok(around.counts.samples > 0);
});

test('damaged events are refused with a reason or are good ones', options, async () => {
  const { greeted, word } = sessionsOf();
  const [mutateBytes, mutate] = [mutations({ seed }), mutateJson({ seed })];
  const parsed: unknown = JSON.parse(good.events.toString());
  const { words } = await fuzz({
    ...{ name: 'events', inputs, seed },
    next: (number) =>
      number % 2 === 0
        ? mutateBytes(good.events, [good.batch])
        : Buffer.from(JSON.stringify([mutate(parsed)]).slice(1, -1)),
    take: (input) => word(greeted(), 'events', [input], 'under way already'),
  });
  bothHappen(words, 'taken');
});

test('damaged messages over real sockets are refused or taken as well, and nobody else notices', options, async () => {
  const [mutateBytes, mutate] = [mutations({ seed }), mutateJson({ seed })];
  const many = Math.min(2_000, Math.ceil(inputs / 20));
  for (let i = 0; i < many; i += 1) {
    const agent = node.agent();
    if (i % 4 === 0) agent.socket.emit('hello', mutate(agent.hello));
    else {
      await agent.greet();
      if (i % 4 === 1) agent.socket.emit('dictionary', mutate(dictionary), () => undefined);
      else if (i % 4 === 2) agent.sendBytes(mutateBytes(good.batch));
      else agent.socket.emit('events', Buffer.from(mutateBytes(good.events)));
    }
    await agent.ask('bye').catch(() => undefined);
    agent.socket.disconnect();
    for (const { code } of agent.refused) assert.ok(code in refusals, code);
  }
  assert.equal(node.intake.counts.sessionsFailed, 0);
  assert.equal(node.system.counters().failures, 0);
  await bystander.works();
  assert.deepEqual([bystander.closed, bystander.refused], [false, []]);
});
