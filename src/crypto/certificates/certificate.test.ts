// Certificates as strongSwan and OpenSSL make them, compared with OpenSSL's reading; octets that are none.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { hexText } from '../asn1/hex-text.ts';
import { CryptoError } from '../error.ts';
import { publicKeyHash } from './certificate.ts';
import { certificatesFromPem, revocationListsFromPem } from './certificate-file.ts';
import { parseCertificate } from './recent-certificates.ts';
import { parseRevocationList } from './revocation-list.ts';
import { authority, certificate, extension, ip, subjectAltName } from './testing/certificate-builder.ts';
import * as fixtures from './testing/fixtures.ts';

const CERTIFICATES = {
  root: fixtures.root,
  gateways: fixtures.gateways,
  moon: fixtures.moon,
  sun: fixtures.sun,
  old: fixtures.old,
  venus: fixtures.venus,
  edwards: fixtures.edwards,
  mars: fixtures.mars,
  goldilocks: fixtures.goldilocks,
  pluto: fixtures.pluto,
  responder: fixtures.responder,
  jupiter: fixtures.jupiter,
  inside: fixtures.inside,
  outside: fixtures.outside,
};

const one = (pem: string) => certificatesFromPem(pem)[0]!;

function refusal(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof CryptoError, String(error));
    return error.code;
  }
}

for (const [name, pem] of Object.entries(CERTIFICATES)) {
  test(`${name} reads as OpenSSL reads it`, () => {
    const ours = one(pem);
    const theirs = new X509Certificate(pem);
    assert.deepEqual(ours.der, new Uint8Array(theirs.raw));
    assert.equal(hexText(ours.serial).replace(/^00/, '').toUpperCase(), theirs.serialNumber);
    assert.equal(ours.notBeforeMs, Date.parse(theirs.validFrom));
    assert.equal(ours.notAfterMs, Date.parse(theirs.validTo));
    assert.equal(ours.basicConstraints?.ca ?? false, theirs.ca);
    assert.deepEqual(
      ours.publicKey.spki,
      new Uint8Array(theirs.publicKey.export({ type: 'spki', format: 'der' })),
    );
    const commonName = /CN=(.*)$/.exec(ours.subject.text)?.[1];
    assert.equal(commonName, /CN=(.*)$/m.exec(theirs.subject)?.[1]);
  });
}

test('an end entity of strongSwan has all its fields', () => {
  const moon = one(fixtures.moon);
  const gateways = one(fixtures.gateways);
  assert.equal(moon.version, 3);
  assert.equal(
    moon.subject.text,
    // As `pki --print` of strongSwan 5.9.8 prints it.
    'C=CH, O=strongSwan Project, serialNumber=12, SN=Luna, E=moon@strongswan.org, CN=moon',
  );
  assert.equal(moon.issuer.text, 'C=CH, O=strongSwan Project, CN=Gateways');
  assert.deepEqual(moon.issuer.der, gateways.subject.der);
  assert.deepEqual(moon.subjectAltNames, [
    { kind: 'dns', value: 'moon.strongswan.org' },
    { kind: 'ip', value: Uint8Array.of(10, 1, 0, 1) },
    { kind: 'ip', value: Uint8Array.of(0xfe, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1) },
    { kind: 'email', value: 'moon@strongswan.org' },
  ]);
  assert.deepEqual(moon.extKeyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.8.2.2']);
  assert.deepEqual(moon.crlDistributionPoints, ['http://crl.strongswan.org/gateways.crl']);
  assert.deepEqual(moon.ocspUris, ['http://ocsp.strongswan.org/']);
  assert.deepEqual(moon.authorityKeyIdentifier, gateways.subjectKeyIdentifier);
  assert.deepEqual(moon.unknownCriticalExtensions, []);
  assert.equal(moon.publicKey.kind, 'ecdsa');
  assert.equal(moon.publicKey.bits, 256);
});

test('an authority has its constraints and usages', () => {
  const gateways = one(fixtures.gateways);
  assert.deepEqual(gateways.basicConstraints, { ca: true, pathLength: 0 });
  assert.deepEqual(gateways.keyUsage, new Set(['keyCertSign', 'cRLSign']));
  const jupiter = one(fixtures.jupiter);
  assert.deepEqual(jupiter.nameConstraints, {
    permitted: [
      { kind: 'dns', value: 'strongswan.org' },
      { kind: 'ip', value: Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0) },
    ],
    excluded: [{ kind: 'dns', value: 'secret.strongswan.org' }],
  });
});

