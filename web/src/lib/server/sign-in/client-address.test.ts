import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientAddress } from './client-address.ts';

const none = new Set<string>();
const from = (peer: string, forwardedFor?: string, proxies = none): string =>
  clientAddress({ peer, forwardedFor }, proxies);

test('whoever connects is who they are, whatever they say of themselves', () => {
  assert.equal(from('203.0.113.7'), '203.0.113.7');
  assert.equal(from('203.0.113.7', '10.0.0.1'), '203.0.113.7');
  assert.equal(from('::ffff:203.0.113.7'), '203.0.113.7');
});

test('a proxy of ours is believed for its own last word only', () => {
  assert.equal(from('127.0.0.1', '203.0.113.7'), '203.0.113.7');
  assert.equal(from('127.0.0.1', '1.1.1.1, 203.0.113.7'), '203.0.113.7');
  assert.equal(from('10.0.0.9', '203.0.113.7', new Set(['10.0.0.9'])), '203.0.113.7');
  assert.equal(from('127.0.0.1', 'nonsense'), '127.0.0.1');
  for (const last of ['203.0.113.7:4711', '[2001:db8:1:2::9]:4711', '[2001:db8:1:2::9]'])
    assert.equal(
      from('127.0.0.1', `1.1.1.1, ${last}`),
      last.startsWith('[') ? '2001:db8:1:2::/64' : '203.0.113.7',
      last,
    );
  assert.equal(from('127.0.0.1', '203.0.113.7:4711:1'), '127.0.0.1');
});

test('a subscriber with 2^64 addresses is one address', () => {
  assert.equal(from('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  assert.equal(from('2001:db8:1:2::99'), '2001:db8:1:2::/64');
  assert.equal(from('2001:0db8:0001:0002::1'), '2001:db8:1:2::/64');
  assert.equal(from('2001:db8::1'), '2001:db8:0:0::/64');
  assert.notEqual(from('2001:db8:1:3::1'), from('2001:db8:1:2::1'));
});
