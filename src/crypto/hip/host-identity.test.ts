// Which octets are Host Identities, and which keys have one.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { HiAlgorithm, HipRecordAlgorithm } from '#wire';
import { CryptoError, type CryptoErrorCode } from '../error.ts';
import { privateKeyFromKeyObject, privateKeyFromPkcs8 } from '../signatures/private-key.ts';
import { publicKeyFromSpki } from '../signatures/public-key.ts';
import { digits, hex } from '../testing/octets.ts';
import { signingKeys } from '../testing/signing-keys.ts';
import {
  decodeHostIdentity,
  hipRecordOf,
  hitOfHostIdentity,
  hitSuiteOfAlgorithm,
  hostIdentityOf,
  hostIdentityOfRecord,
  rhashOf,
} from './index.ts';
import { baseExchangeVectors } from './testing/base-exchange-vectors.ts';

function refused(run: () => unknown, code: CryptoErrorCode): void {
  assert.throws(run, (error) => error instanceof CryptoError && error.code === code);
}

/** RFC 8005 7, in base64. */
const exampleKey = Uint8Array.from(
  atob(
    'AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p9+LrV4e19WzK00+CI6zBCQTdtWsuxKbWIy87UOoJTwkUs7lBu+Upr1gsNrut79ry' +
      'ra+bSRGQb1slImA8YVJyuIDsj7kwzG7jnERNqnWxZ48AWkskmdHaVDP4BcelrTI3rMXdXF5D',
  ),
  (character) => character.charCodeAt(0),
);

// RFC 8005 5.5, 7
test("the RSA key of RFC 8005's example record is read, and written as it stood", () => {
  const identity = hostIdentityOfRecord(HipRecordAlgorithm.RSA, exampleKey);
  assert.equal(identity.publicKey.bits, 1024);
  assert.deepEqual(hostIdentityOf(publicKeyFromSpki(identity.publicKey.spki)).octets, exampleKey);
  const middle = createHash('sha256')
    .update(hex('f0eff02fbff43d0fe7930c3c6e6174ea'))
    .update(exampleKey)
    .digest('hex')
    .slice(20, 44);
  assert.equal(identity.hit, `20010021${middle}`);
  const { hit } = identity;
  const record = { hit, algorithm: HipRecordAlgorithm.RSA, publicKey: exampleKey, rendezvousServers: [] };
  assert.deepEqual(hipRecordOf(identity), record);
});

const [first, second] = baseExchangeVectors;
const p256 = hex(first!.initiatorHostIdentity);
const rsa = hex(first!.responderHostIdentity);
const p384 = hex(second!.responderHostIdentity);

// RFC 8005 5.5
test('an ECDSA key of a record has no curve in front, and the same HIT all the same', () => {
  assert.equal(hostIdentityOfRecord(HipRecordAlgorithm.ECDSA, p256.subarray(2)).hit, first!.initiatorHit);
  assert.equal(hostIdentityOfRecord(HipRecordAlgorithm.ECDSA, p384.subarray(2)).hit, second!.responderHit);
  for (const octets of [p256, p384]) {
    const { algorithm, publicKey, hit } = hipRecordOf(decodeHostIdentity(HiAlgorithm.ECDSA, octets));
    assert.equal(algorithm, HipRecordAlgorithm.ECDSA);
    assert.deepEqual(publicKey, octets.subarray(2));
    assert.equal(hostIdentityOfRecord(algorithm, publicKey).hit, hit);
  }
  refused(() => hostIdentityOfRecord(HipRecordAlgorithm.ECDSA, p384), 'unsupported');
  refused(() => hostIdentityOfRecord(HipRecordAlgorithm.DSA, p384), 'unsupported');
});

// RFC 7401 5.2.10
test('a HIT is made of any Host Identity with an algorithm of a HIT Suite, known key or not', () => {
  assert.match(hitOfHostIdentity(HiAlgorithm.DSA, new Uint8Array(3)), /^20010021/);
  assert.match(hitOfHostIdentity(HiAlgorithm.ECDSA_LOW, new Uint8Array(3)), /^20010023/);
  refused(() => hitOfHostIdentity(13, new Uint8Array(3)), 'unsupported');
  refused(() => hitSuiteOfAlgorithm(0), 'unsupported');
  refused(() => rhashOf('2001002f000000000000000000000000' as Parameters<typeof rhashOf>[0]), 'unsupported');
  refused(() => rhashOf('20010db8000000000000000000000000' as Parameters<typeof rhashOf>[0]), 'unsupported');
});

