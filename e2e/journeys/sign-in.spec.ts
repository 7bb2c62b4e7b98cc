/** Who may look: set up once, signed in on every web node, signed out on every web node, whatever dies or is away. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import type { Page } from 'playwright-core';
import { repository } from '../../infra/local/build.ts';
import { browserFor, openAs, openPage } from '../harness/browser.ts';
import { meshFor, type TestMesh } from '../harness/mesh-for.ts';
import { untilLive } from '../harness/readings.ts';
import { cookieFor, meOf, person, post, signIn } from '../harness/sign-in.ts';

const form = '[data-entry]';
const host = '[data-host]';

/** What a person does at the form. */
const fill = async (page: Page, name: string | undefined, password: string): Promise<void> => {
  await page.waitForSelector(form);
  if (name !== undefined) await page.fill('#entry-name', name);
  await page.fill('#entry-password', password);
  await page.keyboard.press('Enter');
};

const faultOn = async (page: Page): Promise<string> => {
  await page.waitForSelector('[data-fault]:not(:empty)');
  return (await page.textContent('[data-fault]')) ?? '';
};

/** The text of the whole page, to look for what must not be on it. */
const textOf = (page: Page): Promise<string> => page.evaluate(() => document.body.innerText);

/** Runs the command line of the installation in this directory. */
const thrum = (directory: string, ...args: string[]): Promise<{ code: number | null; said: string }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, ['infra/local/thrum.ts', ...args, '--data', directory], { cwd: repository });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
    child.once('close', (code) => resolve({ code, said: said.trim() }));
  });

const webs = (mesh: TestMesh): [string, string] => {
  const [one, two] = mesh.web;
  if (!one || !two) throw new Error('BUG: the mesh has two web nodes');
  return [one.url, two.url];
};

const twoWebNodes = async (
  t: TestContext,
): Promise<{ mesh: TestMesh; first: string; second: string; cookie: string }> => {
  const mesh = await meshFor(t, { ingest: 1, web: 2, agents: 1 });
  const [first, second] = webs(mesh);
  return { mesh, first, second, cookie: await cookieFor(first) };
};

test('the set-up link makes the first user, leaves the address bar at once, and works once', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 1 });
  assert.equal(await mesh.setUp.known(30_000), 'needed');
  const browser = await browserFor(t);
  const link = `${mesh.dashboardUrl}/set-up#${mesh.setUpToken}`;
  const requested: string[] = [];
  const { page, complaints } = await openPage(browser, 'about:blank', { signedOut: true });
  page.on('request', (request) => requested.push(request.url()));
  await page.goto(link);
  await page.waitForSelector(form);
  assert.equal(page.url(), `${mesh.dashboardUrl}/set-up`);
  await fill(page, 'Ada', person.password);
  await untilLive(page, 1);
  assert.equal(page.url(), `${mesh.dashboardUrl}/`);
  assert.equal(await page.locator('[data-user]').textContent(), 'ada');
  assert.ok(!requested.some((url) => url.includes(mesh.setUpToken)), 'no request carries the token in its address');
  assert.deepEqual(complaints, []);
  const { cookies } = await page.context().storageState();
  assert.deepEqual(
    cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]),
    [['thrum', true, 'Strict']],
  );

  const second = (await openPage(browser, link, { signedOut: true })).page;
  await fill(second, 'eve', 'another password of hers');
  assert.match(await faultOn(second), /has been set up already/);
  const again = (await openPage(browser, `${mesh.dashboardUrl}/sign-in`, { signedOut: true })).page;
  await fill(again, 'eve', 'another password of hers');
  assert.match(await faultOn(again), /name or the password is wrong/);
  await fill(again, 'ada', person.password);
  await untilLive(again, 1);
});

test('without a session a page shows the form at every address and nothing of the fleet, and leads back to where one was', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 1 });
  const browser = await browserFor(t);
  const cookie = await cookieFor(mesh.dashboardUrl);
  const page = await openAs(browser, mesh.dashboardUrl, cookie);
  await untilLive(page, 1);
  await page.click(`${host} a`);
  await page.waitForSelector('[data-points]');
  const { hostname } = new URL(mesh.dashboardUrl);
  const url = page.url();
  const stranger = (await openPage(browser, url, { signedOut: true })).page;
  await stranger.waitForSelector(form);
  assert.equal(await stranger.locator(host).count(), 0);
  assert.doesNotMatch(await textOf(stranger), /host-1/);
  await fill(stranger, person.name, person.password);
  await stranger.waitForSelector('[data-points]');
  assert.equal(stranger.url(), url, `back at the page of the host at ${hostname}`);

  await page.click('.who');
  await page.click('[data-sign-out]');
  await page.waitForSelector(form);
  assert.doesNotMatch(await textOf(page), /host-1/);
  assert.equal(page.url(), url);
  await page.goBack();
  await page.waitForSelector(form);
  assert.equal(await page.locator(host).count(), 0, 'nor does going back show it');
  await stranger.waitForSelector('[data-points]');
  assert.equal(await meOf(mesh.dashboardUrl, cookie), null);
});

