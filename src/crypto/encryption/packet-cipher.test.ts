// What holds for every packet cipher: round trips, no accepted change, and refusal of wrong lengths and combinations.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Encr, type EncryptionChoice, Integ, isCombinedMode } from '#sa';
import { CryptoError, type CryptoErrorCode } from '../error.ts';
import { integrityKeyBytes } from '../integrity/integrity-algorithm.ts';
import type { CipherFields, PacketCipher } from '../suites.ts';
import { ascending } from '../testing/octets.ts';
import { defaultKeyLengthBits, encryptionKeyBytes } from './cipher-profile.ts';
import { type PacketKeys, packetCipher } from './packet-cipher.ts';

const choices: readonly EncryptionChoice[] = Object.values(Encr).flatMap((id) => {
  const fixed = defaultKeyLengthBits(id);
  const lengths = fixed === undefined ? [128, 192, 256] : [fixed];
  return lengths.map((keyLengthBits) => ({ id, keyLengthBits }));
});
const macs: readonly number[] = Object.values(Integ).filter((id) => id !== Integ.NONE);

/** Every cipher, with every integrity algorithm where it needs one. */
const suites: readonly { name: string; choice: EncryptionChoice; integ?: number }[] = choices.flatMap(
  (choice) =>
    isCombinedMode(choice.id)
      ? [{ name: `cipher ${choice.id}/${choice.keyLengthBits}`, choice }]
      : macs.map((integ) => ({
          name: `cipher ${choice.id}/${choice.keyLengthBits} with integrity algorithm ${integ}`,
          choice,
          integ,
        })),
);

function keysOf(choice: EncryptionChoice, integ?: number): PacketKeys {
  return {
    encryption: { ...choice, key: ascending(1, encryptionKeyBytes(choice)) },
    ...(integ !== undefined && { integrity: { id: integ, key: ascending(0x60, integrityKeyBytes(integ)) } }),
  };
}

/** A packet that fits the cipher, its text cut to whole blocks. */
function packetFor(cipher: PacketCipher): fc.Arbitrary<CipherFields> {
  const octets = (constraints: fc.IntArrayConstraints): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array(constraints);
  return fc.record({
    aad: octets({ maxLength: 40 }),
    iv: octets({ minLength: cipher.ivBytes, maxLength: cipher.ivBytes }),
    text: octets({ maxLength: 200 }).map((text) =>
      text.slice(0, text.length - (text.length % cipher.blockBytes)),
    ),
    icv: fc.constant(0).map(() => new Uint8Array(cipher.icvBytes)),
    ...(!cipher.combined && { authTail: octets({ minLength: 4, maxLength: 4 }) }),
  });
}

const cryptoError =
  (code: CryptoErrorCode) =>
  (error: unknown): boolean =>
    error instanceof CryptoError && error.code === code;

for (const { name, choice, integ } of suites) {
  test(`${name}: what is sealed opens again, and with any bit flipped it does not`, () => {
    const cipher = packetCipher(keysOf(choice, integ));
    const property = fc.property(packetFor(cipher), fc.nat(), fc.nat(7), (fields, position, bit) => {
      const plaintext = fields.text.slice();
      cipher.seal(fields);
      const sealed = fields.text.slice();
      const targets = [fields.aad, fields.iv, fields.text, fields.icv, fields.authTail ?? new Uint8Array(0)];
      let at = position % targets.reduce((sum, target) => sum + target.length, 0);
      for (const target of targets) {
        if (at >= 0 && at < target.length) {
          target[at]! ^= 1 << bit;
          assert.equal(cipher.open(fields), false);
          target[at]! ^= 1 << bit;
        }
        at -= target.length;
      }
      fields.text.set(sealed);
      assert.equal(cipher.open(fields), true);
      assert.deepEqual(fields.text, plaintext);
    });
    fc.assert(property, { numRuns: 25 });
  });

  test(`${name}: a key, IV, ICV or text of a wrong length is refused`, () => {
    const keys = keysOf(choice, integ);
    assert.ok(keys.encryption);
    for (const change of [-1, 1]) {
      const length = keys.encryption.key.length + change;
      if (length < 0) continue;
      const encryption = { ...keys.encryption, key: new Uint8Array(length) };
      assert.throws(() => packetCipher({ ...keys, encryption }), cryptoError('bad-key'));
      if (keys.integrity === undefined) continue;
      const integrity = { ...keys.integrity, key: new Uint8Array(keys.integrity.key.length + change) };
      assert.throws(() => packetCipher({ ...keys, integrity }), cryptoError('bad-key'));
    }
    const cipher = packetCipher(keys);
    const right = {
      aad: ascending(0, 8),
      iv: new Uint8Array(cipher.ivBytes),
      text: new Uint8Array(48),
      icv: new Uint8Array(cipher.icvBytes),
    };
    const wrong: CipherFields[] = [
      { ...right, iv: new Uint8Array(cipher.ivBytes + 1) },
      { ...right, icv: new Uint8Array(cipher.icvBytes + 1) },
      { ...right, icv: right.icv.subarray(1) },
    ];
    if (cipher.combined) wrong.push({ ...right, authTail: new Uint8Array(4) });
    for (const fields of wrong) {
      assert.throws(() => cipher.seal(fields), cryptoError('bad-length'));
      assert.throws(() => cipher.open(fields), cryptoError('bad-length'));
    }
    if (cipher.blockBytes > 1) {
      assert.throws(() => cipher.seal({ ...right, text: new Uint8Array(47) }), cryptoError('bad-length'));
    }
  });
}

