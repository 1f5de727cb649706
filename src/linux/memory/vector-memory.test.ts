// Sums of words and copies, by WebAssembly and without.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sumWords } from '#wire';
import { fold } from '../testing/fold.ts';
import { PacketMemory } from './packet-memory.ts';
import { vectorMemory } from './vector-memory.ts';

test('where an address space is too small for vectors, sums are the same', () => {
  // More than WebAssembly can have.
  assert.equal(vectorMemory(2 ** 33), undefined);
  const octets = Uint8Array.from({ length: 100 }, (_, i) => i * 7);
  const known = vectorMemory(100);
  known?.octets.set(octets);
  if (known !== undefined) {
    const sum = fold(known.sum(0, 99));
    assert.equal(fold(((sum & 0xff) << 8) | (sum >>> 8)), fold(sumWords(octets, 0, 99)));
  }
});

test('sums of words agree with sums of octets at any offset and length', () => {
  const memory = new PacketMemory(65_536);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 600 }),
      fc.nat(20),
      fc.nat(20),
      fc.nat(0xffff),
      (octets, a, b, initial) => {
        memory.octets.set(octets);
        const start = Math.min(a, octets.length);
        const end = Math.max(start, octets.length - b);
        assert.equal(
          fold(memory.sum(start, end, initial)) % 0xffff,
          fold(sumWords(octets, start, end, initial)) % 0xffff,
        );
      },
    ),
    { numRuns: 2000 },
  );
  memory.octets.fill(0xff);
  assert.equal(fold(memory.sum(0, 65_536)), 0xffff);
});

test('copies are those of copyWithin, also where both places overlap', () => {
  const memory = new PacketMemory(300);
  fc.assert(
    fc.property(fc.nat(200), fc.nat(200), fc.nat(100), (to, from, bytes) => {
      for (let i = 0; i < 300; i++) memory.octets[i] = i * 7;
      const expected = memory.octets.slice().copyWithin(to, from, from + bytes);
      memory.copy(to, from, bytes);
      assert.deepEqual(memory.octets.slice(), expected);
    }),
  );
});

test('what lies in memory of several threads is copied in, and nothing beyond either memory', () => {
  const memory = new PacketMemory(300);
  const shared = new Uint8Array(new SharedArrayBuffer(200));
  for (let i = 0; i < 200; i++) shared[i] = 1 + i;
  fc.assert(
    fc.property(fc.nat(310), fc.nat(210), fc.nat(210), (to, from, bytes) => {
      memory.octets.fill(0);
      if (to + bytes > 300 || from + bytes > 200) {
        assert.throws(() => memory.copyFrom(to, shared, from, bytes), RangeError);
      } else {
        memory.copyFrom(to, shared, from, bytes);
        assert.deepEqual(memory.octets.slice(to, to + bytes), shared.slice(from, from + bytes));
      }
      assert.ok(memory.octets.every((octet, i) => octet === 0 || (i >= to && i < to + bytes)));
    }),
  );
});
