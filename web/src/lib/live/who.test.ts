import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { Who } from './who.svelte.ts';

/** The server behind `fetch`: who it says is signed in, and whether it answers. */
const serve = (t: TestContext) => {
  const server = { user: null as string | null, needsSetUp: false, isAway: false, asked: [] as string[] };
  const before = globalThis.fetch;
  globalThis.fetch = (async (path: string) => {
    server.asked.push(path);
    await new Promise((later) => setImmediate(later));
    if (server.isAway) throw new TypeError('fetch failed');
    if (path === '/api/sign-out') {
      server.user = null;
      return Response.json({ ok: true });
    }
    return Response.json({ ok: true, user: server.user, needsSetUp: server.needsSetUp });
  }) as typeof fetch;
  t.after(() => (globalThis.fetch = before));
  return server;
};

const open = (t: TestContext): Who => {
  const who = new Who();
  t.after(who.start());
  return who;
};

test('a page asks once who is signed in, and shows the form when nobody is', async (t) => {
  const server = serve(t);
  server.needsSetUp = true;
  const who = open(t);
  assert.equal(who.standing.kind, 'asking');
  await eventually(() => who.standing.kind === 'out');
  assert.deepEqual(who.standing, { kind: 'out', why: 'nobody', needsSetUp: true });
  assert.deepEqual(server.asked, ['/api/me']);
});

test('no answer is no sign-out: the page goes on, and learns the name when the server is back', async (t) => {
  const server = serve(t);
  server.isAway = true;
  const who = open(t);
  await eventually(() => who.standing.kind === 'in');
  assert.deepEqual(who.standing, { kind: 'in', user: undefined });
  server.isAway = false;
  server.user = 'ada';
  who.confirm();
  await eventually(() => who.standing.kind === 'in' && who.standing.user === 'ada');
  server.isAway = true;
  who.doubt();
  await eventually(() => server.asked.length === 3);
  assert.equal(who.standing.kind, 'in');
});

test('a connection that fails over and over asks at most every few seconds', async (t) => {
  const server = serve(t);
  server.user = 'ada';
  const who = open(t);
  await eventually(() => who.standing.kind === 'in');
  for (let i = 0; i < 20; i += 1) who.doubt();
  assert.equal(server.asked.length, 2);
});

test('the tabs of a browser come and go together', async (t) => {
  const server = serve(t);
  const [one, two] = [open(t), open(t)];
  await eventually(() => one.standing.kind === 'out' && two.standing.kind === 'out');
  server.user = 'ada';
  one.entered('ada');
  await eventually(() => two.standing.kind === 'in');
  await one.signOut();
  assert.deepEqual(one.standing, { kind: 'out', why: 'left', needsSetUp: false });
  await eventually(() => two.standing.kind === 'out');
  assert.equal(two.standing.kind === 'out' && two.standing.why, 'ended');
});

test('while the server is told to sign out, an answer of before brings nobody back', async (t) => {
  const server = serve(t);
  server.user = 'ada';
  const who = open(t);
  await eventually(() => who.standing.kind === 'in');
  const late = who.ask();
  const leaving = who.signOut();
  await late;
  assert.equal(who.standing.kind, 'out');
  await leaving;
  assert.equal(who.standing.kind, 'out');
});

test('a sign-out that the server did not hear of is said, and nothing is shown meanwhile', async (t) => {
  const server = serve(t);
  server.user = 'ada';
  const who = open(t);
  await eventually(() => who.standing.kind === 'in');
  server.isAway = true;
  await who.signOut();
  assert.deepEqual(who.standing, { kind: 'out', why: 'unheard', needsSetUp: false });
  server.isAway = false;
  await who.signOut();
  assert.deepEqual(who.standing, { kind: 'out', why: 'left', needsSetUp: false });
});
