// Keys, schemes, signing and verifying.
import assert from 'node:assert/strict';
import { createPublicKey, createSecretKey, generateKeyPairSync, sign as signWithNode } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { CryptoError } from '../error.ts';
import type { PublicKey, SignatureScheme } from '../ports.ts';
import { nodeRandomness } from '../randomness/node-randomness.ts';
import { ascii, hex } from '../testing/octets.ts';
import { signingKeys } from '../testing/signing-keys.ts';
import { privateKeyFromKeyObject, privateKeyFromPkcs8 } from './private-key.ts';
import { publicKeyFromSpki } from './public-key.ts';
import { verifySignature } from './sign.ts';
import { schemeProfiles, signatureSchemesFor } from './signature-scheme.ts';

const data = ascii('the octets that AUTH covers');
const allSchemes = Object.keys(schemeProfiles) as SignatureScheme[];
const { sign } = nodeRandomness();
const octetsOf = (buffer: Uint8Array): Uint8Array => Uint8Array.from(buffer);

/** RSA with 1025 bits has no room for SHA-512 twice. */
const fits = (key: PublicKey, scheme: SignatureScheme): boolean =>
  key.bits > 1031 || !(schemeProfiles[scheme].pss && schemeProfiles[scheme].hash === 'sha512');

for (const { name, privateKey } of signingKeys) {
  const handle = privateKeyFromKeyObject(privateKey);
  const schemes = signatureSchemesFor(handle.publicKey).filter((scheme) => fits(handle.publicKey, scheme));

  // RFC 7427 5
  test(`${name}: signatures of each of its schemes verify, and under no other scheme, key or data`, () => {
    const stranger = privateKeyFromKeyObject(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    assert.ok(schemes.length > 0);
    for (const scheme of schemes) {
      const signature = sign(handle, scheme, data);
      assert.equal(Object.getPrototypeOf(signature), Uint8Array.prototype);
      for (const other of allSchemes) {
        assert.equal(verifySignature(handle.publicKey, other, data, signature), other === scheme);
        assert.equal(verifySignature(stranger.publicKey, other, data, signature), false);
      }
      assert.equal(verifySignature(handle.publicKey, scheme, ascii('other octets'), signature), false);
    }
  });

  test(`${name}: a signature that is cut, longer, changed or garbage is refused without an exception`, () => {
    const scheme = schemes[0]!;
    const signature = sign(handle, scheme, data);
    const verify = (octets: Uint8Array): boolean => verifySignature(handle.publicKey, scheme, data, octets);
    assert.equal(verify(new Uint8Array(0)), false);
    assert.equal(verify(signature.subarray(1)), false);
    assert.equal(verify(signature.subarray(0, signature.length - 1)), false);
    assert.equal(verify(new Uint8Array([...signature, 0])), false);
    fc.assert(
      fc.property(fc.nat(signature.length - 1), fc.nat(7), (position, bit) => {
        const changed = signature.slice();
        changed[position]! ^= 1 << bit;
        assert.equal(verify(changed), false);
      }),
      { numRuns: 15 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => assert.equal(verify(octets), false)),
      { numRuns: 15 },
    );
  });

  test(`${name}: a scheme of another kind of key is unsupported`, () => {
    for (const scheme of allSchemes) {
      if (schemeProfiles[scheme].kind === handle.publicKey.kind) continue;
      assert.throws(
        () => sign(handle, scheme, data),
        (error) => error instanceof CryptoError && error.code === 'unsupported',
      );
    }
  });

  test(`${name}: handle and public key are the same by PKCS #8 and SPKI, and nothing shows the private key`, () => {
    const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
    const again = privateKeyFromPkcs8(pkcs8);
    assert.deepEqual(again.publicKey, handle.publicKey);
    const spki = octetsOf(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
    assert.deepEqual(publicKeyFromSpki(spki), handle.publicKey);
    assert.deepEqual(handle.publicKey.spki, spki);
    assert.ok(verifySignature(publicKeyFromSpki(spki), schemes[0]!, data, sign(again, schemes[0]!, data)));
    // A description that another module made of the same key serves as well.
    assert.ok(verifySignature({ ...handle.publicKey }, schemes[0]!, data, sign(handle, schemes[0]!, data)));
    assert.deepEqual(Object.keys(handle), ['publicKey']);
    assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(handle))), ['publicKey']);
    const shown = inspect(handle, { depth: null, showHidden: true });
    assert.doesNotMatch(shown, /KeyObject/);
    assert.doesNotThrow(() => structuredClone(handle.publicKey));
  });
}

