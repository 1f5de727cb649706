// Known answers of the ciphers that need a separate MAC. The MAC is checked against Node's HMAC over what RFC 4303 covers.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { Encr, Integ } from '#sa';
import { integrityAlgorithm } from '../integrity/integrity-algorithm.ts';
import { ascending, ascii, digits, hex } from '../testing/octets.ts';
import { cipherProfile } from './cipher-profile.ts';
import { CipherWithMac } from './cipher-with-mac.ts';
import { packetCipher } from './packet-cipher.ts';

const knownAnswers = [
  {
    source: 'NIST TDES Multi-block Message Test, CBC, example 2',
    id: Encr['3DES'],
    keyLengthBits: 192,
    key: hex('37ae5ebf46dff2dc 0754b94f31cbb385 5e7fd36dc870bfae'),
    iv: hex('3d1de3cc132e3b65'),
    plaintext: hex('84401f78fe6c10876d8ea23094ea5309'),
    ciphertext: '7b1f7c7e3b1c948ebd04a75ffba7d2f5',
  },
  {
    source: 'RFC 3602 4, case 1',
    id: Encr.AES_CBC,
    keyLengthBits: 128,
    key: hex('06a9214036b8a15b512e03d534120006'),
    iv: hex('3dafba429d9eb430b422da802c9fac41'),
    plaintext: ascii('Single block msg'),
    ciphertext: 'e353779c1079aeb82708942dbe77181a',
  },
  {
    source: 'RFC 3602 4, case 5: the payload of an ESP packet',
    id: Encr.AES_CBC,
    keyLengthBits: 128,
    key: hex('90d382b410eeba7ad938c46cec1a82bf'),
    iv: hex('e96e8c08ab465763fd098d45dd3ff893'),
    plaintext: hex(
      '08000ebda70a00008e9c083db95b0700 08090a0b0c0d0e0f1011121314151617 ' +
        '18191a1b1c1d1e1f2021222324252627 28292a2b2c2d2e2f3031323334353637 0102030405060708090a0b0c0d0e0e01',
    ),
    ciphertext:
      'f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856' +
      'a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874aa269add047ad2d5913ac19b7cfbad4a6',
  },
  {
    source: 'NIST SP 800-38A F.2.3, first block',
    id: Encr.AES_CBC,
    keyLengthBits: 192,
    key: hex('8e73b0f7da0e6452c810f32b809079e5 62f8ead2522c6b7b'),
    iv: ascending(0, 16),
    plaintext: hex('6bc1bee22e409f96e93d7e117393172a'),
    ciphertext: '4f021db243bc633d7178183a9fa071e8',
  },
  {
    source: 'NIST SP 800-38A F.2.5, first block',
    id: Encr.AES_CBC,
    keyLengthBits: 256,
    key: hex('603deb1015ca71be2b73aef0857d7781 1f352c073b6108d72d9810a30914dff4'),
    iv: ascending(0, 16),
    plaintext: hex('6bc1bee22e409f96e93d7e117393172a'),
    ciphertext: 'f58c4c04d6e5f1ba779eabfb5f7bfbd6',
  },
  {
    source: 'RFC 3686 6, case 1',
    id: Encr.AES_CTR,
    keyLengthBits: 128,
    key: hex('ae6852f8121067cc4bf7a5765577f39e 00000030'),
    iv: new Uint8Array(8),
    plaintext: ascii('Single block msg'),
    ciphertext: 'e4095d4fb7a7b3792d6175a3261311b8',
  },
  {
    source: 'RFC 3686 6, case 3 (more than two blocks)',
    id: Encr.AES_CTR,
    keyLengthBits: 128,
    key: hex('7691be035e5020a8ac6e618529f9a0dc 00e0017b'),
    iv: hex('27777f3f4a1786f0'),
    plaintext: ascending(0, 36),
    ciphertext: 'c1cf48a89f2ffdd9cf4652e9efdb72d74540a42bde6d7836d59a5ceaaef3105325b2072f',
  },
  {
    source: 'RFC 3686 6, case 5',
    id: Encr.AES_CTR,
    keyLengthBits: 192,
    key: hex('7c5cb2401b3dc33c19e7340819e0f69c 678c3db8e6f6a91a 0096b03b'),
    iv: hex('020c6eadc2cb500d'),
    plaintext: ascending(0, 32),
    ciphertext: '453243fc609b23327edfaafa7131cd9f8490701c5ad4a79cfc1fe0ff42f4fb00',
  },
  {
    source: 'RFC 3686 6, case 9',
    id: Encr.AES_CTR,
    keyLengthBits: 256,
    key: hex('ff7a617ce69148e4f1726e2f43581de2 aa62d9f805532edff1eed687fb54153d 001cc5b7'),
    iv: hex('51a51d70a1c11148'),
    plaintext: ascending(0, 36),
    ciphertext: 'eb6c52821d0bbbf7ce7594462aca4faab407df866569fd07f48cc0b583d6071f1ec0e6b8',
  },
  {
    source: 'RFC 2410 2: NULL is the identity',
    id: Encr.NULL,
    keyLengthBits: 0,
    key: new Uint8Array(0),
    iv: new Uint8Array(0),
    plaintext: ascending(0, 36),
    ciphertext: digits(ascending(0, 36)),
  },
];

