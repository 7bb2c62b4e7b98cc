/** Whatever happens to nodes and links: in the end all nodes show each connected agent once, where it is, and nothing of a dead life as up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../testing/fake-clock.ts';
import { startNodes } from '../testing/nodes.ts';
import type { TestNode } from '../testing/nodes.ts';
import { seededRandom } from '../testing/random.ts';
import { testEntry, testHostId } from '../testing/roster-entries.ts';
import type { RosterEntry } from '../wire/roster.ts';

const count = 4;
const agentCount = 6;
const steps = 30;
const runs = 25;

type Agent = { epoch: number; attempt: number; at: number | undefined; entry: RosterEntry | undefined };

const play = async (seed: number): Promise<void> => {
  const random = seededRandom(seed);
  const below = (max: number): number => Math.floor(random() * max);
  const clock = fakeClock();
  const all = await startNodes(count, {
    ...{ clock, seed, unlinked: true },
    delayMs: { min: 1, max: 30 },
    lossRate: 0.01,
  });
  const nodes = [...all.nodes];
  const down = new Set<number>();
  const agents = Array.from({ length: agentCount }, (): Agent => ({
    epoch: 1,
    attempt: 0,
    at: undefined,
    entry: undefined,
  }));
  const node = (at: number): TestNode => nodes[at] ?? assert.fail();
  const up = (): number[] => nodes.map((_, at) => at).filter((at) => !down.has(at));
  const run = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 50) {
      clock.advance(50);
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
    }
  };
  const put = (which: number, at: number, connection: RosterEntry['connection']): void => {
    const { epoch, attempt } = agents[which] ?? assert.fail();
    const entry = testEntry(which, {
      epoch,
      attempt,
      connection,
      sinceMs: clock.wallMs(),
      node: node(at).links.self.id,
    });
    node(at).presence.put(entry);
    Object.assign(agents[which] ?? {}, { entry });
  };
  const connect = (which: number): void => {
    const agent = agents[which] ?? assert.fail();
    const to = up()[below(up().length)] ?? assert.fail();
    agent.attempt += 1;
    const former = agent.at;
    if (former !== undefined && former !== to && !down.has(former)) put(which, former, 'reconnecting');
    agent.at = to;
    put(which, to, 'connected');
  };
  const hosts = nodes.map(({ host }) => host);
  await run(2000);
  for (let which = 0; which < agentCount; which += 1) connect(which);

  for (let step = 0; step < steps; step += 1) {
    const what = random();
    const at = below(count);
    const which = below(agentCount);
    const agent = agents[which] ?? assert.fail();
    if (what < 0.35) connect(which);
    else if (what < 0.45 && agent.at !== undefined) {
      put(which, agent.at, 'left');
      agent.at = undefined;
    } else if (what < 0.55) {
      const some = hosts.filter(() => random() < 0.5);
      all.network.split(
        some,
        hosts.filter((host) => !some.includes(host)),
      );
    } else if (what < 0.6) all.network.splitOneWay(hosts[at] ?? '', hosts[(at + 1) % count] ?? '');
    else if (what < 0.7) all.network.heal();
    else if (what < 0.77 && down.size < count - 2 && !down.has(at)) {
      all.network.kill(node(at).host);
      down.add(at);
      for (const one of agents) if (one.at === at) one.at = undefined;
      const closing = node(at).close();
      await run(1000);
      await closing;
    } else if (what < 0.85 && down.has(at)) {
      all.network.revive(node(at).host);
      nodes[at] = await all.start(at);
      down.delete(at);
    } else await run(below(8000));
  }
  all.network.heal();
  await run(30_000);
  const digests = new Set(up().map((at) => node(at).presence.digest()));
  assert.equal(digests.size, 1, `seed ${seed}: all show the same`);
  for (const at of up()) {
    const shown = new Map(
      node(at)
        .presence.agents()
        .map((entry) => [entry.hostId, entry]),
    );
    assert.equal(shown.size, node(at).presence.agents().length, `seed ${seed}: each host once`);
    for (const [which, agent] of agents.entries()) {
      const entry = shown.get(testHostId(which));
      if (agent.at !== undefined)
        assert.deepEqual(entry, agent.entry, `seed ${seed}: agent ${which} seen by node ${at}`);
      else assert.ok(entry?.connection !== 'connected', `seed ${seed}: a ghost of agent ${which} on node ${at}`);
    }
  }
  const closing = all.close();
  await run(3000);
  await closing;
};

test(`in ${runs} random lives of ${count} nodes all come to show each agent once, where it is`, async () => {
  for (let seed = 1; seed <= runs; seed += 1) await play(seed);
});