// RFC 7401 5.2.9
test('RSA keys with leading zeros, without a modulus or with a needlessly long length are refused', () => {
  const { algorithm } = decodeHostIdentity(HiAlgorithm.RSA, rsa);
  assert.equal(algorithm, HiAlgorithm.RSA);
  const modulus = rsa.subarray(4);
  const join = (...parts: (string | Uint8Array)[]): Uint8Array =>
    hex(parts.map((part) => (typeof part === 'string' ? part : digits(part))).join(''));
  for (const octets of [
    join('03010001', '00', modulus),
    join('0400010001', modulus),
    join('000003010001', modulus),
    join('03010001'),
    join('00', modulus),
    join('ff010001'),
    join('00ffff', modulus),
    new Uint8Array(0),
    new Uint8Array(1),
  ]) {
    refused(() => decodeHostIdentity(HiAlgorithm.RSA, octets), 'bad-key');
  }
});

// RFC 7401 5.2.9
test('points that are not on their curve, of a wrong length or on an unknown curve are refused', () => {
  const off = p256.slice();
  off[off.length - 1] = off[off.length - 1]! ^ 1;
  refused(() => decodeHostIdentity(HiAlgorithm.ECDSA, off), 'bad-key');
  refused(() => decodeHostIdentity(HiAlgorithm.ECDSA, p256.subarray(0, 65)), 'bad-key');
  refused(() => decodeHostIdentity(HiAlgorithm.ECDSA, hex('00030102')), 'unsupported');
  refused(() => decodeHostIdentity(HiAlgorithm.ECDSA_LOW, p384), 'unsupported');
  refused(() => decodeHostIdentity(HiAlgorithm.DSA, p256), 'unsupported');
  refused(() => decodeHostIdentity(HiAlgorithm.ECDSA, new Uint8Array(0)), 'unsupported');
});

test('whatever octets arrive, they are a Host Identity or refused by CryptoError', () => {
  fc.assert(
    fc.property(fc.nat(15), fc.uint8Array({ maxLength: 300 }), fc.nat(3), (algorithm, octets, curve) => {
      for (const candidate of [octets, Uint8Array.of(0, curve, ...octets)]) {
        try {
          decodeHostIdentity(algorithm, candidate);
        } catch (error) {
          assert.ok(error instanceof CryptoError, `${error}`);
        }
      }
    }),
  );
});

test('keys of RSA, P-256 and P-384 are Host Identities; those of other curves and EdDSA are none', () => {
  for (const { name, privateKey } of signingKeys) {
    const { publicKey } = privateKeyFromKeyObject(privateKey);
    if (!/^RSA|^P-256|^P-384/.test(name)) {
      refused(() => hostIdentityOf(publicKey), 'unsupported');
      continue;
    }
    const identity = hostIdentityOf(publicKey);
    assert.equal(decodeHostIdentity(identity.algorithm, identity.octets).hit, identity.hit);
  }
});

// RFC 3110 2, RFC 7401 B
test('an exponent of more than 255 octets has a length of three', () => {
  const octets = hex(`000100${'01'.repeat(256)}${'ff'.repeat(257)}`);
  assert.deepEqual(decodeHostIdentity(HiAlgorithm.RSA, octets).octets, octets);
  assert.deepEqual(hostIdentityOf(decodeHostIdentity(HiAlgorithm.RSA, octets).publicKey).octets, octets);
});

test('a key on SECP160R1 is accepted as a host key of HIP and for nothing else', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp160r1' });
  const pkcs8 = new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }));
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  refused(() => privateKeyFromPkcs8(pkcs8), 'unsupported');
  refused(() => privateKeyFromKeyObject(privateKey), 'unsupported');
  refused(() => publicKeyFromSpki(spki), 'unsupported');
  assert.equal(privateKeyFromPkcs8(pkcs8, 'hip').publicKey.bits, 160);
});
