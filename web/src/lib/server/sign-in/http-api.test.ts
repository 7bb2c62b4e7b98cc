import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually } from '@thrum/actors/testing/eventually';
import { fakeClock } from '@thrum/actors/testing/fake-clock';
import { createLog, type Log } from '@thrum/actors/system/log';
import { refuse } from '@thrum/actors/wire/refusal';
import { bodyLimits } from './body.ts';
import { cookieIn, documentsInMemory, password, setUpToken, startDoor } from './scripted-door.contract.ts';

const first = { token: setUpToken, name: 'Ada', password };

test('the first user is made with the token, is signed in, and can sign in again; the link works once', async (t) => {
  const door = await startDoor(t);
  await eventually(() => door.signIn.setUpState() === 'needed');
  assert.deepEqual((await door.ask('GET', 'me')).body, { ok: true, user: null, needsSetUp: true });
  const made = await door.post('set-up', first);
  assert.deepEqual([made.status, made.body], [200, { ok: true, user: 'ada' }]);
  assert.match(
    made.headers['set-cookie']?.[0] ?? '',
    /^thrum=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/,
  );
  assert.equal(made.headers['cache-control'], 'no-store');
  assert.equal(made.headers['access-control-allow-origin'], undefined);
  const me = await door.ask('GET', 'me', undefined, { cookie: cookieIn(made) });
  assert.deepEqual(me.body, { ok: true, user: 'ada', needsSetUp: false });

  const second = await door.post('set-up', { ...first, name: 'eve' });
  assert.deepEqual([second.status, second.body['code'], second.headers['set-cookie']], [410, 'bad-link', undefined]);
  assert.match(String(second.body['detail']), /has been set up already/);
  const again = await door.post('sign-in', { name: 'ADA', password });
  assert.equal(again.status, 200);
  assert.notEqual(cookieIn(again), cookieIn(made));
});

test('of two set-ups at the same moment one wins, and the document of its user is the only one', async (t) => {
  const store = documentsInMemory();
  const doors = [await startDoor(t, { store }), await startDoor(t, { store })];
  const names = ['ada', 'eve'];
  const answers = await Promise.all(doors.map((door, i) => door.post('set-up', { ...first, name: names[i] })));
  assert.deepEqual(answers.map((one) => one.status).sort(), [200, 410]);
  const users = [...store.kept.keys()].filter((key) => key.startsWith('users/'));
  assert.deepEqual(users, [`users/${names[answers.findIndex((one) => one.status === 200)]}`]);
  assert.ok(!JSON.stringify(store.kept.get('installation/first-user')).includes('argon2'), 'the hash is kept once');
});

test('a node that dies between the claim and the user leaves an installation that somebody can enter', async (t) => {
  const store = documentsInMemory();
  const { documents } = store;
  let dies = true;
  const dying = {
    ...documents,
    put: (...args: Parameters<typeof documents.put>) =>
      dies && args[0] === 'users' ? Promise.resolve(refuse('store-away')) : documents.put(...args),
  };
  const door = await startDoor(t, { store: { ...store, documents: dying } });
  assert.equal((await door.post('set-up', first)).status, 503);
  dies = false;
  const other = await startDoor(t, { store });
  assert.equal((await other.post('set-up', { ...first, name: 'eve' })).status, 410, 'ada was first');
  assert.equal((await other.post('sign-in', { name: 'ada', password })).status, 200);
});

test('a store that was made anew has its first user again, who comes in; who was in before is out', async (t) => {
  const clock = fakeClock();
  const door = await startDoor(t, { clock });
  const cookie = cookieIn(await door.post('set-up', first));
  // As after two new passwords.
  await door.sessions.endBefore('ada', Number(door.store.kept.get('users/ada')?.value['generation']) + 2);
  door.store.kept.clear();
  clock.advance(60_000);
  const again = await door.post('set-up', first);
  assert.equal(again.status, 200);
  assert.equal((await door.ask('GET', 'me', undefined, { cookie: cookieIn(again) })).body['user'], 'ada');
  assert.equal((await door.ask('GET', 'me', undefined, { cookie })).body['user'], null);
});

test('a wrong password, an unknown user and a name that can be none are one answer', async (t) => {
  const door = await startDoor(t);
  await door.post('set-up', first);
  const hashedBefore = door.signIn.counters()['passwordsHashed'] ?? 0;
  const answers = await Promise.all(
    ['ada', 'nobody', '<script>'].map((name) => door.post('sign-in', { name, password: 'not it at all' })),
  );
  for (const { status, body, headers } of answers) {
    assert.deepEqual([status, body], [401, { ok: false, code: 'wrong-password', detail: '' }]);
    assert.equal(headers['set-cookie'], undefined);
  }
  assert.equal(door.signIn.counters()['passwordsHashed'], hashedBefore + 3, 'each cost the same');
});

