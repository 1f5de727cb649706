import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encr, Integ, Ke, Prf } from './algorithms.ts';
import { formatSuite } from './suite-text.ts';

const { AES_GCM_16, AES_CBC, CHACHA20_POLY1305 } = Encr;

test('suites are written as an operator would configure them', () => {
  const gcm = { encr: { id: AES_GCM_16, keyLengthBits: 128 }, prf: Prf.HMAC_SHA2_256, ke: Ke.CURVE25519 };
  assert.equal(formatSuite(gcm), 'aes128gcm16-prfsha256-x25519');
  const cbc = {
    encr: { id: AES_CBC, keyLengthBits: 256 },
    prf: Prf.HMAC_SHA2_512,
    integ: Integ.HMAC_SHA2_512_256,
    ke: Ke.MODP_2048,
  };
  assert.equal(formatSuite(cbc), 'aes256-sha512-prfsha512-modp2048');
  const chacha = { protocol: 'esp', encr: { id: CHACHA20_POLY1305, keyLengthBits: 256 }, esn: true } as const;
  assert.equal(formatSuite(chacha), 'chacha20poly1305-esn');
  const ah = { protocol: 'ah', integ: Integ.HMAC_SHA2_256_128, esn: false } as const;
  assert.equal(formatSuite(ah), 'sha256');
});