test('every cipher that encrypts hides its plaintext, and two IVs give two ciphertexts', () => {
  for (const choice of choices) {
    if (choice.id === Encr.NULL || choice.id === Encr.NULL_AUTH_AES_GMAC) continue;
    const integ = isCombinedMode(choice.id) ? undefined : Integ.HMAC_SHA2_256_128;
    const cipher = packetCipher(keysOf(choice, integ));
    const seal = (first: number): Uint8Array => {
      const text = new Uint8Array(48);
      cipher.seal({
        aad: new Uint8Array(8),
        iv: ascending(first, cipher.ivBytes),
        text,
        icv: new Uint8Array(cipher.icvBytes),
      });
      return text;
    };
    assert.notDeepEqual(seal(0), new Uint8Array(48));
    assert.notDeepEqual(seal(0), seal(1));
  }
});

test('the cipher works on copies: the caller may wipe its keys, and destroying the cipher leaves them alone', () => {
  for (const [id, integ] of [
    [Encr.AES_GCM_16, undefined],
    [Encr.AES_CBC, Integ.HMAC_SHA1_96],
  ] as const) {
    const keys = keysOf({ id, keyLengthBits: 128 }, integ);
    const cipher = packetCipher(keys);
    const twin = packetCipher(keys);
    const fields = {
      aad: ascending(0, 8),
      iv: new Uint8Array(cipher.ivBytes),
      text: ascending(0, 32),
      icv: new Uint8Array(cipher.icvBytes),
    };
    cipher.seal(fields);
    cipher.destroy();
    assert.notDeepEqual(keys.encryption?.key, new Uint8Array(keys.encryption?.key.length ?? 0));
    keys.encryption?.key.fill(0);
    keys.integrity?.key.fill(0);
    assert.equal(twin.open(fields), true);
    assert.deepEqual(fields.text, ascending(0, 32));
  }
});

test('keys that are Node Buffers are copied too', () => {
  const key = Buffer.from(ascending(1, 20));
  packetCipher({ encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key } }).destroy();
  assert.deepEqual(Uint8Array.from(key), ascending(1, 20));
});

test('a packet without integrity, with two kinds of it, or with an unknown algorithm is unsupported', () => {
  const gcm = { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(20) };
  const cbc = { id: Encr.AES_CBC, keyLengthBits: 128, key: new Uint8Array(16) };
  const integrity = { id: Integ.HMAC_SHA1_96, key: new Uint8Array(20) };
  const none = { id: Integ.NONE, key: new Uint8Array(0) };
  for (const keys of [
    {},
    { encryption: cbc },
    { encryption: cbc, integrity: none },
    { encryption: gcm, integrity },
    { encryption: { ...gcm, id: 2 } },
    { encryption: { ...gcm, keyLengthBits: 64 } },
    { encryption: { ...gcm, keyLengthBits: 0 } },
    { encryption: cbc, integrity: { ...integrity, id: 1 } },
  ]) {
    assert.throws(() => packetCipher(keys), cryptoError('unsupported'));
  }
  assert.equal(packetCipher({ encryption: gcm, integrity: none }).combined, true);
});

test('octets taken from KEYMAT include the salt; a fixed key length may be named or left at 0', () => {
  const expected: readonly [number, number, number][] = [
    [Encr.NULL, 0, 0],
    [Encr['3DES'], 192, 24],
    [Encr['3DES'], 0, 24],
    [Encr.AES_CBC, 256, 32],
    [Encr.AES_CTR, 128, 20],
    [Encr.AES_CCM_8, 128, 19],
    [Encr.AES_CCM_16, 256, 35],
    [Encr.AES_GCM_16, 192, 28],
    [Encr.NULL_AUTH_AES_GMAC, 256, 36],
    [Encr.CHACHA20_POLY1305, 256, 36],
    [Encr.CHACHA20_POLY1305, 0, 36],
  ];
  for (const [id, keyLengthBits, octets] of expected) {
    assert.equal(encryptionKeyBytes({ id, keyLengthBits }), octets);
  }
  assert.equal(defaultKeyLengthBits(Encr.AES_CBC), undefined);
  assert.equal(defaultKeyLengthBits(99), undefined);
});
