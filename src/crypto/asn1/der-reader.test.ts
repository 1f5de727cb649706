// DER that must be refused, and times against the environment's calendar.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CryptoError } from '../error.ts';
import { DerReader, objectIdentifierText, smallIntegerOf, Tag } from './der-reader.ts';
import { derElement, derObjectIdentifier } from './der-writer.ts';
import { timeMs, timeText } from './time.ts';

const refused = (problem: RegExp) => (error: unknown) =>
  error instanceof CryptoError && error.code === 'bad-certificate' && problem.test(error.message);

test('lengths that are indefinite, not minimal or beyond the end are refused', () => {
  const any = (...octets: number[]) => new DerReader(Uint8Array.from(octets)).any('field');
  assert.throws(() => any(0x30, 0x80, 0, 0), refused(/indefinite/));
  assert.throws(() => any(0x04, 0x81, 0x01, 0xaa), refused(/minimal/));
  assert.throws(() => any(0x04, 0x82, 0x00, 0x80, ...new Array(128).fill(0)), refused(/minimal/));
  assert.throws(() => any(0x04, 0x85, 1, 0, 0, 0, 0), refused(/oversized/));
  assert.throws(() => any(0x04, 0x84, 0xff, 0xff, 0xff, 0xff), refused(/truncated/));
  assert.throws(() => any(0x04, 0x02, 0xaa), refused(/truncated/));
  assert.throws(() => any(0x1f, 0x85, 0x01, 0x00), refused(/tag number/));
  assert.throws(() => any(), refused(/truncated/));
});

test('booleans and integers have one encoding', () => {
  const reader = (...octets: number[]) => new DerReader(Uint8Array.from(octets));
  assert.equal(reader(1, 1, 0xff).boolean('b'), true);
  assert.throws(() => reader(1, 1, 0x01).boolean('b'), refused(/boolean/));
  assert.throws(() => reader(2, 2, 0, 1).integer('i'), refused(/minimal/));
  assert.throws(() => reader(2, 2, 0xff, 0x80).integer('i'), refused(/minimal/));
  assert.throws(() => reader(2, 0).integer('i'), refused(/empty/));
  assert.throws(() => reader(2, 1, 0x80).smallInteger('i'), refused(/range/));
  assert.throws(() => smallIntegerOf(Uint8Array.of(1, 0, 0, 0, 0), 'i'), refused(/range/));
  assert.equal(reader(2, 2, 0, 0x80).smallInteger('i'), 128);
});

test('object identifiers go to text and back', () => {
  const arc = fc.nat({ max: 0xffff_ffff });
  fc.assert(
    fc.property(fc.nat(2), fc.nat(39), fc.array(arc, { maxLength: 6 }), (root, second, rest) => {
      const text = [root, second, ...rest].join('.');
      const { contents } = new DerReader(derObjectIdentifier(text)).element(Tag.OBJECT_IDENTIFIER, 'oid');
      assert.equal(objectIdentifierText(contents, 'oid'), text);
    }),
  );
  assert.equal(objectIdentifierText(Uint8Array.of(0x88, 0x37), 'oid'), '2.999');
  assert.throws(() => objectIdentifierText(Uint8Array.of(0x2a, 0x80, 0x01), 'oid'), refused(/minimal/));
  assert.throws(() => objectIdentifierText(Uint8Array.of(0x2a, 0x86), 'oid'), refused(/truncated/));
  assert.throws(() => objectIdentifierText(new Uint8Array(), 'oid'), refused(/truncated/));
  assert.throws(() => objectIdentifierText(new Uint8Array(20).fill(0xff), 'oid'), refused(/range/));
});

test('long elements carry long lengths', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
    const reader = new DerReader(derElement(Tag.OCTET_STRING, new Uint8Array(length)));
    assert.equal(reader.element(Tag.OCTET_STRING, 'octets').contents.length, length);
    reader.end('octets');
  }
});

test('times agree with the calendar from 1950 to 9999', () => {
  const first = Date.UTC(1950, 0, 1);
  const last = Date.UTC(9999, 11, 31);
  fc.assert(
    fc.property(fc.integer({ min: first / 1000, max: last / 1000 }), (seconds) => {
      const digits = new Date(seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, '');
      assert.equal(timeMs(Tag.GENERALIZED_TIME, new TextEncoder().encode(digits), 'time'), seconds * 1000);
      const expected = `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
      assert.equal(timeText(seconds * 1000), expected);
    }),
  );
  assert.equal(
    timeMs(Tag.UTC_TIME, new TextEncoder().encode('491231235959Z'), 'time'),
    Date.UTC(2049, 11, 31, 23, 59, 59),
  );
  assert.equal(timeMs(Tag.UTC_TIME, new TextEncoder().encode('500101000000Z'), 'time'), Date.UTC(1950, 0, 1));
});

test('times in forms that RFC 5280 forbids are refused', () => {
  for (const text of [
    '20300229000000Z',
    '20301301000000Z',
    '20300101240000Z',
    '20300101000000',
    '20300101000000.5Z',
    '20300101000000+0100',
    '300101000000Z',
  ]) {
    assert.throws(
      () => timeMs(Tag.GENERALIZED_TIME, new TextEncoder().encode(text), 'time'),
      refused(/time|date/),
      text,
    );
  }
  assert.equal(
    timeMs(Tag.GENERALIZED_TIME, new TextEncoder().encode('20280229000000Z'), 'time'),
    Date.UTC(2028, 1, 29),
  );
});
