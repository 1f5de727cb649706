// The AlgorithmIdentifiers of RFC 7427 appendix A, octet by octet.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SignatureScheme } from '../ports.ts';
import { digits, hex } from '../testing/octets.ts';
import { decodeAuthenticationAlgorithm, encodeAuthenticationAlgorithm } from './authentication-algorithm.ts';

const sent: Readonly<Record<SignatureScheme, string>> = {
  // RFC 7427 A.1.1 to A.1.4
  'rsa-pkcs1-sha1': '300d 0609 2a86 4886 f70d 0101 0505 00',
  'rsa-pkcs1-sha256': '300d 0609 2a86 4886 f70d 0101 0b05 00',
  'rsa-pkcs1-sha384': '300d 0609 2a86 4886 f70d 0101 0c05 00',
  'rsa-pkcs1-sha512': '300d 0609 2a86 4886 f70d 0101 0d05 00',
  // RFC 7427 A.3.1 to A.3.4
  'ecdsa-sha1': '3009 0607 2a86 48ce 3d04 01',
  'ecdsa-sha256': '300a 0608 2a86 48ce 3d04 0302',
  'ecdsa-sha384': '300a 0608 2a86 48ce 3d04 0303',
  'ecdsa-sha512': '300a 0608 2a86 48ce 3d04 0304',
  // RFC 7427 A.4.3
  'rsa-pss-sha256':
    '3046 0609 2a86 4886 f70d 0101 0a30 39a0 0f30 0d06 0960 8648 0165 0304 0201 0500 ' +
    'a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0201 0500 a203 0201 20a3 0302 0101',
  // The same with the OIDs and salt lengths of SHA-384 and SHA-512 (RFC 4055 2.1)
  'rsa-pss-sha384':
    '3046 0609 2a86 4886 f70d 0101 0a30 39a0 0f30 0d06 0960 8648 0165 0304 0202 0500 ' +
    'a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0202 0500 a203 0201 30a3 0302 0101',
  'rsa-pss-sha512':
    '3046 0609 2a86 4886 f70d 0101 0a30 39a0 0f30 0d06 0960 8648 0165 0304 0203 0500 ' +
    'a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0203 0500 a203 0201 40a3 0302 0101',
  // RFC 8420, appendix A
  ed25519: '3005 0603 2b65 70',
  ed448: '3005 0603 2b65 71',
};

const schemes = Object.keys(sent) as SignatureScheme[];

for (const scheme of schemes) {
  // RFC 7427 A.1, A.3, A.4
  test(`${scheme} is sent as the RFC prints it, and understood`, () => {
    const der = encodeAuthenticationAlgorithm(scheme);
    assert.equal(digits(der), digits(hex(sent[scheme])));
    assert.equal(decodeAuthenticationAlgorithm(der), scheme);
    der.fill(0);
    assert.equal(decodeAuthenticationAlgorithm(encodeAuthenticationAlgorithm(scheme)), scheme);
  });
}

test('PKCS #1 1.5 without its NULL parameters is understood', () => {
  assert.equal(decodeAuthenticationAlgorithm(hex('300b 0609 2a86 4886 f70d 0101 05')), 'rsa-pkcs1-sha1');
  assert.equal(decodeAuthenticationAlgorithm(hex('300b 0609 2a86 4886 f70d 0101 0d')), 'rsa-pkcs1-sha512');
});

test('PSS whose hashes have no NULL, or whose trailer field is left to its default, is understood', () => {
  const withoutTrailer =
    '3041 0609 2a86 4886 f70d 0101 0a30 34a0 0f30 0d06 0960 8648 0165 0304 0201 0500 ' +
    'a11c 301a 0609 2a86 4886 f70d 0101 0830 0d06 0960 8648 0165 0304 0201 0500 a203 0201 20';
  const withoutNulls =
    '303d 0609 2a86 4886 f70d 0101 0a30 30a0 0d30 0b06 0960 8648 0165 0304 0202 ' +
    'a11a 3018 0609 2a86 4886 f70d 0101 0830 0b06 0960 8648 0165 0304 0202 a203 0201 30';
  assert.equal(decodeAuthenticationAlgorithm(hex(withoutTrailer)), 'rsa-pss-sha256');
  assert.equal(decodeAuthenticationAlgorithm(hex(withoutNulls)), 'rsa-pss-sha384');
});

// RFC 7427 A.2
test('DSA, PSS with SHA-1, PSS with a salt of another length or another hash in MGF1 are not supported', () => {
  const unsupported = [
    // RFC 7427 A.2.1, A.2.2, A.4.1 and A.4.2
    '3009 0607 2a86 48ce 3804 03',
    '300b 0609 6086 4801 6503 0403 02',
    '300d 0609 2a86 4886 f70d 0101 0a30 00',
    '303e 0609 2a86 4886 f70d 0101 0a30 31a0 0b30 0906 052b 0e03 021a 0500 a118 3016 ' +
      '0609 2a86 4886 f70d 0101 0830 0906 052b 0e03 021a 0500 a203 0201 14a3 0302 0101',
    sent['rsa-pss-sha256'].replace('0201 20a3', '0201 14a3'),
    sent['rsa-pss-sha256'].replace(/0304 0201 0500 a203/, '0304 0202 0500 a203'),
  ];
  for (const der of unsupported) assert.equal(decodeAuthenticationAlgorithm(hex(der)), undefined);
});

test('whatever octets arrive, decoding returns, and what it understands it also encodes or has listed above', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      const scheme = decodeAuthenticationAlgorithm(octets);
      assert.ok(scheme === undefined || schemes.includes(scheme));
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...schemes), fc.nat(), fc.nat(7), (scheme, position, bit) => {
      const der = encodeAuthenticationAlgorithm(scheme);
      der[position % der.length]! ^= 1 << bit;
      assert.notEqual(decodeAuthenticationAlgorithm(der), scheme);
    }),
  );
  assert.equal(decodeAuthenticationAlgorithm(new Uint8Array(0)), undefined);
  assert.equal(decodeAuthenticationAlgorithm(new Uint8Array(65535)), undefined);
});