test('guessing is slowed down with a time to wait, and the right password is not judged meanwhile', async (t) => {
  const clock = fakeClock();
  const door = await startDoor(t, { clock });
  await door.post('set-up', first);
  for (let i = 0; i < 5; i += 1)
    assert.equal((await door.post('sign-in', { name: 'ada', password: 'wrong wrong' })).status, 401);
  const refused = await door.post('sign-in', { name: 'ada', password });
  assert.deepEqual([refused.status, refused.body['code'], refused.headers['retry-after']], [429, 'try-later', '15']);
  assert.match(String(refused.body['detail']), /try again in 15 s/);
  clock.advance(15_000);
  assert.equal((await door.post('sign-in', { name: 'ada', password })).status, 200);
});

test('every wrong password is logged, and a flood of what is not judged fills no log', async (t) => {
  const lines: string[] = [];
  const log = createLog({ name: 'test', sink: { write: (line) => void lines.push(line) } });
  const clock = fakeClock();
  const door = await startDoor(t, { clock, log });
  await door.post('set-up', first);
  lines.length = 0;
  for (let i = 0; i < 40; i += 1) await door.post('sign-in', { name: 'ada', password: 'wrong wrong' });
  const said = (): string[] => lines.filter((line) => line.includes('a sign-in was refused'));
  assert.equal(said().filter((line) => line.includes('wrong-password')).length, 5);
  assert.equal(said().filter((line) => line.includes('try-later')).length, 1);
  clock.advance(60_000);
  for (let i = 0; i < 2; i += 1) await door.post('sign-in', { name: 'ada', password: 'wrong wrong' });
  assert.match(said().at(-1) ?? '', /try-later.*"leftOut":34/);
});

test('who is signed in is not kept out of the same account by strangers who guess', async (t) => {
  const door = await startDoor(t);
  const cookie = cookieIn(await door.post('set-up', first));
  for (let i = 0; i < 6; i += 1) await door.post('sign-in', { name: 'ada', password: 'wrong wrong' });
  assert.equal((await door.post('sign-in', { name: 'ada', password })).status, 429);
  assert.equal((await door.post('sign-in', { name: 'ada', password }, { cookie })).status, 200);
});

test('a session id that was planted before is never adopted, and the one before a sign-in ends', async (t) => {
  const door = await startDoor(t);
  const planted = `thrum=${'P'.repeat(43)}`;
  const made = await door.post('set-up', first, { cookie: planted });
  assert.notEqual(cookieIn(made), planted);
  assert.equal((await door.ask('GET', 'me', undefined, { cookie: planted })).body['user'], null);
  const again = await door.post('sign-in', { name: 'ada', password }, { cookie: cookieIn(made) });
  await eventually(async () => {
    assert.equal((await door.ask('GET', 'me', undefined, { cookie: cookieIn(made) })).body['user'], null);
  });
  assert.equal((await door.ask('GET', 'me', undefined, { cookie: cookieIn(again) })).body['user'], 'ada');
});

test('after signing out the cookie is taken away and worth nothing', async (t) => {
  const door = await startDoor(t);
  const cookie = cookieIn(await door.post('set-up', first));
  const out = await door.post('sign-out', {}, { cookie });
  assert.deepEqual([out.status, out.body], [200, { ok: true }]);
  assert.match(out.headers['set-cookie']?.[0] ?? '', /^thrum=; .*Max-Age=0$/);
  assert.equal((await door.ask('GET', 'me', undefined, { cookie })).body['user'], null);
  assert.equal((await door.post('sign-out')).status, 200, 'without a session it is no fault');
});

test('over https the cookie has the prefix, and one without it is not believed', async (t) => {
  const door = await startDoor(t, { origins: ['https://thrum.example.org'] });
  const secure = { origin: 'https://thrum.example.org', host: 'thrum.example.org' };
  const made = await door.post('set-up', first, secure);
  assert.match(made.headers['set-cookie']?.[0] ?? '', /^__Host-thrum=.*; Secure; /);
  const sid = cookieIn(made).split('=')[1] ?? '';
  const user = async (cookie: string) =>
    (await door.ask('GET', 'me', undefined, { host: 'thrum.example.org', cookie })).body['user'];
  assert.equal(await user(`__Host-thrum=${sid}`), 'ada');
  assert.equal(await user(`thrum=${sid}`), null);
});

