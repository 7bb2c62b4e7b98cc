/** The first journey: a person types `npm start` and watches this very machine. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { catalogue } from '@thrum/actors/wire/catalogue';
import { repository } from '../../infra/local/build.ts';
import { freePort } from '../../infra/local/ports.ts';
import { browserFor, openPage } from '../harness/browser.ts';
import { knowDoor, printedToken, sameDoor } from '../harness/sign-in.ts';
import { readHosts, readValue, untilLive, untilNewer } from '../harness/readings.ts';

/** Ctrl-C in a terminal: everybody in the foreground hears it, npm too. */
const interrupt = (child: ChildProcess): void => {
  try {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
      process.kill(-child.pid, 'SIGINT');
  } catch {
    // It ended at this very moment.
  }
};

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    () => true,
    () => false,
  );

type Started = {
  readonly url: string;
  readonly directory: string;
  readonly printed: () => string;
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
};

const npmStart = async (t: TestContext, directory?: string): Promise<Started> => {
  const data = directory ?? mkdtempSync(join(tmpdir(), 'thrum-start-'));
  const [port, ingestPort, meshPort, metricsPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const options = { port, 'ingest-port': ingestPort, 'mesh-port': meshPort, 'metrics-port': metricsPort, data };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('npm', ['start', '--', ...args], {
    cwd: repository,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  t.after(async () => {
    interrupt(child);
    await exited;
    rmSync(data, { recursive: true, force: true });
  });
  return { url: `http://localhost:${port}`, directory: data, printed: () => printed, child, exited };
};

const untilPrinted = async (started: Started, pattern: RegExp): Promise<void> => {
  const ended = started.exited.then((code) => {
    throw new Error(`npm start ended with ${code}:\n${started.printed()}`);
  });
  const said = (async () => {
    while (!pattern.test(started.printed())) await new Promise((again) => setTimeout(again, 20));
  })();
  await Promise.race([said, ended]);
  const token = printedToken(started.printed());
  if (token !== undefined) knowDoor([started.url], token);
};

test('npm start shows this machine live, with a chart for every target that is collected, and ends in order', async (t) => {
  const started = await npmStart(t);
  await untilPrinted(started, /Dashboard\s+http:/);
  assert.ok(started.printed().includes(started.url), started.printed());
  const browser = await browserFor(t);
  const { page, complaints } = await openPage(browser, started.url);
  await untilLive(page, 1);
  const [host] = await readHosts(page);
  assert.ok(host);
  await page.click(`[data-host="${host.id}"] a`);
  await page.waitForURL(`**/hosts/${host.id}*`);
  const first = await readValue(page, 'cpu.usage');
  await untilNewer(page, 'cpu.usage', first?.sampleMs ?? 0);

  // Folded groups are opened; a machine without block devices of its own has no disk.
  await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
  const collected = catalogue.map((target) => target.name).filter((name) => name !== 'disk');
  for (const target of collected) await page.waitForSelector(`[data-chart^="${target}"]`, { state: 'attached' });
  assert.deepEqual(complaints, []);

  interrupt(started.child);
  await started.exited;
  assert.match(started.printed(), /Stopping/);
  // npm may be gone before the launcher is, which hears Ctrl-C itself.
  await eventually(async () => !(await answers(started.url)));
});

test('who is signed in and what was measured before a restart is there after it', async (t) => {
  const first = await npmStart(t);
  const browser = await browserFor(t);
  await untilPrinted(first, /Dashboard\s+http:/);
  const opened = await openPage(browser, first.url);
  await untilLive(opened.page, 1);
  const before = (await readHosts(opened.page))[0]?.id;
  await opened.close();
  interrupt(first.child);
  await first.exited;
  await eventually(async () => !(await answers(first.url)));

  const second = await npmStart(t, first.directory);
  await untilPrinted(second, /Dashboard\s+http:/);
  assert.equal(printedToken(second.printed()), undefined, 'nobody needs to be set up a second time');
  sameDoor(first.url, second.url);
  const again = await openPage(browser, second.url);
  await untilLive(again.page, 1);
  assert.equal((await readHosts(again.page))[0]?.id, before, 'the machine keeps its id');
});