test('keys are described by kind and size', () => {
  const described = Object.fromEntries(
    signingKeys.map(({ name, privateKey }) => {
      const { kind, bits } = privateKeyFromKeyObject(privateKey).publicKey;
      return [name, `${kind} ${bits}`];
    }),
  );
  assert.deepEqual(described, {
    'RSA 2048': 'rsa 2048',
    'RSA 1025': 'rsa 1025',
    'RSA 1031': 'rsa 1031',
    'P-256': 'ecdsa 256',
    'P-384': 'ecdsa 384',
    'P-521': 'ecdsa 521',
    brainpoolP256r1: 'ecdsa 256',
    brainpoolP384r1: 'ecdsa 384',
    brainpoolP512r1: 'ecdsa 512',
    Ed25519: 'ed25519 256',
    Ed448: 'ed448 456',
  });
});

test('the hash that matches the curve comes first, and SHA-1 last', () => {
  const first = (bits: number): SignatureScheme | undefined =>
    signatureSchemesFor({ kind: 'ecdsa', bits, spki: new Uint8Array(0) })[0];
  assert.equal(first(256), 'ecdsa-sha256');
  assert.equal(first(384), 'ecdsa-sha384');
  assert.equal(first(512), 'ecdsa-sha512');
  assert.equal(first(521), 'ecdsa-sha512');
  for (const kind of ['rsa', 'ecdsa'] as const) {
    const schemes = signatureSchemesFor({ kind, bits: 2048, spki: new Uint8Array(0) });
    assert.match(schemes.at(-1) ?? '', /sha1$/);
    assert.equal(
      new Set(schemes).size,
      allSchemes.filter((scheme) => schemeProfiles[scheme].kind === kind).length,
    );
  }
});

test('RFC 8032 7.1, test 3, and 7.4, "1 octet": Ed25519 and Ed448 verify known signatures and make the same', () => {
  const vectors = [
    {
      scheme: 'ed25519',
      prefix: '302e020100300506032b657004220420',
      secret: 'c5aa8df43f9f837bedb7442f31dcb7b1 66d38535076f094b85ce3a2e0b4458f7',
      message: hex('af82'),
      signature:
        '6291d657deec24024827e69c3abe01a3 0ce548a284743a445e3680d7db5ac3ac ' +
        '18ff9b538d16f290ae67f760984dc659 4a7c15e9716ed28dc027beceea1ec40a',
    },
    {
      scheme: 'ed448',
      prefix: '3047020100300506032b6571043b0439',
      secret:
        'c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d 4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e',
      message: hex('03'),
      signature:
        '26b8f91727bd62897af15e41eb43c377efb9c610d48f2335 cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633 ' +
        'fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36 bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0f ' +
        'f3348ab21aa4adafd1d234441cf807c03a00',
    },
  ] as const;
  for (const { scheme, prefix, secret, message, signature } of vectors) {
    const handle = privateKeyFromPkcs8(hex(prefix + secret));
    assert.deepEqual(sign(handle, scheme, message), hex(signature));
    assert.equal(verifySignature(handle.publicKey, scheme, message, hex(signature)), true);
  }
});

test('PSS with a salt of another length than the hash is refused, as the AlgorithmIdentifier names the length', () => {
  const { privateKey } = signingKeys[0]!;
  const { publicKey } = privateKeyFromKeyObject(privateKey);
  const padding = 6; // RSA_PKCS1_PSS_PADDING
  const withSalt = (saltLength: number): Uint8Array =>
    signWithNode('sha256', data, { key: privateKey, padding, saltLength });
  assert.equal(verifySignature(publicKey, 'rsa-pss-sha256', data, withSalt(32)), true);
  assert.equal(verifySignature(publicKey, 'rsa-pss-sha256', data, withSalt(20)), false);
});

test('octets that are no key are a bad key; keys that cannot sign for IKE are unsupported', () => {
  const bad = (error: unknown): boolean => error instanceof CryptoError && error.code === 'bad-key';
  const unsupported = (error: unknown): boolean =>
    error instanceof CryptoError && error.code === 'unsupported';
  for (const octets of [new Uint8Array(0), hex('3000'), ascii('-----BEGIN PUBLIC KEY-----')]) {
    assert.throws(() => publicKeyFromSpki(octets), bad);
    assert.throws(() => privateKeyFromPkcs8(octets), bad);
  }
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  assert.throws(() => privateKeyFromKeyObject(privateKey), unsupported);
  assert.throws(() => publicKeyFromSpki(publicKey.export({ format: 'der', type: 'spki' })), unsupported);
  const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  assert.throws(() => privateKeyFromKeyObject(koblitz.privateKey), unsupported);
  assert.throws(() => privateKeyFromKeyObject(koblitz.publicKey), bad);
  assert.throws(() => privateKeyFromKeyObject(createSecretKey(new Uint8Array(16))), bad);
  // A handle that somebody else made has no key in it.
  const impostor = { publicKey: privateKeyFromKeyObject(signingKeys[0]!.privateKey).publicKey };
  assert.throws(() => sign(impostor, 'rsa-pkcs1-sha256', data), bad);
  // And a public key that is none verifies nothing.
  const nonsense = { kind: 'rsa', bits: 2048, spki: hex('3000') } as const;
  assert.equal(verifySignature(nonsense, 'rsa-pkcs1-sha256', data, new Uint8Array(256)), false);
});