test('the hash of a key is the SHA-1 of its SubjectPublicKeyInfo', () => {
  const spki = new X509Certificate(fixtures.root).publicKey.export({ type: 'spki', format: 'der' });
  const expected = new Uint8Array(createHash('sha1').update(spki).digest());
  assert.deepEqual(publicKeyHash(one(fixtures.root).publicKey.spki), expected);
});

test('a file may hold several certificates, keys beside them, or DER', () => {
  const file = `${fixtures.KEY_FILES['ec-sec1']}${fixtures.moon}junk\n${fixtures.gateways}`;
  assert.deepEqual(
    certificatesFromPem(file).map(({ subject }) => subject.text.slice(-4)),
    ['moon', 'ways'],
  );
  const { der } = one(fixtures.moon);
  assert.equal(certificatesFromPem(der)[0]?.subject.text, one(fixtures.moon).subject.text);
  assert.equal(certificatesFromPem(new TextEncoder().encode(fixtures.moon)).length, 1);
  assert.equal(
    refusal(() => certificatesFromPem(fixtures.KEY_FILES['ec-sec1'])),
    'bad-pem',
  );
  assert.equal(
    refusal(() => certificatesFromPem(Uint8Array.of(0x30, 0))),
    'bad-certificate',
  );
  const broken = fixtures.moon.replace(/^MII./m, 'AAAA');
  assert.throws(() => certificatesFromPem(`\n\n${broken}`), /^CryptoError: line 3: /);
});

test('a revocation list has its entries', () => {
  const [list] = revocationListsFromPem(fixtures.gatewaysList);
  const sun = one(fixtures.sun);
  assert.equal(list!.issuer.text, 'C=CH, O=strongSwan Project, CN=Gateways');
  assert.deepEqual([...list!.revoked.keys()], [hexText(sun.serial)]);
  assert.equal(list!.revoked.get(hexText(sun.serial))?.reason, 'key compromise');
  assert.equal(revocationListsFromPem(list!.der).length, 1);
  assert.equal(parseRevocationList(revocationListsFromPem(fixtures.rootList)[0]!.der).revoked.size, 0);
  assert.equal(
    refusal(() => revocationListsFromPem(fixtures.moon)),
    'bad-pem',
  );
});

test('a certificate cut short anywhere is refused', () => {
  const { der } = one(fixtures.moon);
  for (let length = 0; length < der.length; length++) {
    assert.equal(
      refusal(() => parseCertificate(der.subarray(0, length))),
      'bad-certificate',
      `${length} octets`,
    );
  }
  assert.equal(
    refusal(() => parseCertificate(new Uint8Array([...der, 0]))),
    'bad-certificate',
  );
  const list = revocationListsFromPem(fixtures.gatewaysList)[0]!.der;
  for (let length = 0; length < list.length; length++) {
    assert.equal(
      refusal(() => parseRevocationList(list.subarray(0, length))),
      'bad-certificate',
      `${length} octets`,
    );
  }
});

test('fields that contradict RFC 5280 are refused', () => {
  const twice = extension('2.5.29.14', false, Uint8Array.of(4, 1, 7));
  const malformed: readonly Uint8Array[] = [
    certificate({ subject: 'CN=a', extensions: [twice, twice] }).der,
    certificate({ subject: 'CN=a', extensions: [extension('2.5.29.14', false, Uint8Array.of(4, 1, 7, 0))] })
      .der,
    certificate({ subject: 'CN=a', extensions: [subjectAltName(ip(10, 0, 0))] }).der,
    certificate({ subject: 'CN=a', extensions: [extension('2.5.29.15', true, Uint8Array.of(3, 1, 1))] }).der,
  ];
  for (const der of malformed)
    assert.equal(
      refusal(() => parseCertificate(der)),
      'bad-certificate',
    );
  // The algorithm outside of what is signed is not signed itself: Ed25519 outside becomes Ed448.
  const der = Uint8Array.from(authority({ subject: 'CN=a' }).der);
  const outer = der.length - 64 - 3 - 1;
  assert.equal(der[outer], 0x70);
  der[outer] = 0x71;
  assert.throws(() => parseCertificate(der), /signature algorithm differs/);
});
