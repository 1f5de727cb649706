// The `wayward.checkpoint` section.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connection, errorsOf, load } from '../testing/load.ts';

const withSection = (lines: string): string => `${connection()}\nwayward { checkpoint {\n${lines}\n} }`;

test('checkpoints are off unless asked for, and never outlive the boot unless asked for', () => {
  const preset = { enabled: false, acrossBoot: false, maxAgeMs: 120_000 };
  assert.deepEqual(load(connection()).host.checkpoint, preset);
  assert.deepEqual(load(withSection('')).host.checkpoint, preset);
  assert.deepEqual(load(withSection('enabled = yes')).host.checkpoint, { ...preset, enabled: true });
});

test('a whole section', () => {
  const text = 'enabled = yes\nacross_boot = yes\nmax_age = 30s';
  assert.deepEqual(load(withSection(text)).host.checkpoint, {
    enabled: true,
    acrossBoot: true,
    maxAgeMs: 30_000,
  });
});

test('what makes no sense is an error that names its place', () => {
  assert.deepEqual(errorsOf(withSection('max_age = 9s')), [
    'swanctl.conf:16:11: max_age must be at least 10s',
  ]);
});
