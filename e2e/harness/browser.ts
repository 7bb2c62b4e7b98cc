/**
 * The real browser: the machine's Chromium, driven through Playwright. One context per page, because pages that share one are slowed
 * down as background tabs. What a page says on its console and throws is collected: a journey ends with nothing on it.
 */
import { accessSync, constants } from 'node:fs';
import type { TestContext } from 'node:test';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { signInto, useCookie } from './sign-in.ts';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const isThere = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** THRUM_CHROMIUM, or the first of the usual places. */
export const chromiumPath = (): string => {
  const named = process.env['THRUM_CHROMIUM'];
  const path = named === undefined || named === '' ? places.find(isThere) : named;
  if (path === undefined || !isThere(path))
    throw new Error(`No Chromium at ${path ?? places.join(', ')}: install it, or name it with THRUM_CHROMIUM.`);
  return path;
};

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath(),
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  });

/** A browser that is closed after the test. */
export const browserFor = async (t: TestContext): Promise<Browser> => {
  const browser = await launchBrowser();
  t.after(() => browser.close());
  return browser;
};

export type OpenPage = {
  readonly page: Page;
  /** Errors the page threw and errors on its console, oldest first. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
};

/** `signedOut`: as somebody who has no session. */
export type OpenOptions = BrowserContextOptions & { readonly signedOut?: boolean };

/** Opens an address in a context of its own, signed in. Does not wait for anything but the document. */
export const openPage = async (
  browser: Browser,
  url: string,
  { signedOut = false, ...options }: OpenOptions = {},
): Promise<OpenPage> => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  if (!signedOut) await signInto(context, url);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  await page.goto(url, { waitUntil: 'domcontentloaded' });
  return { page, complaints, close: () => context.close() };
};

/** Opens an address with this session's cookie, and no other. */
export const openAs = async (browser: Browser, url: string, cookie: string): Promise<Page> => {
  const { page } = await openPage(browser, 'about:blank', { signedOut: true });
  await useCookie(page.context(), url, cookie);
  await page.goto(url);
  return page;
};
