// Whatever octets or text come in, the readers return or throw their own error.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CryptoError } from '../error.ts';
import { pemBlocks } from '../pem/pem.ts';
import { privateKeyFromPem } from '../pem/private-key-file.ts';
import { certificatesFromPem, revocationListsFromPem } from './certificate-file.ts';
import { distinguishedNameToText } from './distinguished-name.ts';
import { distinguishedNameFromText } from './distinguished-name-text.ts';
import { parseOcspResponse } from './ocsp-response.ts';
import { parseCertificate } from './recent-certificates.ts';
import { parseRevocationList } from './revocation-list.ts';
import * as fixtures from './testing/fixtures.ts';

function ownErrorsOnly(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof CryptoError, String(error));
  }
}

const base64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const PARSERS: readonly (readonly [string, (der: Uint8Array) => unknown, readonly Uint8Array[]])[] = [
  [
    'parseCertificate',
    parseCertificate,
    [fixtures.moon, fixtures.jupiter, fixtures.venus, fixtures.mars].map(
      (pem) => certificatesFromPem(pem)[0]!.der,
    ),
  ],
  [
    'parseRevocationList',
    parseRevocationList,
    [fixtures.gatewaysList, fixtures.rootList].map((pem) => revocationListsFromPem(pem)[0]!.der),
  ],
  [
    'parseOcspResponse',
    parseOcspResponse,
    [fixtures.moonGood, fixtures.moonGoodDirect, fixtures.sunRevoked].map(base64),
  ],
  ['distinguishedNameToText', distinguishedNameToText, [certificatesFromPem(fixtures.moon)[0]!.subject.der]],
];

for (const [name, parse, samples] of PARSERS) {
  test(`${name} is total`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (sample, changes) => {
          const changed = Uint8Array.from(sample);
          for (const [offset, octet] of changes) changed[offset % changed.length] = octet;
          ownErrorsOnly(() => parse(changed));
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => ownErrorsOnly(() => parse(octets))));
  });
}

test('an OCSP response cut short anywhere is refused', () => {
  const der = base64(fixtures.sunRevoked);
  for (let length = 0; length < der.length; length++) {
    assert.throws(() => parseOcspResponse(der.subarray(0, length)), CryptoError, `${length} octets`);
  }
});

test('an OCSP response that reports an error says so', () => {
  assert.throws(() => parseOcspResponse(Uint8Array.of(0x30, 3, 0x0a, 1, 6)), /the responder reports error 6/);
});

test('readers of text are total', () => {
  const noise = fc.string({ unit: 'binary', maxLength: 60 });
  const pieces = fc.constantFrom(
    'CN',
    'O',
    '=',
    ',',
    '/',
    '+',
    '\\',
    '#',
    ' ',
    '*',
    '0c0141',
    '1.2.3',
    'a',
    '\u00e9',
  );
  const almostName = fc.array(fc.oneof(pieces, noise), { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(fc.property(almostName, (text) => ownErrorsOnly(() => distinguishedNameFromText(text))));
  const lines = fc.constantFrom(
    '-----BEGIN PRIVATE KEY-----',
    '-----END PRIVATE KEY-----',
    '-----',
    'AAEC',
    'A=',
    'X: y',
    '',
  );
  const almostPem = fc.array(fc.oneof(lines, noise), { maxLength: 8 }).map((parts) => parts.join('\n'));
  fc.assert(
    fc.property(almostPem, (text) => {
      ownErrorsOnly(() => pemBlocks(text));
      ownErrorsOnly(() => privateKeyFromPem(text, 'passphrase'));
      ownErrorsOnly(() => certificatesFromPem(new TextEncoder().encode(text)));
    }),
  );
});
