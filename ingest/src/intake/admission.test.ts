import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from './admission.ts';

const limits = { handshakesPerSecond: 10, burst: 5, maxConnections: 8, maxWaiting: 6, maxWaitingPerAddress: 4 };
const reason = (verdict: { ok: boolean; reason?: string }): string => (verdict.ok ? 'ok' : (verdict.reason ?? ''));

test('a burst is let in, then as many as the rate allows, and unused room does not add up beyond the burst', () => {
  const admission = new Admission(limits, 0);
  const letIn = (nowMs: number, tries: number): number =>
    Array.from({ length: tries }, () => admission.knock('a', nowMs)).filter((verdict) => verdict.ok).length;
  assert.equal(letIn(0, 20), 5);
  assert.equal(letIn(99, 20), 0);
  assert.equal(letIn(200, 20), 2);
  assert.equal(letIn(60_000, 20), 5);
  assert.match(reason(admission.knock('a', 60_000)), /too many handshakes/);
});

test('connections without a hello are bounded for each address and altogether, greeted ones do not count', () => {
  const admission = new Admission({ ...limits, burst: 1000 }, 0);
  const fromA = Array.from({ length: 4 }, () => admission.enter('a'));
  assert.match(reason(admission.knock('a', 0)), /from one address/);
  assert.equal(reason(admission.knock('b', 0)), 'ok');
  fromA[0]?.greeted();
  assert.equal(reason(admission.knock('a', 0)), 'ok');
  admission.enter('b');
  admission.enter('b');
  admission.enter('c');
  assert.match(reason(admission.knock('d', 0)), /without a hello$/);
});

test('the number of connections is bounded, and a place is free again when one is gone, however often that is said', () => {
  const admission = new Admission({ ...limits, burst: 1000 }, 0);
  const all = Array.from({ length: 8 }, () => {
    const entry = admission.enter('a');
    entry.greeted();
    return entry;
  });
  assert.match(reason(admission.knock('a', 0)), /too many connections/);
  all[0]?.gone();
  all[0]?.gone();
  all[0]?.greeted();
  assert.equal(admission.connections, 7);
  assert.equal(admission.waiting, 0);
  assert.equal(reason(admission.knock('a', 0)), 'ok');
});

test('a connection that goes without a hello gives its waiting place back', () => {
  const admission = new Admission(limits, 0);
  admission.enter('a').gone();
  assert.equal(admission.waiting, 0);
  assert.equal(admission.connections, 0);
});

test('a node that comes late lets in fewer, never none, and all again once it keeps up', () => {
  const admission = new Admission({ ...limits, handshakesPerSecond: 100, burst: 40, maxWaiting: 1e6 }, 0);
  const letIn = (fromMs: number, byMs: number): number => {
    let count = 0;
    for (let nowMs = fromMs + 100; nowMs <= fromMs + 10_000; nowMs += 100) {
      admission.looked(byMs, nowMs);
      for (let tries = 0; tries < 100; tries += 1) if (admission.knock('a', nowMs).ok) count += 1;
    }
    return count;
  };
  const onTime = letIn(0, 5);
  assert.ok(onTime >= 1_000 && onTime <= 1_040, `${onTime}`);
  const late = letIn(10_000, 300);
  assert.ok(late >= 100 && late <= 150, `${late}`);
  assert.equal(admission.part, 1 / 8);
  letIn(20_000, 5);
  assert.equal(admission.part, 1);
});
