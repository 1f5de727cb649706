// Certificates that are read once and asked for again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CryptoError } from '../error.ts';
import { readCertificate } from './certificate.ts';
import { certificatesFromPem } from './certificate-file.ts';
import { parseCertificate, recentCertificatesMax } from './recent-certificates.ts';
import { authority, certificate } from './testing/certificate-builder.ts';
import * as fixtures from './testing/fixtures.ts';

const moon = (): Uint8Array => Uint8Array.from(certificatesFromPem(fixtures.moon)[0]!.der);

test('given the same octets twice, then the certificate is the same, and as if it were read anew', () => {
  const first = parseCertificate(moon());
  assert.equal(parseCertificate(moon()), first);
  assert.deepEqual(first, readCertificate(moon()));
});

test('given octets that change after they were read, then what was read does not', () => {
  const octets = moon();
  const known = parseCertificate(octets);
  octets.fill(0);
  assert.deepEqual(known.der, moon());
  assert.equal(parseCertificate(moon()), known);
});

test('given one octet more, less or another, then nothing remembered is taken for it', () => {
  const known = parseCertificate(moon());
  for (const octets of [moon().subarray(1), Uint8Array.of(...moon(), 0)]) {
    assert.throws(() => parseCertificate(octets), CryptoError);
  }
  const other = moon();
  other[other.length - 1]! ^= 1;
  assert.notEqual(parseCertificate(other), known);
});

test('given more certificates than are remembered, then the one that was not asked for the longest is read anew', () => {
  const first = parseCertificate(moon());
  const issuer = authority({ subject: 'CN=authority' });
  for (let i = 0; i < recentCertificatesMax; i++) {
    parseCertificate(certificate({ issuer, subject: `CN=${i}`, key: 'CN=one' }).der);
  }
  assert.notEqual(parseCertificate(moon()), first);
});
