// Given a key and what the peer announced: the AUTH payload, and whether the other side believes it.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { nodeRandomness, type PrivateKey, privateKeyFromPkcs8, pseudorandomFunction } from '#crypto';
import { Prf, SignatureHash } from '#sa';
import { AuthMethod, type AuthPayload } from '#wire';
import { type AuthEvidence, checkAuth, makeSharedKeyAuth, makeSignatureAuth } from './auth-payload.ts';
import { identityFromText } from './identity-text.ts';
import {
  chooseSignatureScheme,
  decodeSignatureHashes,
  encodeSignatureHashes,
  ourSignatureHashes,
} from './signature-hashes.ts';
import { signedOctets } from './signed-octets.ts';

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const prf = pseudorandomFunction(Prf.HMAC_SHA2_256);
const randomness = nodeRandomness();

const octets = signedOctets({
  message: Uint8Array.from({ length: 64 }, (_, i) => i),
  nonce: new Uint8Array(32).fill(0xa5),
  prf,
  skP: Uint8Array.from({ length: 32 }, (_, i) => i),
  identity: identityFromText('moon.example.org'),
});

const der = { format: 'der', type: 'pkcs8' } as const;
function ecKey(namedCurve: string): PrivateKey {
  return privateKeyFromPkcs8(generateKeyPairSync('ec', { namedCurve }).privateKey.export(der));
}
const rsa = privateKeyFromPkcs8(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(der));
const p256 = ecKey('P-256');
const p384 = ecKey('P-384');
const p521 = ecKey('P-521');
const ed25519 = privateKeyFromPkcs8(generateKeyPairSync('ed25519').privateKey.export(der));

describe('AUTH with a shared key', () => {
  // RFC 7296 2.15
  it('agrees with values computed apart', () => {
    // Python's hmac and hashlib over the same inputs: message | nonce | prf(SK_p, 02000000 | "moon.example.org").
    assert.equal(
      hex(octets.subarray(96)),
      'a48bac039b046533941e5c429a10477bcc0d6379efb286b329c383fbdd570c36',
    );
    assert.equal(
      hex(makeSharedKeyAuth(prf, text('correct horse'), octets).data),
      'ac2f4e50037e4f80f3673989af9e2590bc1ab002cfd8c02e53ae3965d57dc2f3',
    );
  });

  it('is believed with the same secret only', () => {
    const payload = makeSharedKeyAuth(prf, text('correct horse'), octets);
    const check = (secret: string, signed = octets): boolean =>
      checkAuth(payload, { octets: signed, sharedKey: { prf, secret: text(secret) }, announcedHashes: [] })
        .ok;
    assert.equal(check('correct horse'), true);
    assert.equal(check('correct house'), false);
    assert.equal(check('correct horse', octets.slice(1)), false);
    assert.equal(checkAuth(payload, { octets, publicKey: rsa.publicKey, announcedHashes: [] }).ok, false);
    const short = { ...payload, data: payload.data.subarray(1) };
    const evidence = { octets, sharedKey: { prf, secret: text('correct horse') }, announcedHashes: [] };
    assert.equal(checkAuth(short, evidence).ok, false);
  });
});