test('a password that cannot be one is refused with the reason and uses nothing up', async (t) => {
  const door = await startDoor(t);
  const weak = await door.post('set-up', { ...first, password: 'too short' });
  assert.deepEqual([weak.status, weak.body['code']], [422, 'weak-password']);
  assert.match(String(weak.body['detail']), /at least 10/);
  assert.equal((await door.post('set-up', { ...first, name: 'not a name' })).status, 422);
  assert.equal((await door.post('set-up', { ...first, token: 'wrong'.repeat(9) })).status, 410);
  assert.equal((await door.post('set-up', first)).status, 200);
});

test('with the store away nobody can sign in and is told so; who is signed in stays so; it does not count as a failure', async (t) => {
  const door = await startDoor(t);
  const cookie = cookieIn(await door.post('set-up', first));
  for (const [away, words] of [
    [
      refuse('store-away'),
      /^The store does not answer, so nobody can sign in at the moment; who is signed in stays so\.$/,
    ],
    [refuse('no-ingest'), /linked to no ingest node/],
  ] as const) {
    door.store.state.away = away;
    for (let i = 0; i < 15; i += 1) {
      const { status, body } = await door.post('sign-in', { name: 'ada', password });
      assert.deepEqual([status, body['code']], [503, away.code]);
      assert.match(String(body['detail']), words);
    }
    assert.equal((await door.ask('GET', 'me', undefined, { cookie })).body['user'], 'ada');
  }
  door.store.state.away = undefined;
  assert.equal((await door.post('sign-in', { name: 'ada', password })).status, 200);
});

test('requests of other sites, other types, other shapes and other methods are turned down before anything is done', async (t) => {
  const door = await startDoor(t);
  const code = async (answer: ReturnType<typeof door.post>) => {
    const { status, headers } = await answer;
    assert.equal(headers['set-cookie'], undefined);
    return status;
  };
  for (const site of ['cross-site', 'same-site', 'none'])
    assert.equal(await code(door.post('set-up', first, { 'sec-fetch-site': site })), 403, site);
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/json, text/plain',
  ])
    assert.equal(await code(door.post('set-up', first, { 'content-type': type })), 415, type);
  assert.equal(await code(door.post('set-up', first, { 'content-encoding': 'gzip' })), 415);
  for (const body of [
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '{}',
    JSON.stringify({ ...first, more: 1 }),
    JSON.stringify({ ...first, name: 7 }),
  ])
    assert.equal(await code(door.post('set-up', body)), 400, body);
  assert.equal(await code(door.post('set-up', { ...first, password: 'x'.repeat(bodyLimits.maxBytes) })), 413);
  assert.equal(await code(door.ask('GET', 'sign-in')), 405);
  assert.equal(await code(door.ask('OPTIONS', 'sign-in')), 405);
  assert.equal(await code(door.post('me')), 405);
  for (const path of ['', 'nothing', '__proto__', 'constructor', 'me/', '../me'])
    assert.equal(await code(door.post(path)), 404, path);
  assert.equal((await door.post('set-up', first, { 'sec-fetch-site': 'same-origin' })).status, 200);
});

const speak = (port: number, lines: string): Promise<string> =>
  new Promise((resolve) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(lines));
    socket.on('data', (part: Buffer) => (heard += part.toString()));
    socket.on('close', () => resolve(heard));
    socket.on('error', () => resolve(heard));
  });

test('a body that drips in, or never ends, is given up, and its connection with it', async (t) => {
  const clock = fakeClock();
  const door = await startDoor(t, { clock });
  const head = 'POST /api/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  const slow = speak(door.port, `${head}Content-Length: 100\r\n\r\n{"name":`);
  await eventually(() => {
    clock.advance(bodyLimits.withinMs);
    return Promise.race([slow.then(() => true), new Promise((later) => setTimeout(later, 20, false))]);
  });
  assert.match(await slow, /^HTTP\/1\.1 408 /);
  const endless = `1000\r\n${'x'.repeat(4096)}\r\n1000\r\n${'x'.repeat(4096)}\r\n`;
  assert.match(await speak(door.port, `${head}Transfer-Encoding: chunked\r\n\r\n${endless}`), /^HTTP\/1\.1 413 /);
  assert.equal((await door.post('sign-in', { name: 'a', password: 'b' })).status, 401, 'others do not notice');
});

test('neither password nor token nor session id is ever logged', async (t) => {
  const logged: unknown[] = [];
  const note = (fields: object, message: string): void => void logged.push(fields, message);
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const door = await startDoor(t, { log });
  const cookie = cookieIn(await door.post('set-up', first));
  await door.post('sign-in', { name: 'ada', password: `${password}!` });
  await door.post('sign-in', { name: password, password: 'x' }, { cookie });
  await door.post('sign-out', {}, { cookie });
  const text = JSON.stringify(logged);
  assert.ok(logged.length >= 4);
  for (const secret of [password, setUpToken, cookie.split('=')[1] ?? '?']) assert.ok(!text.includes(secret));
});
