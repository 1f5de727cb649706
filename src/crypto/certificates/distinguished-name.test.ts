// Distinguished names: text to DER and back, the comparison of RFC 5280 7.1, and wildcards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Tag } from '../asn1/der-reader.ts';
import { derElement, derObjectIdentifier } from '../asn1/der-writer.ts';
import { hexText } from '../asn1/hex-text.ts';
import { CryptoError } from '../error.ts';
import {
  distinguishedNameMatches,
  distinguishedNameToText,
  equalDistinguishedNames,
} from './distinguished-name.ts';
import { distinguishedNameFromText } from './distinguished-name-text.ts';

const fromText = distinguishedNameFromText;

function commonName(tag: number, octets: Uint8Array): Uint8Array {
  const pair = derElement(Tag.SEQUENCE, derObjectIdentifier('2.5.4.3'), derElement(tag, octets));
  return derElement(Tag.SEQUENCE, derElement(Tag.SET, pair));
}

test('a name encodes as strongSwan encodes it', () => {
  // From strongSwan 5.9.8: pki --self --dn 'C=CH, E=x' and the like, printed by pki --dn.
  const known = {
    'C=CH, E=x': '301f310b30090603550406130243483110300e06092a864886f70d010901160178',
    'C=CH, SN=x': '3019310b3009060355040613024348310a30080603550404130178',
    'C=CH, serialNumber=x': '3019310b3009060355040613024348310a30080603550405130178',
    'C=CH, UID=x': '3020310b30090603550406130243483111300f060a0992268993f22c640101130178',
  };
  for (const [text, der] of Object.entries(known)) assert.equal(hexText(fromText(text)), der, text);
});

test('commas and slashes separate, whichever comes first', () => {
  const expected = hexText(fromText('C=CH, O=strongSwan, CN=moon'));
  for (const text of [
    'C=CH,O=strongSwan,CN=moon',
    ' c = CH ,  o = strongSwan , cn = moon ',
    '/C=CH/O=strongSwan/CN=moon',
    '2.5.4.6=CH, 2.5.4.10=strongSwan, 2.5.4.3=moon',
    'C=CH, O=#130a7374726f6e675377616e, CN=moon',
    'C=CH, O=\\73trongSwan, CN=moon',
  ]) {
    assert.equal(hexText(fromText(text)), expected, text);
  }
  assert.equal(distinguishedNameToText(fromText('/C=CH/O=Foo, Bar/CN=a b')), 'C=CH, O=Foo\\, Bar, CN=a b');
  assert.equal(distinguishedNameToText(fromText('C=CH, O=a/b+c, CN=http://x')), 'C=CH, O=a/b+c, CN=http://x');
  assert.equal(distinguishedNameToText(fromText('C=CH, CN=a + OU=b')), 'C=CH, CN=a+OU=b');
  assert.equal(distinguishedNameToText(fromText('')), '');
});

test('text that is no name is refused with the part at fault', () => {
  for (const [text, part] of [
    ['moon', /"moon"/],
    ['C=CH, moon', /"moon"/],
    ['C=CH, XYZ=moon', /"XYZ"/],
    ['C=CH,, CN=moon', /""/],
    ['9.9=moon', /9\.9/],
    ['CN=#13057374', /not DER/],
  ] as const) {
    assert.throws(
      () => fromText(text),
      (error) => error instanceof CryptoError && error.code === 'bad-name' && part.test(error.message),
      text,
    );
  }
});

test('every text of a value comes back', () => {
  const value = fc.string({ unit: 'grapheme', maxLength: 12 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('CN', 'O', 'E', 'DC', '1.2.3.4'), value), { maxLength: 4 }),
      (pairs) => {
        const types: Record<string, string> = {
          CN: '2.5.4.3',
          O: '2.5.4.10',
          E: '1.2.840.113549.1.9.1',
          DC: '0.9.2342.19200300.100.1.25',
          '1.2.3.4': '1.2.3.4',
        };
        const sets = pairs.map(([type, text]) => {
          const string = derElement(Tag.UTF8_STRING, new TextEncoder().encode(text));
          return derElement(Tag.SET, derElement(Tag.SEQUENCE, derObjectIdentifier(types[type]!), string));
        });
        const der = derElement(Tag.SEQUENCE, ...sets);
        const text = distinguishedNameToText(der);
        const back = fromText(text);
        assert.equal(distinguishedNameToText(back), text);
        assert.ok(equalDistinguishedNames(der, back));
        assert.ok(!/[\p{Cc}]/u.test(text), 'no control characters in a message');
      },
    ),
  );
});

