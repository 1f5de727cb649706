// The two encodings of ECDSA signatures.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CryptoError } from '../error.ts';
import { ascii, digits, hex } from '../testing/octets.ts';
import { ecdsaMethodFor, ecdsaSignatureFromDer, ecdsaSignatureToDer } from './ecdsa-encoding.ts';
import { privateKeyFromKeyObject } from './private-key.ts';

const toDer = (digitsOfSignature: string): string | undefined => {
  const der = ecdsaSignatureToDer(hex(digitsOfSignature));
  return der && digits(der);
};

test('r and s become positive INTEGERs without needless zeros (X.690 8.3)', () => {
  assert.equal(toDer('01 02'), '3006020101020102');
  assert.equal(toDer('80 7f'), '300702020080 02017f'.replace(' ', ''));
  assert.equal(toDer('0001 0000'), '3006020101020100');
  assert.equal(toDer('00ff 0100'), '3008020200ff02020100');
});

test('the length of SEQUENCE needs its long form from 128 octets on, which only curves of 512 bits reach', () => {
  const der = ecdsaSignatureToDer(new Uint8Array(128).fill(0xff));
  assert.equal(digits(der!.subarray(0, 5)), '3081860241');
  assert.deepEqual(ecdsaSignatureFromDer(der!, 128), new Uint8Array(128).fill(0xff));
});

test('there and back again, for all lengths', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 66 }),
      fc.integer({ min: 0, max: 8 }),
      fc.infiniteStream(fc.nat(255)),
      (half, zeros, stream) => {
        const signature = new Uint8Array(2 * half);
        for (let i = 0; i < signature.length; i++) signature[i] = stream.next().value;
        signature.fill(0, 0, Math.min(zeros, half));
        const der = ecdsaSignatureToDer(signature);
        assert.ok(der);
        assert.deepEqual(ecdsaSignatureFromDer(der, signature.length), signature);
      },
    ),
  );
});

test('odd, empty and impossible lengths are no signature', () => {
  for (const length of [0, 1, 63, 65, 134, 1000]) {
    assert.equal(ecdsaSignatureToDer(new Uint8Array(length)), undefined);
  }
});

test('DER that is cut, has something behind it, or belongs to a longer curve is refused', () => {
  const der = ecdsaSignatureToDer(new Uint8Array(64).fill(0x81))!;
  const broken = [
    new Uint8Array(0),
    hex('30'),
    hex('3000'),
    hex('30060201010201'),
    hex('300302010102'),
    hex('3006020101040101'),
    hex('3005020102 0200'),
    der.subarray(0, der.length - 1),
    new Uint8Array([...der, 0]),
  ];
  for (const octets of broken) {
    assert.throws(() => ecdsaSignatureFromDer(octets, 64), CryptoError);
  }
  assert.throws(() => ecdsaSignatureFromDer(der, 62), CryptoError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 150 }), (octets) => {
      try {
        assert.equal(ecdsaSignatureFromDer(octets, 64).length, 64);
      } catch (error) {
        assert.ok(error instanceof CryptoError);
      }
    }),
  );
});

test("both directions agree with OpenSSL's own conversion", () => {
  const data = ascii('Wayward packets');
  for (const [namedCurve, signatureBytes] of [
    ['P-256', 64],
    ['P-384', 96],
    ['P-521', 132],
    ['brainpoolP512r1', 128],
  ] as const) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    for (let i = 0; i < 20; i++) {
      const der = sign('sha256', data, { key: privateKey, dsaEncoding: 'der' });
      const fixed = ecdsaSignatureFromDer(der, signatureBytes);
      assert.ok(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, fixed));
      assert.deepEqual(ecdsaSignatureToDer(fixed), Uint8Array.from(der));
    }
  }
});

test('RFC 4754: each of three curves has its own method, and other keys have none', () => {
  const methodOf = (namedCurve: string): ReturnType<typeof ecdsaMethodFor> =>
    ecdsaMethodFor(privateKeyFromKeyObject(generateKeyPairSync('ec', { namedCurve }).privateKey).publicKey);
  assert.deepEqual(methodOf('P-256'), { method: 9, scheme: 'ecdsa-sha256', signatureBytes: 64 });
  assert.deepEqual(methodOf('P-384'), { method: 10, scheme: 'ecdsa-sha384', signatureBytes: 96 });
  assert.deepEqual(methodOf('P-521'), { method: 11, scheme: 'ecdsa-sha512', signatureBytes: 132 });
  assert.equal(methodOf('brainpoolP256r1'), undefined);
  const ed25519 = privateKeyFromKeyObject(generateKeyPairSync('ed25519').privateKey);
  assert.equal(ecdsaMethodFor(ed25519.publicKey), undefined);
});
