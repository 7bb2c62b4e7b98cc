import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeError, errorMessage } from './describe-error.ts';
import { createLog } from './log.ts';
import { terminalLine } from './terminal-line.ts';

const capture = (level: 'debug' | 'info' | 'warn') => {
  const lines: string[] = [];
  const log = createLog({ name: 'test', level, sink: { write: (line) => void lines.push(line) } });
  return {
    log,
    lines,
    last: (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>,
  };
};

test('a line is one JSON object with level, name, fields and message', () => {
  const { log, lines, last } = capture('info');
  log.child({ room: 'link' }).warn({ peer: 'b' }, 'gone');
  assert.match(lines[0] ?? '', /^\{.*\}\n$/);
  const { level, name, room, peer, msg } = last();
  assert.deepEqual(
    { level, name, room, peer, msg },
    { level: 'warn', name: 'test', room: 'link', peer: 'b', msg: 'gone' },
  );
});

test('what is below the level is not written', () => {
  const { log, lines } = capture('warn');
  log.debug({}, 'a');
  log.info({}, 'b');
  log.warn({}, 'c');
  log.error({}, 'd');
  assert.equal(lines.length, 2);
});

test('an error is written with its code, stack and causes', () => {
  const { log, last } = capture('info');
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  log.error({ error: new Error('no link', { cause }) }, 'failed');
  const error = last()['error'] as { message: string; stack: string; cause: { code: string } };
  assert.equal(error.message, 'no link');
  assert.match(error.stack, /log\.test\.ts/);
  assert.equal(error.cause.code, 'ECONNREFUSED');
});

test('logging never throws, whatever it is given', () => {
  const { log, lines } = capture('info');
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const trap = new Proxy({}, { get: () => assert.fail('trap'), ownKeys: () => assert.fail('trap') });
  for (const fields of [cycle, trap, { big: 1n }, { error: trap }, { toJSON: () => assert.fail('trap') }])
    log.info(fields, 'hostile');
  assert.equal(lines.length, 5);
});

test('anything thrown can be described', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (thrown) =>
      assert.equal(typeof errorMessage(thrown), 'string'),
    ),
  );
  assert.equal(errorMessage(undefined), 'undefined');
  const loop = new Error('loop');
  loop.cause = loop;
  assert.ok(JSON.stringify(describeError(loop)).length < 50_000);
});

test('on a terminal a line is for people', () => {
  const { log, lines } = capture('info');
  log.info({ port: 7071, at: { x: 1 } }, 'ready');
  assert.match(terminalLine(lines[0] ?? ''), /^\d\d:\d\d:\d\d\.\d{3} info {2}test: ready port=7071 at=\{"x":1\}\n$/);
  assert.equal(terminalLine('no json'), 'no json');
});

test('what a peer said cannot fake a line on a terminal or steer it', () => {
  const { log, lines } = capture('info');
  log.info({ detail: 'a\n12:00:00.000 info  ingest: all is well\u001b[2J\u009b2J' }, 'refused');
  const line = terminalLine(lines[0] ?? '');
  assert.equal(line.split('\n').length, 2);
  assert.ok(
    line.endsWith(String.raw`detail=a\u000a12:00:00.000 info  ingest: all is well\u001b[2J\u009b2J` + '\n'),
    line,
  );
});
