import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabDisk } from './disk.ts';
import { Prng } from './prng.ts';

const old = Uint8Array.of(1, 2, 3, 4);
const fresh = Uint8Array.of(5, 6, 7, 8);

test('an acknowledged write outlives a crash', () => {
  const disk = new LabDisk(new Prng(1));
  disk.write('a', old)();
  disk.crash();
  assert.deepEqual(disk.records.get('a'), old);
});

test('a crash makes of a write under way the old record, the new one or a part of it, and each of these happens', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const disk = new LabDisk(new Prng(seed));
    disk.write('a', old)();
    const late = disk.write('a', fresh);
    disk.crash();
    late();
    const found = disk.records.get('a') ?? new Uint8Array(0);
    if (found.every((octet, at) => octet === old[at]) && found.length === old.length) seen.add('lost');
    else if (found.length === fresh.length) seen.add('whole');
    else seen.add('torn');
    assert.ok(found[0] === old[0] || found.every((octet, at) => octet === fresh[at]));
  }
  assert.deepEqual([...seen].sort(), ['lost', 'torn', 'whole']);
});

test('writes under way at a crash may reach the disk in another order', () => {
  const last = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const disk = new LabDisk(new Prng(seed));
    disk.write('a', old);
    disk.write('a', fresh);
    disk.crash();
    last.add((disk.records.get('a') ?? new Uint8Array(0)).join());
  }
  assert.ok(last.has(old.join()) && last.has(fresh.join()));
});
