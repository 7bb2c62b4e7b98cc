/** The agent's program as a process of its own: its line, its figures, its faults and its end. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { temporaryDirectory } from '@thrum/actors/testing/temporary-directory';
import { freePort, run, settingsFor } from './agent-process.contract.ts';
import { osReleaseValue, parseHardware } from './collectors/machine.ts';
import { toPrometheus } from './figures-page.ts';

describe('the program', () => {
  it('says that it is ready, measures without ingest, serves its figures, and ends in order', async (t) => {
    const held = await freePort();
    held.close();
    const agent = run(t, { ...settingsFor(t), THRUM_METRICS_PORT: String(held.port) });
    await eventually(() => agent.out().includes('"ready":"agent"'), { withinMs: 30_000 });
    const ready = JSON.parse(agent.out()) as Record<string, unknown>;
    assert.equal(ready['port'], held.port);
    assert.ok(Number(ready['epoch']) > 1_700_000_000);
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${held.port}/metrics`)).text();
    const figure = async (name: string): Promise<number> =>
      Number(new RegExp(`^thrum_agent_${name} (.+)$`, 'm').exec(await page())?.[1]);
    await eventually(async () => (await figure('queue_batches')) >= 3);
    assert.equal(await figure('connected'), 0);
    assert.ok((await figure('values_collected_total')) > 50);
    assert.equal(await figure('collector_failures_total'), 0);
    assert.ok((await figure('memory_usage_percent')) > 0);
    assert.equal((await fetch(`http://127.0.0.1:${held.port}/healthz`)).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${held.port}/else`)).status, 404);
    agent.child.kill('SIGTERM');
    assert.equal(await agent.exit, 0);
    assert.ok(!agent.err().includes('a token nobody prints'));
  });

  it('refuses a data directory that another agent uses', async (t) => {
    const settings = settingsFor(t);
    const first = run(t, settings);
    await eventually(() => first.out().includes('ready'), { withinMs: 30_000 });
    const second = run(t, settings);
    assert.equal(await second.exit, 2);
    assert.match(second.err(), /in use by another agent \(process \d+\)/);
    assert.equal(second.out(), '');
    first.child.kill('SIGINT');
    assert.equal(await first.exit, 0);
  });

  it('names a port that is taken and a directory that cannot be written to', async (t) => {
    const held = await freePort();
    t.after(held.close);
    const taken = run(t, { ...settingsFor(t), THRUM_METRICS_PORT: String(held.port) });
    const file = join(temporaryDirectory(t), 'file');
    writeFileSync(file, '');
    const blocked = run(t, { ...settingsFor(t), THRUM_DATA: file });
    assert.equal(await taken.exit, 2);
    assert.match(taken.err(), new RegExp(`port ${held.port} \\(THRUM_METRICS_PORT\\)`));
    assert.equal(await blocked.exit, 2);
    assert.match(blocked.err(), /THRUM_DATA/);
  });

  it('names every wrong setting at once', async (t) => {
    const wrong = run(t, { THRUM_INGEST: 'ftp://x', THRUM_PERIOD_MS: '1' }, '--no-such-option');
    assert.equal(await wrong.exit, 2);
    for (const name of ['THRUM_INGEST', 'THRUM_PERIOD_MS', 'THRUM_TOKEN', 'THRUM_DATA', '--no-such-option'])
      assert.ok(wrong.err().includes(name), name);
  });

  it('prints its settings and its command for the queue', async (t) => {
    const help = run(t, {}, '--help');
    assert.equal(await help.exit, 0);
    for (const words of ['--queue-bytes NUMBER', 'THRUM_QUEUE_AGE_HOURS', 'thrum-agent queue inspect'])
      assert.ok(help.out().includes(words), words);
    const tooSmall = run(t, {}, '--queue-bytes', '1000000');
    assert.equal(await tooSmall.exit, 2);
    assert.match(tooSmall.err(), /--queue-bytes: expected a whole number of at least 1048576/);
  });

  it('finds out what the machine is in a process of its own', async (t) => {
    const found = run(t, { PATH: process.env['PATH'] ?? '' }, '--identify', '{"os":"An OS","cpu":"A CPU"}');
    assert.equal(await found.exit, 0);
    const hardware = parseHardware(found.out());
    assert.equal(hardware?.os, 'An OS');
    assert.equal(hardware.cpu, 'A CPU');
    assert.equal(typeof hardware.model, 'string');
  });
});

describe('facts of the machine', () => {
  it('are read from /etc/os-release with and without quotes', () => {
    const text = 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n';
    assert.equal(osReleaseValue(text, 'PRETTY_NAME'), 'Debian GNU/Linux 12 (bookworm)');
    assert.equal(osReleaseValue(text, 'ID'), 'debian');
    assert.equal(osReleaseValue(text, 'VERSION'), '');
  });

  it('are nothing when what was printed is no answer', () => {
    for (const printed of ['', 'oops', '3', 'null']) assert.equal(parseHardware(printed), undefined);
    assert.deepEqual(parseHardware('{"model":5}'), { model: '', virtual: '', os: '', cpu: '' });
  });
});

it('figures are Prometheus text, and what has no value is left out', () => {
  const text = toPrometheus([
    { name: 'a_total', help: 'A.', kind: 'counter', value: 3 },
    { name: 'b', help: 'B.', kind: 'gauge', value: undefined },
    { name: 'c', help: 'C.', kind: 'gauge', value: Number.NaN },
  ]);
  assert.equal(text, '# HELP a_total A.\n# TYPE a_total counter\na_total 3\n');
});