const macKey = ascending(0x30, 32);
const aad = hex('00004321 00000001');
const sequenceHigh = hex('00000007');

for (const { source, id, keyLengthBits, key, iv, plaintext, ciphertext } of knownAnswers) {
  test(`cipher ${id} with ${keyLengthBits} bits seals and opens as ${source} says`, () => {
    const cipher = packetCipher({
      encryption: { id, keyLengthBits, key },
      integrity: { id: Integ.HMAC_SHA2_256_128, key: macKey },
    });
    const text = plaintext.slice();
    const icv = new Uint8Array(cipher.icvBytes);
    const fields = { aad, iv, text, icv, authTail: sequenceHigh };
    cipher.seal(fields);
    assert.equal(digits(text), ciphertext);
    // RFC 4303 3.3.2.1: the header, the IV and the ciphertext, and then the high half of the sequence number.
    const mac = createHmac('sha256', macKey)
      .update(aad)
      .update(iv)
      .update(text)
      .update(sequenceHigh)
      .digest('hex');
    assert.equal(digits(icv), mac.slice(0, 32));
    assert.equal(cipher.open(fields), true);
    assert.equal(digits(text), digits(plaintext));
  });
}

test('without encryption, as AH uses it, the text is authenticated and stays as it is', () => {
  const cipher = packetCipher({ integrity: { id: Integ.HMAC_SHA2_256_128, key: macKey } });
  const text = ascending(0, 20);
  const icv = new Uint8Array(16);
  cipher.seal({ aad, iv: new Uint8Array(0), text, icv });
  assert.deepEqual(text, ascending(0, 20));
  assert.equal(digits(icv), createHmac('sha256', macKey).update(aad).update(text).digest('hex').slice(0, 32));
});

test('given a sender that authenticates half a CBC block, then opening fails instead of throwing', () => {
  const key = ascending(0, 16);
  const cipher = packetCipher({
    encryption: { id: Encr.AES_CBC, keyLengthBits: 128, key },
    integrity: { id: Integ.HMAC_SHA2_256_128, key: macKey },
  });
  const iv = ascending(0, 16);
  const text = ascending(0, 24);
  const icv = integrityAlgorithm(Integ.HMAC_SHA2_256_128).compute(macKey, aad, iv, text);
  assert.equal(cipher.open({ aad, iv, text, icv }), false);
});

test('a destroyed cipher has wiped both of its keys, and refuses to go on', () => {
  const profile = cipherProfile(Encr.AES_CTR);
  assert.ok(profile);
  const keyMaterial = ascending(1, 20);
  const ownMacKey = ascending(1, 32);
  const mac = integrityAlgorithm(Integ.HMAC_SHA2_256_128);
  const cipher = new CipherWithMac(profile, 128, keyMaterial, mac, ownMacKey);
  const fields = { aad, iv: ascending(0, 8), text: ascending(0, 16), icv: new Uint8Array(16) };
  cipher.seal(fields);
  cipher.destroy();
  assert.deepEqual(keyMaterial, new Uint8Array(20));
  assert.deepEqual(ownMacKey, new Uint8Array(32));
  assert.throws(() => cipher.seal(fields), /destroyed/);
  assert.throws(() => cipher.open(fields), /destroyed/);
});
