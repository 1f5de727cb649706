// The table of identities a certificate speaks for, and those it does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distinguishedNameFromText } from './distinguished-name-text.ts';
import { certificateMatchesIdentity } from './identity.ts';
import { parseCertificate } from './recent-certificates.ts';
import { certificate, directory, dns, email, ip, subjectAltName } from './testing/certificate-builder.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const name = distinguishedNameFromText;
const V6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] as const;

const moon = parseCertificate(
  certificate({
    subject: 'C=CH, O=strongSwan, CN=moon.example.org',
    extensions: [
      subjectAltName(
        dns('Moon.strongswan.org'),
        dns('*.wild.org'),
        email('Carol@strongSwan.org'),
        ip(10, 1, 0, 1),
        ip(...V6),
        directory('CN=alias'),
      ),
    ],
  }).der,
);

const TABLE: readonly (readonly [string, number, Uint8Array, boolean])[] = [
  ['the subject', 9, name('C=CH, O=strongSwan, CN=moon.example.org'), true],
  ['the subject in other letters and spaces', 9, name('C=ch, O=STRONGSWAN , CN=Moon.Example.org'), true],
  ['a part of the subject', 9, name('C=CH, O=strongSwan'), false],
  ['the subject in another order', 9, name('O=strongSwan, C=CH, CN=moon.example.org'), false],
  ['a wildcard, which is for configurations', 9, name('C=CH, O=strongSwan, CN=*'), false],
  ['a directory name among the alternative names', 9, name('CN=alias'), false],
  ['octets that are no name', 9, Uint8Array.of(1, 2, 3), false],
  ['a DNS name', 2, text('moon.strongswan.org'), true],
  ['a DNS name in capitals', 2, text('MOON.STRONGSWAN.ORG'), true],
  ['the common name as a DNS name', 2, text('moon.example.org'), false],
  ['a DNS name below a wildcard of the certificate', 2, text('a.wild.org'), false],
  ['a DNS name with a NUL', 2, text('moon.strongswan.org\0'), false],
  ['the beginning of a DNS name', 2, text('moon.strongswan'), false],
  ['an empty DNS name', 2, new Uint8Array(), false],
  ['a mail address as a DNS name', 2, text('Carol@strongSwan.org'), false],
  ['a mail address', 3, text('Carol@strongSwan.org'), true],
  ['a mail address, host in other letters', 3, text('Carol@STRONGSWAN.ORG'), true],
  ['a mail address, mailbox in other letters', 3, text('carol@strongSwan.org'), false],
  ['a DNS name as a mail address', 3, text('moon.strongswan.org'), false],
  ['an IPv4 address', 1, Uint8Array.of(10, 1, 0, 1), true],
  ['another IPv4 address', 1, Uint8Array.of(10, 1, 0, 2), false],
  ['an IPv4 address as a DNS name', 2, text('10.1.0.1'), false],
  ['an IPv6 address', 5, Uint8Array.from(V6), true],
  ['an IPv6 address under the type of IPv4', 1, Uint8Array.from(V6), false],
  ['an IPv4 address under the type of IPv6', 5, Uint8Array.of(10, 1, 0, 1), false],
  ['a key identifier', 11, text('moon.strongswan.org'), false],
  ['an unknown type', 201, text('moon.strongswan.org'), false],
];

for (const [what, idType, data, matches] of TABLE) {
  test(`${what} ${matches ? 'matches' : 'does not match'}`, () => {
    assert.equal(certificateMatchesIdentity(moon, { idType, data }), matches);
  });
}

test('an empty subject is nobody', () => {
  const nobody = parseCertificate(certificate({ subject: '' }).der);
  assert.equal(certificateMatchesIdentity(nobody, { idType: 9, data: name('') }), false);
});
