/**
 * From `npm start` in an installed and built checkout to the first live value on screen, with a new data directory; and the JavaScript a
 * browser loads before it sees it. Beside it: the time npm and a browser take for nothing at all.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { ensureBuilt, page as thePage, repository } from '../../infra/local/build.ts';
import { freePort } from '../../infra/local/ports.ts';
import { launchBrowser } from '../harness/browser.ts';
import { knowDoor, printedToken, signInto } from '../harness/sign-in.ts';
import { median, printFigure } from './figure.ts';

const runs = 3;
const giveUpMs = 60_000;

const ended = (child: ReturnType<typeof spawn>): Promise<void> =>
  new Promise((done) => child.once('exit', () => done()));

/** Opens an address in a new browser context and tells the compressed size of all JavaScript it loaded until `selector` was there. */
const open = async (
  browser: Browser,
  url: string,
  selector: string,
): Promise<{ page: Page; scriptBytes: () => Promise<number> }> => {
  const context = await browser.newContext();
  await signInto(context, url);
  const page = await context.newPage();
  const bodies: Promise<number>[] = [];
  page.on('response', (response) => {
    if (!/\.js($|\?)/.test(response.url())) return;
    bodies.push(
      response.body().then(
        (body) => gzipSync(body, { level: 9 }).length,
        () => 0,
      ),
    );
  });
  await page.goto(url);
  await page.waitForSelector(selector, { timeout: giveUpMs });
  return { page, scriptBytes: async () => (await Promise.all(bodies)).reduce((sum, bytes) => sum + bytes, 0) };
};

type Run = { readonly tookMs: number; readonly overviewBytes: number; readonly hostBytes: number };

/** Milliseconds from starting npm to the first live value; JavaScript of the overview, and of a host's page opened directly. */
const oneRun = async (browser: Browser): Promise<Run> => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-bench-'));
  const [port, ingestPort, meshPort, metricsPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const options = {
    port,
    'ingest-port': ingestPort,
    'mesh-port': meshPort,
    'metrics-port': metricsPort,
    data: directory,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const startedMs = performance.now();
  const npm = spawn('npm', ['start', '--', ...args], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  let printed = '';
  npm.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const stopped = ended(npm);
  try {
    // A person opens the link as soon as it is printed, and has a password ready.
    for (;;) {
      const token = printedToken(printed);
      if (token !== undefined) {
        knowDoor([`http://localhost:${port}`], token);
        break;
      }
      if (performance.now() - startedMs > giveUpMs) throw new Error(`npm start did not answer within ${giveUpMs} ms`);
      await new Promise((again) => setTimeout(again, 20));
    }
    const url = `http://localhost:${port}`;
    const live = '[data-host][data-fresh="live"] [data-metric="cpu.usage"][data-value]';
    const overview = await open(browser, `${url}/`, live);
    const tookMs = performance.now() - startedMs;
    const id = await overview.page.locator('[data-host]').first().getAttribute('data-host');
    const host = await open(browser, `${url}/hosts/${id ?? ''}`, '[data-points]');
    const run = { tookMs, overviewBytes: await overview.scriptBytes(), hostBytes: await host.scriptBytes() };
    await overview.page.context().close();
    await host.page.context().close();
    return run;
  } finally {
    if (npm.pid !== undefined) process.kill(-npm.pid, 'SIGINT');
    await stopped;
    rmSync(directory, { recursive: true, force: true });
  }
};

/** npm running an empty program, and an empty page in the same browser. */
const nothingAtAll = async (browser: Browser): Promise<number> => {
  const startedMs = performance.now();
  await ended(spawn('npm', ['exec', '--no', '-c', 'node -e 0'], { cwd: repository, stdio: 'ignore' }));
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto('data:text/html,<p>x');
  const tookMs = performance.now() - startedMs;
  await context.close();
  return tookMs;
};

export const firstSight = async (): Promise<void> => {
  const built = await ensureBuilt(thePage, (line) => process.stderr.write(`${line}\n`));
  if (!built.ok) throw new Error(built.message);
  const browser = await launchBrowser();
  try {
    const took: number[] = [];
    const bytes = { overview: 0, host: 0 };
    const floor: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      floor.push(await nothingAtAll(browser));
      const one = await oneRun(browser);
      took.push(one.tookMs);
      bytes.overview = one.overviewBytes;
      bytes.host = one.hostBytes;
    }
    const value = median(took) / 1000;
    const peer = median(floor) / 1000;
    printFigure({
      name: 'first-sight',
      value,
      unit: 's',
      peer,
      peerIs: 'npm running an empty program, and an empty page',
      ratio: value / peer,
      wanted: '≤ 6',
      holds: value <= 6,
    });
    for (const [page, size] of Object.entries(bytes))
      printFigure({
        name: `first-sight/javascript-of-${page}`,
        value: size / 1000,
        unit: 'KB gzip',
        peer: 110,
        peerIs: 'the limit',
        ratio: size / 1000 / 110,
        wanted: '≤ 110',
        holds: size / 1000 <= 110,
      });
  } finally {
    await browser.close();
  }
};
