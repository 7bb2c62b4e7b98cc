/** Each rule is what keeps its promise: with a wrong one in its place the promise is seen to be broken. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { rules, type SignInRules } from './rules.ts';
import { sidsIn } from './cookie.ts';
import { cookieIn, documentsInMemory, password, setUpToken, startDoor } from './scripted-door.contract.ts';
import { hashOf, makeResetToken } from './tokens.ts';

const first = { token: setUpToken, name: 'ada', password };
const newPassword = 'another engine of hers';

type Promised = (t: TestContext, wrong: Partial<SignInRules>) => Promise<boolean>;

/** Six wrong guesses; the seventh has to wait. */
const slowsGuessing: Promised = async (t, wrong) => {
  const door = await startDoor(t, { rules: wrong });
  await door.post('set-up', first);
  for (let i = 0; i < 6; i += 1) await door.post('sign-in', { name: 'ada', password: 'wrong wrong' });
  return (await door.post('sign-in', { name: 'ada', password: 'wrong wrong' })).status === 429;
};

const setsUpOnce: Promised = async (t, wrong) => {
  const door = await startDoor(t, { rules: wrong });
  await door.post('set-up', first);
  // The claim of the first user is a second lock: without it the rule stands alone.
  door.store.kept.delete('installation/first-user');
  return (await door.post('set-up', { ...first, name: 'eve' })).status === 410;
};

/** A link that is older than the password it would replace, as when it was made before another was used. */
const refusesOldLinks: Promised = async (t, wrong) => {
  const store = documentsInMemory();
  const door = await startDoor(t, { rules: wrong, store });
  await door.post('set-up', first);
  const token = makeResetToken('ada');
  const value = { hash: hashOf(token), expiresMs: Date.now() + 60_000, generation: 0 };
  await store.documents.put('password-resets', 'ada', value, null);
  return (await door.post('reset', { token, password: newPassword })).status === 410;
};

const resetEndsSessions: Promised = async (t, wrong) => {
  const door = await startDoor(t, { rules: wrong });
  const cookie = cookieIn(await door.post('set-up', first));
  const found = await door.signIn.users.find('ada');
  if (!found.ok || !found.user) throw new Error('BUG: no user');
  const token = makeResetToken('ada');
  await door.signIn.users.offerReset(found.user, hashOf(token));
  await door.post('reset', { token, password: newPassword });
  return (await door.ask('GET', 'me', undefined, { cookie })).body['user'] === null;
};

const cases: readonly { promise: string; holds: Promised; wrong: Partial<SignInRules> }[] = [
  { promise: 'guessing is slowed down', holds: slowsGuessing, wrong: { waitMs: () => 0 } },
  { promise: 'failures are remembered', holds: slowsGuessing, wrong: { isForgotten: () => true } },
  { promise: 'an installation is set up once', holds: setsUpOnce, wrong: { maySetUp: () => true } },
  { promise: 'a link older than the password is refused', holds: refusesOldLinks, wrong: { isResetValid: () => true } },
  { promise: 'a new password ends all sessions', holds: resetEndsSessions, wrong: { nextGeneration: (now) => now } },
];

for (const { promise, holds, wrong } of cases)
  test(`${promise}, by its rule alone`, async (t) => {
    assert.equal(await holds(t, {}), true);
    assert.equal(await holds(t, wrong), false, 'the wrong rule is noticed');
  });

test('the claim of the first user holds even when the rule does not', async (t) => {
  const door = await startDoor(t, { rules: { maySetUp: () => true } });
  await door.post('set-up', first);
  assert.equal((await door.post('set-up', { ...first, name: 'eve' })).status, 410);
});

test('what a browser says of a request, and what it was sent over, decide by their rules', () => {
  const header = `thrum=${'A'.repeat(43)}`;
  assert.equal(sidsIn(header, 'https').length, 0);
  assert.equal(sidsIn(header, 'https', () => true).length, 1);
  assert.deepEqual([undefined, 'same-origin', 'same-site', 'cross-site', 'none'].map(rules.isOwnPage), [
    true,
    true,
    false,
    false,
    false,
  ]);
});