test('kind of string, case and white space do not tell names apart', () => {
  const latin = Uint8Array.from('Z\u00fcrich', (character) => character.charCodeAt(0));
  const utf8 = new TextEncoder().encode('z\u00fcRICH');
  const decomposed = new TextEncoder().encode('Zu\u0308rich');
  const bmp = [...'Z\u00fcrich'].flatMap((character) => [0, character.charCodeAt(0)]);
  const names = [
    commonName(Tag.TELETEX_STRING, latin),
    commonName(Tag.UTF8_STRING, utf8),
    commonName(Tag.UTF8_STRING, decomposed),
    commonName(Tag.BMP_STRING, Uint8Array.from(bmp)),
    fromText('CN=  z\u00dcrich  '),
  ];
  for (const name of names) assert.ok(equalDistinguishedNames(names[0]!, name));
  assert.ok(equalDistinguishedNames(fromText('O=a  b, CN=x'), fromText('O=A b, CN=X')));
  assert.ok(equalDistinguishedNames(fromText('CN=a+OU=b'), fromText('OU=b+CN=a')));
});

test('order, number, type and value do tell names apart', () => {
  const name = fromText('C=CH, O=a, CN=b');
  for (const other of [
    'O=a, C=CH, CN=b',
    'C=CH, O=a',
    'C=CH, O=a, CN=b, OU=c',
    'C=CH, O=a, OU=b',
    'C=CH, O=a, CN=c',
    'C=CH, O=a+CN=b',
    'C=CH, O=ab, CN=',
    '',
  ]) {
    assert.ok(!equalDistinguishedNames(name, fromText(other)), other);
  }
  // Values that are no character strings are compared octet by octet.
  assert.ok(
    !equalDistinguishedNames(
      commonName(Tag.OCTET_STRING, Uint8Array.of(0x41)),
      commonName(Tag.OCTET_STRING, Uint8Array.of(0x61)),
    ),
  );
  assert.equal(distinguishedNameToText(commonName(Tag.OCTET_STRING, Uint8Array.of(0x41))), 'CN=#040141');
});

test('an asterisk stands for one value of its type', () => {
  const moon = fromText('C=CH, O=strongSwan, CN=moon');
  const table: readonly (readonly [string, boolean])[] = [
    ['C=CH, O=strongSwan, CN=*', true],
    ['C=*, O=*, CN=*', true],
    ['c=ch, o=STRONGSWAN, cn=*', true],
    ['C=CH, O=strongSwan, OU=*', false],
    ['C=CH, O=strongSwan, OU=*, CN=*', false],
    ['C=CH, CN=*', false],
    ['O=strongSwan, C=CH, CN=*', false],
    ['C=CH, O=strongSwan, CN=m*', false],
    ['C=CH, O=strongSwan, CN=moon', true],
  ];
  for (const [pattern, matches] of table) {
    assert.equal(distinguishedNameMatches(fromText(pattern), moon), matches, pattern);
  }
  const pair = fromText('C=CH, CN=moon+OU=a');
  assert.ok(distinguishedNameMatches(fromText('C=CH, CN=*+OU=a'), pair));
  assert.ok(!distinguishedNameMatches(fromText('C=CH, CN=*+OU=b'), pair));
  assert.ok(!distinguishedNameMatches(fromText('C=CH, CN=*'), pair));
  assert.ok(
    distinguishedNameMatches(fromText('CN=*+CN=b'), fromText('CN=b+CN=c')),
    'the exact value is taken first',
  );
});

test('octets that are no name are refused', () => {
  for (const octets of [
    [],
    [0x30, 0x02, 0x31, 0x00],
    [0x31, 0],
    [0x30, 0, 0],
    [0x30, 0x0b, 0x31, 0x09, 0x30, 0x07, 6, 3, 0x55, 4, 3, 0x0c, 1, 0xff],
  ]) {
    assert.throws(
      () => distinguishedNameToText(Uint8Array.from(octets)),
      (error) => error instanceof CryptoError && error.code === 'bad-certificate',
    );
  }
});
