// KEYMAT against an independent derivation in Python (hmac).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChildSuite, Encr, Integ, Prf } from '#sa';
import type { PacketKeys } from '../encryption/packet-cipher.ts';
import { packetCipher } from '../encryption/packet-cipher.ts';
import { ascending, digits, hex } from '../testing/octets.ts';
import { deriveChildKeys } from './child-keys.ts';

const input = {
  prf: Prf.HMAC_SHA2_256,
  skD: ascending(0xc0, 32),
  nonceInitiator: ascending(0x10, 32),
  nonceResponder: ascending(0x40, 24),
};

test('AES-CBC with HMAC-SHA-1: encryption key before integrity key, initiator before responder (RFC 7296 2.17)', () => {
  const encr = { id: Encr.AES_CBC, keyLengthBits: 128 };
  const suite: ChildSuite = { protocol: 'esp', encr, integ: Integ.HMAC_SHA1_96, esn: false };
  const keysOf = (encryption: string, integrity: string): PacketKeys => ({
    encryption: { ...encr, key: hex(encryption) },
    integrity: { id: Integ.HMAC_SHA1_96, key: hex(integrity) },
  });
  assert.deepEqual(deriveChildKeys({ ...input, suite }), {
    initiator: keysOf('ccbcf6fd629ee0aeaf9e2c1d3217aafa', '35bfb321161217a772320d5a37f7bc5ef4c0ad5d'),
    responder: keysOf('5f46a2aeadd8e8fe97ac947b672efa6c', 'ddb1367729726152a2032954e3b723786963c826'),
  });
});

test('AES-GCM after a key exchange: g^ir comes before the nonces, keys include the salt', () => {
  const encr = { id: Encr.AES_GCM_16, keyLengthBits: 128 };
  const suite: ChildSuite = { protocol: 'esp', encr, integ: Integ.NONE, esn: true };
  const sharedSecret = ascending(0x80, 32);
  const keys = deriveChildKeys({ ...input, suite, sharedSecret });
  assert.deepEqual(keys, {
    initiator: { encryption: { ...encr, key: hex('a3058fc5727ce615844a3df6624b59ef8a58ef34') } },
    responder: { encryption: { ...encr, key: hex('0c2e9dc4ebad582c2a0490c9bddfda0778e9ad70') } },
  });
  assert.deepEqual(sharedSecret, ascending(0x80, 32));
});

test('AH: integrity keys only', () => {
  const suite: ChildSuite = { protocol: 'ah', integ: Integ.HMAC_SHA2_256_128, esn: true };
  const { initiator, responder } = deriveChildKeys({ ...input, suite });
  assert.equal(initiator.encryption, undefined);
  assert.equal(
    digits(initiator.integrity!.key),
    'ccbcf6fd629ee0aeaf9e2c1d3217aafa35bfb321161217a772320d5a37f7bc5e',
  );
  assert.equal(
    digits(responder.integrity!.key),
    'f4c0ad5d5f46a2aeadd8e8fe97ac947b672efa6cddb1367729726152a2032954',
  );
});

test('every supported suite gives keys that a packet cipher takes', () => {
  const integrities = Object.values(Integ).filter((id) => id !== Integ.NONE);
  const suites: ChildSuite[] = integrities.flatMap((integ) => [
    { protocol: 'esp', encr: { id: Encr.AES_CTR, keyLengthBits: 192 }, integ, esn: false },
    { protocol: 'esp', encr: { id: Encr.NULL, keyLengthBits: 0 }, integ, esn: false },
    { protocol: 'esp', encr: { id: Encr['3DES'], keyLengthBits: 0 }, integ, esn: false },
    { protocol: 'ah', integ, esn: false },
  ]);
  for (const id of [Encr.AES_CCM_8, Encr.AES_GCM_12, Encr.NULL_AUTH_AES_GMAC]) {
    suites.push({ protocol: 'esp', encr: { id, keyLengthBits: 256 }, esn: true });
  }
  suites.push({ protocol: 'esp', encr: { id: Encr.CHACHA20_POLY1305, keyLengthBits: 256 }, esn: true });
  for (const suite of suites) {
    const { initiator, responder } = deriveChildKeys({ ...input, suite });
    for (const keys of [initiator, responder]) {
      const cipher = packetCipher(keys);
      const fields = {
        aad: ascending(0, 8),
        iv: new Uint8Array(cipher.ivBytes),
        text: ascending(0, 16),
        icv: new Uint8Array(cipher.icvBytes),
      };
      cipher.seal(fields);
      assert.equal(packetCipher(keys === initiator ? responder : initiator).open(fields), false);
      assert.equal(cipher.open(fields), true);
    }
  }
});
