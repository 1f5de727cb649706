// Given our certificates and what a peer asks for: which one we show, with which chain.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCertificate, privateKeyFromPkcs8 } from '#crypto';
import { IdType } from '#wire';
import type { Credentials, LocalAuthentication } from '../configuration.ts';
import { chooseCertificate, makeCertificateRequest, requestedAuthorities } from './certificate-request.ts';
import { identityFromText } from './identity-text.ts';
import { intermediate, moon, moonKey, moonOfOtherRoot, otherRoot, root } from './testing/certificates.ts';

const credentials: Credentials = {
  sharedSecrets: [],
  privateKeys: [privateKeyFromPkcs8(moonKey)],
  certificates: [intermediate],
  authorities: [root, otherRoot],
  revocationLists: [],
};
const local: LocalAuthentication = { method: 'pubkey', certificates: [moon, moonOfOtherRoot] };
const requestFor = (...authorities: Uint8Array[]): ReturnType<typeof makeCertificateRequest>[] => [
  makeCertificateRequest(authorities),
];
const requests = (...authorities: Uint8Array[]): NonNullable<ReturnType<typeof makeCertificateRequest>>[] =>
  requestFor(...authorities).filter((request) => request !== undefined);

describe('a certificate request', () => {
  // RFC 7296 3.7
  it('names authorities by the SHA-1 of their keys', () => {
    assert.deepEqual(
      requestedAuthorities(requests(root, otherRoot)).map(({ length }) => length),
      [20, 20],
    );
    assert.equal(makeCertificateRequest([]), undefined);
  });

  it('of another encoding or odd length asks for nothing we know', () => {
    const [valid] = requests(root);
    assert.ok(valid);
    assert.deepEqual(requestedAuthorities([{ ...valid, encoding: 12 }]), []);
    assert.deepEqual(requestedAuthorities([{ ...valid, authorities: new Uint8Array(21) }]), []);
  });
});

describe('our certificate', () => {
  const shown = (chosen: ReturnType<typeof chooseCertificate>): Uint8Array[] | undefined =>
    chosen?.certificates.map(({ data }) => data);

  it('is the first one if the peer has no wish, with its chain but without the trust anchor', () => {
    assert.deepEqual(shown(chooseCertificate(local, credentials, [])), [moon, intermediate]);
  });

  // RFC 7296 3.6, 3.7
  it('is the one that leads to a requested authority, root or intermediate', () => {
    assert.deepEqual(shown(chooseCertificate(local, credentials, requests(otherRoot))), [moonOfOtherRoot]);
    assert.deepEqual(shown(chooseCertificate(local, credentials, requests(root))), [moon, intermediate]);
    assert.deepEqual(shown(chooseCertificate(local, credentials, requests(intermediate))), [
      moon,
      intermediate,
    ]);
  });

  it('confirms the identity: the configured one, or else its subject', () => {
    const byName = { ...local, identity: identityFromText('moon.example.org') };
    assert.deepEqual(chooseCertificate(byName, credentials, [])?.identity, byName.identity);
    assert.deepEqual(chooseCertificate(local, credentials, [])?.identity, {
      idType: IdType.DER_ASN1_DN,
      data: parseCertificate(moon).subject.der,
    });
    const wrong = { ...local, identity: identityFromText('sun.example.org') };
    assert.equal(chooseCertificate(wrong, credentials, []), undefined);
  });

  it('is none without its private key', () => {
    assert.equal(chooseCertificate(local, { ...credentials, privateKeys: [] }, []), undefined);
  });

  it('is found among all we know if none is configured', () => {
    const known = { ...credentials, certificates: [intermediate, moon] };
    assert.deepEqual(shown(chooseCertificate({ ...local, certificates: [] }, known, [])), [
      moon,
      intermediate,
    ]);
  });
});
