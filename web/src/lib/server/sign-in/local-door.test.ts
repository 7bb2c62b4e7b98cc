import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '@thrum/actors/system/clock';
import { silentLog } from '@thrum/actors/system/log';
import { eventually } from '@thrum/actors/testing/eventually';
import { temporaryDirectory } from '@thrum/actors/testing/temporary-directory';
import { refuse } from '@thrum/actors/wire/refusal';
import { openLocalDoor } from './local-door.ts';
import { cookieIn, password, setUpToken, startDoor } from './scripted-door.contract.ts';

const start = async (t: TestContext, directory = temporaryDirectory(t)) => {
  const door = await startDoor(t);
  const { signIn, sessions } = door;
  const dashboardUrl = 'http://localhost:7070';
  const close = await openLocalDoor({
    directory,
    users: signIn.users,
    sessions,
    dashboardUrl,
    clock: systemClock,
    log: silentLog,
  });
  t.after(close);
  const ask = (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const sent = request({ socketPath: join(directory, 'thrum.sock'), method, path, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve(JSON.parse(text) as Record<string, unknown>));
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const reset = async (name: string): Promise<string> =>
    /#(.+)$/.exec(String((await ask('POST', '/users/reset', { name }))['link']))?.[1] ?? '';
  return { ...door, directory, close, askDoor: ask, reset };
};

const first = { token: setUpToken, name: 'ada', password };
const newPassword = 'another engine of hers';

test('a link for a lost password sets a new one, once, and ends every session of before', async (t) => {
  const door = await start(t);
  const before = cookieIn(await door.post('set-up', first));
  const token = await door.reset('Ada');
  assert.match(token, /^YWRh\.[\w-]{43}$/);
  const weak = await door.post('reset', { token, password: 'short' });
  assert.equal(weak.body['code'], 'weak-password');
  const done = await door.post('reset', { token, password: newPassword });
  assert.deepEqual(done.body, { ok: true, user: 'ada' });
  assert.equal((await door.ask('GET', 'me', undefined, { cookie: before })).body['user'], null);
  assert.equal((await door.ask('GET', 'me', undefined, { cookie: cookieIn(done) })).body['user'], 'ada');
  assert.equal((await door.post('reset', { token, password: newPassword })).body['code'], 'bad-link');
  assert.equal((await door.post('sign-in', { name: 'ada', password })).status, 401);
  assert.equal((await door.post('sign-in', { name: 'ada', password: newPassword })).status, 200);
});

test('of two who use a link at the same moment one sets the password', async (t) => {
  const door = await start(t);
  await door.post('set-up', first);
  const token = await door.reset('ada');
  const answers = await Promise.all([1, 2].map((n) => door.post('reset', { token, password: `${newPassword} ${n}` })));
  assert.deepEqual(answers.map((one) => one.status).sort(), [200, 410]);
});

test('a newer link replaces an older one, and none of them is kept as it is', async (t) => {
  const door = await start(t);
  await door.post('set-up', first);
  const [older, newer] = [await door.reset('ada'), await door.reset('ada')];
  assert.ok(!JSON.stringify([...door.store.kept]).includes(newer.split('.')[1] ?? '?'));
  assert.equal((await door.post('reset', { token: older, password: newPassword })).status, 410);
  assert.equal((await door.post('reset', { token: newer, password: newPassword })).status, 200);
});

test('users are listed with how many sessions they have; what is not known or not there is said', async (t) => {
  const door = await start(t);
  await door.post('set-up', first);
  const { users } = (await door.askDoor('GET', '/users')) as { users: { name: string; sessions: number }[] };
  assert.deepEqual(
    users.map(({ name, sessions }) => [name, sessions]),
    [['ada', 1]],
  );
  assert.equal((await door.askDoor('POST', '/users/reset', { name: 'eve' }))['detail'], 'There is no user called eve.');
  assert.equal((await door.askDoor('POST', '/users/reset', { nom: 'ada' }))['code'], 'malformed');
  assert.equal((await door.askDoor('GET', '/'))['code'], 'malformed');
  door.store.state.away = refuse('store-away');
  assert.equal((await door.askDoor('GET', '/users'))['code'], 'store-away');
});

test('a user who was added gets in by a link alone, and one who was removed by nothing', async (t) => {
  const door = await start(t);
  await door.post('set-up', first);
  assert.equal((await door.askDoor('POST', '/users/add', { name: 'Ada' }))['code'], 'bad-question');
  assert.equal((await door.askDoor('POST', '/users/add', { name: 'a b\n' }))['code'], 'bad-question');
  const link = String((await door.askDoor('POST', '/users/add', { name: 'Eve' }))['link']);
  for (const guess of ['', password])
    assert.notEqual((await door.post('sign-in', { name: 'eve', password: guess })).status, 200);
  const token = /#(.+)$/.exec(link)?.[1];
  const entered = await door.post('reset', { token, password: newPassword });
  assert.deepEqual(entered.body, { ok: true, user: 'eve' });
  const cookie = cookieIn(entered);
  assert.deepEqual(await door.askDoor('POST', '/users/remove', { name: 'eve' }), { ok: true, removed: 'eve' });
  assert.equal((await door.ask('GET', 'me', undefined, { cookie })).body['user'], null);
  assert.equal((await door.post('sign-in', { name: 'eve', password: newPassword })).status, 401);
  assert.match(String((await door.askDoor('POST', '/users/remove', { name: 'ada' }))['detail']), /the only user/);
  assert.equal((await door.post('sign-in', { name: 'ada', password })).status, 200);
});

test('only the owner may open the door, and a socket that was left behind is replaced', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'thrum.sock'), 'left behind');
  const door = await start(t, directory);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory, 'thrum.sock')).mode & 0o777, 0o600);
  await assert.rejects(start(t, directory), /is in use: another web node has this data directory/);
  await door.close();
  await start(t, directory);
});

test('a path too long for a socket works all the same, and a directory that cannot be used is named', async (t) => {
  const directory = join(temporaryDirectory(t), 'long'.repeat(30));
  mkdirSync(directory);
  const door = await start(t, directory);
  await eventually(() => statSync(join(door.directory, 'thrum.sock')).isSocket());
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, '');
  await assert.rejects(start(t, join(file, 'x')), /THRUM_DATA: .*file\/x cannot be used/);
});
