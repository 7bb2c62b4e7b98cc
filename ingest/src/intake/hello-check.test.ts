import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hello } from '@thrum/actors/wire/agent-to-ingest';
import { checkHello } from './hello-check.ts';
import { tokenCheck } from './token-check.ts';

const isOurToken = tokenCheck('the token of this installation');
const good: Hello = {
  protocol: 1,
  token: 'the token of this installation',
  host: '11111111-1111-1111-1111-111111111111',
  boot: '22222222-2222-2222-2222-222222222222',
  epoch: 3,
  attempt: 2,
  agentVersion: '0.1.0',
  clockMs: 1_000,
  periodMs: 1000,
  dictionary: '0123456789abcdef',
  cluster: 'default',
  labels: { rack: 'r1' },
  machine: { name: 'web-1', os: '', kernel: '', arch: '', model: '', cpu: '', cores: 2, memoryBytes: 1, virtual: '' },
};
const codeOf = (message: unknown): string => {
  const checked = checkHello(message, isOurToken);
  return checked.ok ? 'ok' : checked.code;
};

test('a good hello is taken', () => assert.equal(codeOf(good), 'ok'));

test('an agent of version 1 does not count its connections', () => {
  const checked = checkHello({ ...good, protocol: 1, attempt: undefined }, isOurToken);
  assert.equal(checked.ok && checked.hello.attempt, 0);
});

test('labels as long as they may be are taken, and refused when their control characters make them longer', () => {
  const labels = (character: string) =>
    Object.fromEntries(Array.from({ length: 32 }, (_, i) => [String(i).padStart(128, 'k'), character.repeat(128)]));
  assert.equal(codeOf({ ...good, labels: labels('v') }), 'ok');
  assert.equal(codeOf({ ...good, labels: labels('\u0001') }), 'malformed');
  const machine = { ...good.machine, os: '"'.repeat(200), kernel: '\u0001'.repeat(200) };
  assert.equal(codeOf({ ...good, machine }), 'ok');
  assert.equal(
    codeOf({ ...good, machine: { ...machine, arch: '\u0001'.repeat(200), model: '\u0001'.repeat(200) } }),
    'malformed',
  );
});

test('an unknown token is refused, whatever else is right or wrong, and never repeated', () => {
  for (const token of ['', 'x', 'the token of this installation ', 'THE TOKEN OF THIS INSTALLATION'])
    assert.equal(codeOf({ ...good, token }), 'bad-token', token);
  assert.equal(codeOf({ protocol: 1, token: 'guess' }), 'bad-token');
  const checked = checkHello({ ...good, token: 'secret guess' }, isOurToken);
  assert.ok(!checked.ok && !checked.detail.includes('guess'));
});

test('another version of the protocol is refused with those that are spoken, before anything else is looked at', () => {
  const checked = checkHello({ protocol: 99 }, isOurToken);
  assert.ok(!checked.ok);
  assert.equal(checked.code, 'protocol-version');
  assert.match(checked.detail, /99; spoken here: 1/);
});

test('a hello that is not as declared is malformed, with the place and without the value', () => {
  const broken: unknown[] = [
    undefined,
    null,
    'hello',
    [],
    {},
    { ...good, protocol: '1' },
    { ...good, token: 5 },
    { ...good, host: 'localhost' },
    { ...good, host: good.host.toUpperCase().replaceAll('1', 'A') },
    { ...good, boot: undefined },
    { ...good, epoch: -1 },
    { ...good, epoch: 1.5 },
    { ...good, clockMs: Number.NaN },
    { ...good, clockMs: Infinity },
    { ...good, periodMs: 0 },
    { ...good, dictionary: 'nope' },
    { ...good, cluster: '' },
    { ...good, labels: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, 'v'])) },
    { ...good, labels: { k: 'v'.repeat(129) } },
    { ...good, machine: { ...good.machine, name: 'n'.repeat(256) } },
    { ...good, machine: undefined },
  ];
  for (const message of broken) assert.equal(codeOf(message), 'malformed', JSON.stringify(message));
  const checked = checkHello({ ...good, host: 'localhost' }, isOurToken);
  assert.ok(!checked.ok);
  assert.match(checked.detail, /host/);
  assert.ok(!checked.detail.includes('localhost'));
});

test('keys that mean something to JavaScript do nothing', () => {
  const message = JSON.parse(
    JSON.stringify(good).replace('"rack":"r1"', '"__proto__":"x","constructor":"y"'),
  ) as unknown;
  const checked = checkHello(message, isOurToken);
  assert.equal(({} as Record<string, unknown>)['rack'], undefined);
  if (checked.ok) assert.equal(Object.getPrototypeOf(checked.hello.labels), Object.prototype);
});
