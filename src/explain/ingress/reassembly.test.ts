// Pieces in any order become the datagram, and what never becomes one is told and costs bounded memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { explainLimits } from '../limits.ts';
import { type Incomplete, Reassembly } from './reassembly.ts';

const at = (frame: number, atUs = frame): { frame: number; atUs: number } => ({ frame, atUs });

test('in whatever order the pieces come, and come again, the datagram is what was sent', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 17, maxLength: 400 }),
      fc.nat(),
      fc.integer({ min: 1, max: 6 }),
      (sent, seed, units) => {
        const size = 8 * units;
        const pieces = Array.from({ length: Math.ceil(sent.length / size) }, (_, i) => ({
          key: 'k',
          offset: i * size,
          more: (i + 1) * size < sent.length,
          octets: sent.subarray(i * size, (i + 1) * size),
        }));
        if (pieces.length < 2) return;
        const shuffled = pieces
          .map((piece, i) => ({ piece, rank: Math.imul(i + 1, seed | 1) >>> 0 }))
          .toSorted((a, b) => a.rank - b.rank)
          .map(({ piece }) => piece);
        const reassembly = new Reassembly(() => assert.fail('complete'));
        const [first, ...rest] = shuffled;
        assert.equal(reassembly.add(at(1), first!), undefined);
        assert.equal(reassembly.add(at(2), first!), undefined);
        const whole = rest
          .map((piece, i) => reassembly.add(at(3 + i), piece))
          .find((one) => one !== undefined);
        assert.deepEqual(whole?.octets, sent);
        assert.equal(whole?.pieces, pieces.length);
        reassembly.end();
      },
    ),
  );
});

test('pieces that overlap end the datagram (RFC 5722)', () => {
  const reassembly = new Reassembly(() => undefined);
  const piece = (offset: number, count: number, more: boolean): Parameters<Reassembly['add']>[1] => ({
    key: 'k',
    offset,
    more,
    octets: new Uint8Array(count),
  });
  assert.equal(reassembly.add(at(1), piece(0, 16, true)), undefined);
  assert.equal(reassembly.add(at(2), piece(8, 16, false)), undefined);
  assert.equal(reassembly.add(at(3), piece(16, 8, false)), undefined);
});

test('what stays incomplete is told: at its time, when the table is full, and at the end', () => {
  const told: Incomplete[] = [];
  const reassembly = new Reassembly((what) => told.push(what));
  const begin = (key: string, frame: number, atUs: number): void => {
    reassembly.add(at(frame, atUs), { key, offset: 0, more: true, octets: new Uint8Array(8) });
  };
  begin('a', 1, 0);
  begin('b', 2, 61_000_000);
  assert.deepEqual(
    told.map(({ key }) => key),
    ['a'],
  );
  for (let i = 0; i < explainLimits.reassemblies; i++) begin(`c${i}`, 3 + i, 61_000_001);
  assert.deepEqual(
    told.map(({ key }) => key),
    ['a', 'b'],
  );
  reassembly.end();
  assert.equal(told.length, 2 + explainLimits.reassemblies);
  assert.equal(told[0]?.head?.length, 8);
});

test('octets beyond the largest datagram are refused', () => {
  const reassembly = new Reassembly(() => assert.fail('nothing was kept'));
  assert.equal(
    reassembly.add(at(1), { key: 'k', offset: 65_528, more: false, octets: new Uint8Array(16) }),
    undefined,
  );
  reassembly.end();
});
