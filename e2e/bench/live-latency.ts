/**
 * From the instant a sample is taken to the change in the page: one host at one sample a second, ten browsers looking at its page, two
 * ingest nodes, two web nodes and the balancer between them; then the same with Elasticsearch stopped. Floor beside it: the same browsers
 * showing the time stamp of a frame that a bare `ws` server sends them once a second, with nothing between.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { WebSocketServer } from 'ws';
import { startElasticsearch } from '../../infra/elasticsearch/development-server.ts';
import { startMesh } from '../../infra/local/start-mesh.ts';
import { eventually } from '@thrum/actors/testing/eventually';
import { launchBrowser } from '../harness/browser.ts';
import { greetingOf } from '../harness/owner.ts';
import { knowDoor, signInto } from '../harness/sign-in.ts';
import { printFigure, quantile } from './figure.ts';

const browsers = Number(process.env['THRUM_BENCH_BROWSERS'] ?? 10);
const measureMs = Number(process.env['THRUM_BENCH_SECONDS'] ?? 60) * 1000;
const settleMs = 10_000;
const wanted = { 0.5: 60, 0.95: 150, 0.99: 250 } as const;

/** Notes in the page, at each change of the attribute, how long ago the moment was that it names. */
export const watchAttribute = async (page: Page, selector: string, attribute: string): Promise<void> => {
  await page.waitForSelector(`${selector}[${attribute}]`, { state: 'attached' });
  await page.evaluate(
    ({ selector, attribute }) => {
      const element = document.querySelector(selector);
      if (!element) throw new Error(`${selector} is not on the page`);
      const seen: number[] = [];
      Object.assign(globalThis, { latenciesMs: seen });
      let last = element.getAttribute(attribute);
      new MutationObserver(() => {
        const now = element.getAttribute(attribute);
        if (now === last) return;
        last = now;
        seen.push(performance.timeOrigin + performance.now() - Number(now));
      }).observe(element, { attributes: true, attributeFilter: [attribute] });
    },
    { selector, attribute },
  );
};

/** What was noted since the last call, from all pages. */
export const takeLatencies = async (pages: readonly Page[]): Promise<number[]> => {
  const each = await Promise.all(
    pages.map((page) =>
      page.evaluate(() => (globalThis as unknown as { latenciesMs: number[] }).latenciesMs.splice(0)),
    ),
  );
  return each.flat();
};

/** A page that shows the time stamp of each frame a bare WebSocket server sends: what the machine and the browsers cost by themselves. */
const bareServer = async (): Promise<{ url: string; close(): void }> => {
  const http = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<p id="at" data-at="0"></p><script>
      const socket = new WebSocket('ws://' + location.host); socket.binaryType = 'arraybuffer';
      socket.onmessage = ({ data }) => at.setAttribute('data-at', new Float64Array(data)[0]);
    </script>`);
  });
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  const frame = new Float64Array(256);
  const send = setInterval(() => {
    frame[0] = performance.timeOrigin + performance.now();
    for (const socket of sockets.clients) socket.send(frame);
  }, 1000);
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`,
    close: () => {
      clearInterval(send);
      sockets.close();
      http.closeAllConnections();
      http.close();
    },
  };
};

/** A page of this address in each of so many browsers. */
export const openAll = async (
  browser: Browser,
  url: string,
  count = browsers,
): Promise<{ pages: Page[]; close(): Promise<void> }> => {
  const contexts: BrowserContext[] = [];
  const pages: Page[] = [];
  for (let i = 0; i < count; i += 1) {
    // A context each: background tabs of one context are slowed down.
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    await signInto(context, url);
    const page = await context.newPage();
    await page.goto(url);
    contexts.push(context);
    pages.push(page);
  }
  return {
    pages,
    close: async () => {
      for (const context of contexts) await context.close();
    },
  };
};

export const liveLatency = async (): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'thrum-bench-'));
  const elasticsearch = await startElasticsearch({ dataDirectory: join(directory, 'elasticsearch') });
  const mesh = await startMesh({
    directory,
    store: `elasticsearch:${elasticsearch.url}`,
    ingest: 2,
    web: 2,
    agents: 1,
  });
  knowDoor([mesh.dashboardUrl], mesh.setUpToken);
  const browser = await launchBrowser();
  const bare = await bareServer();
  try {
    await eventually(async () => (await greetingOf(mesh.dashboardUrl)).roster.length === 1);
    const [host] = (await greetingOf(mesh.dashboardUrl)).roster;
    if (!host) throw new Error('The host is gone again.');
    const floor = await openAll(browser, bare.url);
    await Promise.all(floor.pages.map((page) => watchAttribute(page, '#at', 'data-at')));
    await pause(measureMs / 2);
    const floorMs = await takeLatencies(floor.pages);
    await floor.close();

    const shown = await openAll(browser, `${mesh.dashboardUrl}/hosts/${host.hostId}`);
    const figure = '[data-metric="cpu.usage"]';
    await Promise.all(shown.pages.map((page) => watchAttribute(page, figure, 'data-sample-ms')));
    const measure = async (name: string): Promise<void> => {
      await pause(settleMs);
      await takeLatencies(shown.pages);
      await pause(measureMs);
      // The page's sample times are corrected by the offset of the clocks as measured at hello; here both are one clock.
      const latencies = (await takeLatencies(shown.pages)).map((ms) => ms + host.clockOffsetMs);
      const expected = (browsers * measureMs) / 1000;
      if (latencies.length < expected * 0.9)
        throw new Error(`${name}: ${latencies.length} changes were seen, about ${expected} were expected.`);
      for (const [part, limitMs] of Object.entries(wanted)) {
        const value = quantile(latencies, Number(part));
        const peer = quantile(floorMs, Number(part));
        printFigure({
          name: `${name}/p${Number(part) * 100}`,
          value,
          unit: 'ms',
          peer,
          peerIs: 'bare ws server to the same browsers',
          ratio: value / peer,
          wanted: `≤ ${limitMs}`,
          holds: value <= limitMs,
        });
      }
    };
    await measure('live-latency');
    await elasticsearch.stop();
    await measure('live-latency-without-store');
    await shown.close();
  } finally {
    bare.close();
    await browser.close();
    await mesh.stop();
    await elasticsearch.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};