test('a session outlives the node it began on, and all web nodes at once; one that was ended stays ended', async (t) => {
  const { mesh, first, second } = await twoWebNodes(t);
  const browser = await browserFor(t);
  const [stays, leaves] = [await signIn(first), await signIn(first)];
  const page = await openAs(browser, mesh.dashboardUrl, stays);
  await untilLive(page, 1);
  await post(second, 'sign-out', {}, { cookie: leaves });

  await mesh.web[0]?.kill('SIGKILL');
  await eventually(async () => assert.equal(await meOf(second, stays), 'ada'));
  await page.waitForSelector('[data-link-state="live"]');
  await untilLive(page, 1);

  await mesh.web[1]?.kill('SIGKILL');
  await Promise.all(mesh.web.map((node) => node.restart()));
  for (const url of [first, second]) {
    assert.equal(await meOf(url, stays), 'ada');
    assert.equal(await meOf(url, leaves), null);
  }
  await page.waitForSelector('[data-link-state="live"]', { timeout: 20_000 });
  await untilLive(page, 1);
});

test('without a store nobody can sign in and is told why; who is signed in goes on', async (t) => {
  const mesh = await meshFor(t, { ingest: 1, web: 1, agents: 1, ownElasticsearch: true });
  const { elasticsearch } = mesh;
  assert.ok(elasticsearch);
  if (elasticsearch.kind === 'given') return t.skip('the Elasticsearch that ELASTICSEARCH_URL names cannot be stopped');
  const browser = await browserFor(t);
  const inside = (await openPage(browser, mesh.dashboardUrl)).page;
  await untilLive(inside, 1);
  await elasticsearch.pause();
  const outside = (await openPage(browser, mesh.dashboardUrl, { signedOut: true })).page;
  await fill(outside, person.name, person.password);
  assert.equal(
    await faultOn(outside),
    'The store does not answer, so nobody can sign in at the moment; who is signed in stays so.',
  );
  await inside.reload();
  await untilLive(inside, 1);
  const { said, code } = await thrum(mesh.directory, 'user', 'list');
  assert.equal(code, 1);
  assert.match(said, /The store does not answer/);

  await mesh.ingest[0]?.kill('SIGKILL');
  await eventually(async () => {
    const { body } = await post(mesh.dashboardUrl, 'sign-in', person);
    assert.equal(body.code, 'no-ingest');
    assert.match(body.detail ?? '', /linked to no ingest node/);
  });
  await elasticsearch.resume();
  await mesh.ingest[0]?.restart();
  // A form that is told no is not sent again by itself.
  await eventually(async () => assert.ok((await post(mesh.dashboardUrl, 'sign-in', person)).body.ok), {
    withinMs: 20_000,
  });
  await fill(outside, person.name, person.password);
  await untilLive(outside, 1);
});

test('a lost password is set anew by a link from the machine, which ends every session of before', async (t) => {
  const { mesh, first, second, cookie } = await twoWebNodes(t);
  const browser = await browserFor(t);
  const page = await openAs(browser, second, cookie);
  await untilLive(page, 1);
  const [listed, unknown, made] = await Promise.all([
    thrum(mesh.directory, 'user', 'list'),
    thrum(mesh.directory, 'user', 'reset', 'nobody'),
    thrum(mesh.directory, 'user', 'reset', 'Ada'),
  ]);
  assert.match(listed.said, /^ada +administrator +since \d{4}-\d\d-\d\d +\d+ session/);
  assert.deepEqual(unknown, { code: 1, said: 'There is no user called nobody.' });
  const link = /http:\/\/\S+\/set-up#\S+/.exec(made.said)?.[0] ?? assert.fail(made.said);

  const opened = (await openPage(browser, link, { signedOut: true })).page;
  await opened.waitForSelector(form);
  assert.ok(!opened.url().includes('#'));
  assert.equal(await opened.inputValue('#entry-name'), 'ada');
  await fill(opened, undefined, 'a new password of hers');
  await untilLive(opened, 1);
  await page.waitForSelector(form, { timeout: 2000 });
  for (const url of [first, second]) assert.equal(await meOf(url, cookie), null);
  assert.equal((await post(first, 'sign-in', person)).status, 401);
  await signIn(second, 'a new password of hers');

  const used = (await openPage(browser, link, { signedOut: true })).page;
  await fill(used, undefined, 'yet another password');
  assert.match(await faultOn(used), /was used, is too old/);

  await mesh.stop();
  const { code, said } = await thrum(mesh.directory, 'user', 'reset', 'ada');
  assert.equal(code, 1);
  assert.match(said, /^No web node answers in /);
});