describe('AUTH with a signature', () => {
  const { SHA2_256, SHA2_512, IDENTITY } = SignatureHash;
  const cases: [string, PrivateKey, number[] | undefined, number, string][] = [
    ['RSA, nothing announced', rsa, undefined, AuthMethod.RSA_SIGNATURE, 'rsa-pkcs1-sha1'],
    ['RSA, SHA-256 announced', rsa, [SHA2_256], AuthMethod.DIGITAL_SIGNATURE, 'rsa-pss-sha256'],
    ['RSA, only SHA-1 announced', rsa, [1], AuthMethod.RSA_SIGNATURE, 'rsa-pkcs1-sha1'],
    ['P-256, nothing announced', p256, undefined, AuthMethod.ECDSA_P256, 'ecdsa-sha256'],
    ['P-384, nothing announced', p384, undefined, AuthMethod.ECDSA_P384, 'ecdsa-sha384'],
    ['P-521, nothing announced', p521, undefined, AuthMethod.ECDSA_P521, 'ecdsa-sha512'],
    ['P-384, all announced', p384, [...ourSignatureHashes], AuthMethod.DIGITAL_SIGNATURE, 'ecdsa-sha384'],
    ['P-256, only SHA-512 announced', p256, [SHA2_512], AuthMethod.DIGITAL_SIGNATURE, 'ecdsa-sha512'],
    ['Ed25519, Identity announced', ed25519, [IDENTITY], AuthMethod.DIGITAL_SIGNATURE, 'ed25519'],
  ];
  for (const [name, key, announced, method, scheme] of cases) {
    it(`${name}: method ${method} with ${scheme}`, () => {
      assert.deepEqual(chooseSignatureScheme(key.publicKey, announced), { method, scheme });
      const payload = makeSignatureAuth(randomness, key, announced, octets);
      assert.ok(payload);
      const evidence: AuthEvidence = {
        octets,
        publicKey: key.publicKey,
        announcedHashes: announced ?? [],
      };
      assert.deepEqual(checkAuth(payload, evidence), { ok: true, method: 'pubkey' });
      const corrupt = payload.data.slice();
      corrupt[corrupt.length - 1]! ^= 1;
      assert.equal(checkAuth({ ...payload, data: corrupt }, evidence).ok, false);
      assert.equal(checkAuth(payload, { ...evidence, octets: octets.slice(1) }).ok, false);
    });
  }

  // RFC 7427 4
  it('cannot be made with Ed25519 for a peer that did not announce it', () => {
    assert.equal(makeSignatureAuth(randomness, ed25519, undefined, octets), undefined);
    assert.equal(makeSignatureAuth(randomness, ed25519, [SHA2_256], octets), undefined);
  });

  // RFC 7427 4
  it('is refused with a hash we did not announce', () => {
    const payload = makeSignatureAuth(randomness, p256, [SHA2_256], octets);
    assert.ok(payload);
    const evidence = { octets, publicKey: p256.publicKey, announcedHashes: [SHA2_512] };
    assert.equal(checkAuth(payload, evidence).ok, false);
  });

  // RFC 7296 3.8, RFC 7427 3
  it('is refused, not thrown about, whatever else the payload holds', () => {
    const evidence = { octets, publicKey: p256.publicKey, announcedHashes: ourSignatureHashes };
    const data = [
      new Uint8Array(),
      Uint8Array.of(0),
      Uint8Array.of(200, 1),
      new Uint8Array(64),
      new Uint8Array(99),
    ];
    for (const method of [0, 1, 2, 3, 9, 10, 11, 12, 13, 14, 255]) {
      for (const octetsOfAuth of data) {
        const payload: AuthPayload = { type: 'AUTH', method, data: octetsOfAuth };
        assert.equal(checkAuth(payload, evidence).ok, false);
        assert.equal(checkAuth(payload, { octets, announcedHashes: [] }).ok, false);
      }
    }
  });

  it('of method 9 does not pass for a P-384 key, nor a P-256 signature for another key', () => {
    const payload = makeSignatureAuth(randomness, p256, undefined, octets);
    assert.ok(payload);
    for (const other of [p384, ecKey('P-256'), rsa]) {
      assert.equal(checkAuth(payload, { octets, publicKey: other.publicKey, announcedHashes: [] }).ok, false);
    }
  });
});

describe('SIGNATURE_HASH_ALGORITHMS', () => {
  it('is a list of 16-bit numbers, of which unknown ones are left out', () => {
    assert.deepEqual(encodeSignatureHashes([2, 3]), Uint8Array.of(0, 2, 0, 3));
    assert.deepEqual(decodeSignatureHashes(encodeSignatureHashes(ourSignatureHashes)), ourSignatureHashes);
    assert.deepEqual(decodeSignatureHashes(Uint8Array.of(0, 2, 4, 0)), [2]);
    assert.equal(decodeSignatureHashes(Uint8Array.of(0, 2, 0)), undefined);
  });
});
