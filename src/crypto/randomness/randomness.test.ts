// The two sources of randomness: one that nobody can repeat, and one that anybody can.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { Ke } from '#sa';
import { CryptoError } from '../error.ts';
import { encodeBase64url } from '../key-exchange/base64url.ts';
import { keyExchangeMethod } from '../key-exchange/key-exchange-method.ts';
import type { PrivateKey, Randomness, SignatureScheme } from '../ports.ts';
import { ecdsaMethodFor, ecdsaSignatureFromDer } from '../signatures/ecdsa-encoding.ts';
import { privateKeyFromKeyObject } from '../signatures/private-key.ts';
import { verifySignature } from '../signatures/sign.ts';
import { signatureSchemesFor } from '../signatures/signature-scheme.ts';
import { ascii, digits, hex } from '../testing/octets.ts';
import { signingKeys } from '../testing/signing-keys.ts';
import { nodeRandomness } from './node-randomness.ts';
import { seededRandomness } from './seeded-randomness.ts';

const groups = Object.values(Ke).filter((group) => group !== Ke.NONE);
const seed = ascii('one seed');

test('the same seed gives the same octets; another seed, or going on, gives others', () => {
  const first = seededRandomness(seed);
  const second = seededRandomness(seed);
  const octets = first.bytes(32);
  assert.deepEqual(second.bytes(32), octets);
  assert.notDeepEqual(first.bytes(32), octets);
  assert.notDeepEqual(seededRandomness(ascii('another seed')).bytes(32), octets);
  // Computed by an HMAC_DRBG in Python: a recorded seed must mean the same in years to come.
  assert.equal(digits(octets), 'ec248680a498576544bae24f3b444140b5860f705f31d1354954103790cddb26');
});

test('the same seed gives the same key pairs in every group, and they agree with unseeded ones', () => {
  for (const group of groups) {
    const pair = seededRandomness(seed).keyPair(group);
    assert.deepEqual(seededRandomness(seed).keyPair(group).publicValue, pair.publicValue);
    const peer = nodeRandomness().keyPair(group);
    assert.deepEqual(pair.agree(peer.publicValue), peer.agree(pair.publicValue));
  }
});

test('one after the other, seeded key pairs of a group are different', () => {
  const randomness = seededRandomness(seed);
  for (const group of [Ke.MODP_2048, Ke.ECP_256, Ke.CURVE25519]) {
    assert.notDeepEqual(randomness.keyPair(group).publicValue, randomness.keyPair(group).publicValue);
  }
});

test('the operating system gives other octets each time', () => {
  const randomness = nodeRandomness();
  assert.notDeepEqual(randomness.bytes(32), randomness.bytes(32));
  assert.equal(randomness.bytes(0).length, 0);
  assert.equal(Object.getPrototypeOf(randomness.bytes(8)), Uint8Array.prototype);
});

const data = ascii('the octets that AUTH covers');

for (const { name, privateKey } of signingKeys) {
  const key = privateKeyFromKeyObject(privateKey);
  test(`${name}: seeded signatures can be repeated, and everybody accepts them`, () => {
    for (const scheme of signatureSchemesFor(key.publicKey)) {
      const attempt = (randomness: Randomness): Uint8Array | undefined => {
        try {
          return randomness.sign(key, scheme, data);
        } catch (error) {
          // An RSA key with too few bits for the hash: refused by both alike.
          assert.ok(error instanceof CryptoError && error.code === 'unsupported');
          return undefined;
        }
      };
      const signature = attempt(seededRandomness(seed));
      assert.deepEqual(attempt(seededRandomness(seed)), signature);
      assert.equal(signature === undefined, attempt(nodeRandomness()) === undefined);
      if (signature !== undefined) assert.ok(verifySignature(key.publicKey, scheme, data, signature));
    }
  });
}

test('PSS signatures of two seeds have two salts', () => {
  const key = privateKeyFromKeyObject(signingKeys[0]!.privateKey);
  const signature = (seedText: string): Uint8Array =>
    seededRandomness(ascii(seedText)).sign(key, 'rsa-pss-sha256', data);
  assert.notDeepEqual(signature('one'), signature('two'));
});

/** Imports a key by its private value; the public half goes along because a JSON Web Key must have one. */
function ecdsaKey(crv: string, group: number, privateValue: Uint8Array): PrivateKey {
  const { publicValue } = keyExchangeMethod(group).derive(() => privateValue.slice());
  const half = publicValue.length / 2;
  const key = {
    kty: 'EC',
    crv,
    d: encodeBase64url(privateValue),
    x: encodeBase64url(publicValue.subarray(0, half)),
    y: encodeBase64url(publicValue.subarray(half)),
  };
  return privateKeyFromKeyObject(createPrivateKey({ key, format: 'jwk' }));
}

const p256 = ecdsaKey(
  'P-256',
  Ke.ECP_256,
  hex('C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721'),
);
const p384 = ecdsaKey(
  'P-384',
  Ke.ECP_384,
  hex(
    '6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA' + '9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5',
  ),
);
const p521 = ecdsaKey(
  'P-521',
  Ke.ECP_521,
  hex(
    '00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75C' +
      'AA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538',
  ),
);

/** RFC 6979 A.2.5 to A.2.7, message "sample": r | s. */
const deterministicEcdsa: readonly { key: PrivateKey; scheme: SignatureScheme; signature: string }[] = [
  {
    key: p256,
    scheme: 'ecdsa-sha1',
    signature:
      '61340C88C3AAEBEB4F6D667F672CA9759A6CCAA9FA8811313039EE4A35471D32' +
      '6D7F147DAC089441BB2E2FE8F7A3FA264B9C475098FDCF6E00D7C996E1B8B7EB',
  },
  {
    key: p256,
    scheme: 'ecdsa-sha256',
    signature:
      'EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716' +
      'F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8',
  },
  {
    key: p256,
    scheme: 'ecdsa-sha512',
    signature:
      '8496A60B5E9B47C825488827E0495B0E3FA109EC4568FD3F8D1097678EB97F00' +
      '2362AB1ADBE2B8ADF9CB9EDAB740EA6049C028114F2460F96554F61FAE3302FE',
  },
  {
    key: p384,
    scheme: 'ecdsa-sha384',
    signature:
      '94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46' +
      '99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8',
  },
  {
    key: p521,
    scheme: 'ecdsa-sha512',
    signature:
      '00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B53' +
      '4931D7D4E8455CC91F9B15BF05EC36E377FA' +
      '00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C0723D8B8C37FF077' +
      '7B1A20F8CCB1DCCC43997F1EE0E44DA4A67A',
  },
];

for (const { key, scheme, signature } of deterministicEcdsa) {
  test(`seeded ${scheme} with ${key.publicKey.bits} bits is that of RFC 6979, whatever the seed`, () => {
    const bytes = ecdsaMethodFor(key.publicKey)?.signatureBytes ?? 0;
    for (const seedText of ['one', 'two']) {
      const der = seededRandomness(ascii(seedText)).sign(key, scheme, ascii('sample'));
      assert.equal(digits(ecdsaSignatureFromDer(der, bytes)), signature.toLowerCase());
    }
  });
}
