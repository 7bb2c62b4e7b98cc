/**
 * What a page shows, read off its `data-` attributes, which are there for this: `data-host` (id) with `data-state` and `data-fresh`,
 * `data-metric` with `data-value` and `data-sample-ms`, `data-link-state`. Words and places on the page may change; these stay.
 */
import type { Page } from 'playwright-core';

export type ShownValue = {
  readonly metric: string;
  /** `undefined` when the page shows no number. */
  readonly value: number | undefined;
  /** When the sample was taken, by the ingest node's clock, ms since the Unix epoch. */
  readonly sampleMs: number | undefined;
  readonly text: string;
};
export type ShownHost = {
  readonly id: string;
  readonly state: string;
  readonly fresh: string | undefined;
  readonly text: string;
  readonly values: readonly ShownValue[];
};

/** Runs in the page: no names from outside. */
const readAll = (hostSelector: string): ShownHost[] => {
  const number = (text: string | undefined): number | undefined => {
    const value = Number(text);
    return text === undefined || text === '' || !Number.isFinite(value) ? undefined : value;
  };
  const values = (root: ParentNode): ShownValue[] =>
    Array.from(root.querySelectorAll<HTMLElement>('[data-metric]'), (element) => ({
      metric: element.dataset['metric'] ?? '',
      value: number(element.dataset['value']),
      sampleMs: number(element.dataset['sampleMs']),
      text: element.textContent.trim(),
    }));
  return Array.from(document.querySelectorAll<HTMLElement>(hostSelector), (element) => ({
    id: element.dataset['host'] ?? '',
    state: element.dataset['state'] ?? '',
    fresh: element.dataset['fresh'],
    text: element.textContent.replace(/\s+/g, ' ').trim(),
    values: values(element),
  }));
};

/** Every host the page shows, in the order it shows them. */
export const readHosts = (page: Page): Promise<ShownHost[]> => page.evaluate(readAll, '[data-host]');

export const readHost = async (page: Page, id: string): Promise<ShownHost | undefined> =>
  (await readHosts(page)).find((host) => host.id === id);

/** All values on the page, whichever host they belong to. */
export const readValues = async (page: Page): Promise<ShownValue[]> =>
  page.evaluate(() =>
    Array.from(document.querySelectorAll<HTMLElement>('[data-metric]'), (element) => {
      const { metric = '', value, sampleMs } = element.dataset;
      return {
        metric,
        value: value === undefined || value === '' ? undefined : Number(value),
        sampleMs: sampleMs === undefined || sampleMs === '' ? undefined : Number(sampleMs),
        text: element.textContent.trim(),
      };
    }),
  );

export const readValue = async (page: Page, metric: string): Promise<ShownValue | undefined> =>
  (await readValues(page)).find((one) => one.metric === metric);

/** How the page sees its own connection, such as `online`; `undefined` when it does not say. */
export const linkState = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => document.querySelector<HTMLElement>('[data-link-state]')?.dataset['linkState']);

/** Resolves when the page shows `count` hosts that are all live. */
export const untilLive = (page: Page, count: number, withinMs = 30_000): Promise<unknown> =>
  page.waitForFunction(
    (wanted) => {
      const hosts = Array.from(document.querySelectorAll<HTMLElement>('[data-host]'));
      return hosts.length === wanted && hosts.every((host) => host.dataset['state'] === 'live');
    },
    count,
    { timeout: withinMs, polling: 50 },
  );

/** Resolves with the newest sample time of the metric once it is later than `afterMs`: the page moved. */
export const untilNewer = async (page: Page, metric: string, afterMs: number, withinMs = 10_000): Promise<number> => {
  const handle = await page.waitForFunction(
    ({ metric, afterMs }) => {
      const element = document.querySelector<HTMLElement>(`[data-metric="${CSS.escape(metric)}"]`);
      const sampleMs = Number(element?.dataset['sampleMs'] ?? 0);
      return sampleMs > afterMs ? sampleMs : false;
    },
    { metric, afterMs },
    { timeout: withinMs, polling: 20 },
  );
  return Number(await handle.jsonValue());
};

/** What the first chart of a target says of itself: ticks drawn, and the longest time between two neighbors. Scrolls it into view. */
export const chartGap = async (page: Page, target: string): Promise<{ points: number; longestMs: number }> => {
  const chart = page.locator(`[data-chart^="${target}"] [data-points]`).first();
  await chart.scrollIntoViewIfNeeded();
  const points = Number(await chart.getAttribute('data-points'));
  return { points, longestMs: Number(await chart.getAttribute('data-longest-gap-ms')) };
};
