import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '#sa';
import { HalfOpenTable, sourcePrefix } from './half-open-table.ts';

const limits = { cookieThreshold: 4, cookieThresholdPerSource: 2, halfOpenMax: 6, halfOpenTimeoutMs: 30_000 };

// RFC 7296 2.6
test('given one source at its threshold, only that source must bring a COOKIE', () => {
  const table = new HalfOpenTable();
  const noisy = address('192.0.2.1');
  table.add(noisy);
  assert.equal(table.admit(noisy, false, limits), 'accept');
  table.add(noisy);
  assert.equal(table.admit(noisy, false, limits), 'demand-cookie');
  assert.equal(table.admit(noisy, true, limits), 'accept');
  assert.equal(table.admit(noisy, true, { ...limits, halfOpenMax: 5 }), 'drop', 'a half is the share of one');
  assert.equal(table.admit(address('192.0.2.2'), false, limits), 'accept');
  table.remove(noisy);
  assert.equal(table.admit(noisy, false, limits), 'accept');
});

test('given many sources, everybody must bring a COOKIE, and beyond the limit nobody is served', () => {
  const table = new HalfOpenTable();
  for (let i = 1; i <= 4; i++) table.add(address(`192.0.2.${i}`));
  const fresh = address('198.51.100.1');
  assert.equal(table.admit(fresh, false, limits), 'demand-cookie');
  table.add(fresh);
  table.add(fresh);
  assert.equal(table.admit(fresh, true, limits), 'drop');
  assert.equal(table.total, 6);
});

test('an IPv6 source is its /64', () => {
  assert.equal(sourcePrefix(address('2001:db8:1:2:3:4:5:6')), sourcePrefix(address('2001:db8:1:2::1')));
  assert.notEqual(sourcePrefix(address('2001:db8:1:2::1')), sourcePrefix(address('2001:db8:1:3::1')));
});

test('removing what was never added is a broken invariant', () => {
  assert.throws(() => new HalfOpenTable().remove(address('192.0.2.1')));
});
