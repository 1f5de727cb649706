// OpenSSL on reused contexts against node:crypto: every algorithm, the same octets, in any order of good and bad packets.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CipherFields, CryptoError, type PacketCipher, type PacketKeys, packetCipher } from '#crypto';
import { Encr, Integ } from '#sa';
import { OpenSslCipherWithHmac } from './cipher-with-hmac.ts';
import { OpenSslCombinedMode } from './combined-mode.ts';
import { libcrypto } from './libcrypto.ts';
import { openSslPacketCipher } from './packet-cipher.ts';

const hmacs = {
  HMAC_SHA1_96: 20,
  HMAC_SHA2_256_128: 32,
  HMAC_SHA2_384_192: 48,
  HMAC_SHA2_512_256: 64,
  HMAC_SHA2_256_96: 32,
};

function keysOf(
  encr: keyof typeof Encr,
  bits: number,
  saltBytes: number,
  integ?: keyof typeof Integ,
  integrityBytes = 0,
): PacketKeys {
  return {
    encryption: { id: Encr[encr], keyLengthBits: bits, key: randomBytes(bits / 8 + saltBytes) },
    ...(integ === undefined ? {} : { integrity: { id: Integ[integ], key: randomBytes(integrityBytes) } }),
  };
}

const suites: Record<string, () => PacketKeys> = {
  AH: () => {
    const { integrity } = keysOf('NULL', 0, 0, 'HMAC_SHA2_256_128', 32);
    return { integrity: integrity! };
  },
};
for (const bits of [128, 192, 256]) {
  for (const encr of ['AES_GCM_8', 'AES_GCM_12', 'AES_GCM_16'] as const) {
    suites[`${encr} ${bits}`] = () => keysOf(encr, bits, 4);
  }
  for (const [integ, bytes] of Object.entries(hmacs) as [keyof typeof hmacs, number][]) {
    suites[`AES_CBC ${bits} ${integ}`] = () => keysOf('AES_CBC', bits, 0, integ, bytes);
    suites[`AES_CTR ${bits} ${integ}`] = () => keysOf('AES_CTR', bits, 4, integ, bytes);
  }
}
suites['CHACHA20_POLY1305'] = () => keysOf('CHACHA20_POLY1305', 256, 4);
suites['NULL HMAC_SHA2_256_128'] = () => keysOf('NULL', 0, 0, 'HMAC_SHA2_256_128', 32);

interface Packet {
  readonly aadBytes: number;
  readonly blocks: number;
  readonly esn: boolean;
  readonly contiguous: boolean;
  readonly damage: number | undefined;
  readonly seed: number;
}

const packets: fc.Arbitrary<Packet> = fc.record({
  aadBytes: fc.constantFrom(8, 12),
  blocks: fc.integer({ min: 1, max: 100 }),
  esn: fc.boolean(),
  contiguous: fc.boolean(),
  damage: fc.option(fc.nat(), { nil: undefined }),
  seed: fc.integer(),
});

/** Views on one buffer as an ESP packet has them, or each by itself. */
function fieldsOf(cipher: PacketCipher, packet: Packet): CipherFields {
  const textBytes = packet.blocks * Math.max(4, cipher.blockBytes);
  const lengths = [packet.aadBytes, cipher.ivBytes, textBytes, cipher.icvBytes];
  const whole = new Uint8Array(lengths.reduce((sum, length) => sum + length, 3));
  for (let i = 0; i < whole.length; i++) whole[i] = Math.imul(i + packet.seed, 0x9e37_79b1) >>> 24;
  let at = 3;
  const [aad, iv, text, icv] = lengths.map((length) => {
    const view = whole.subarray(at, at + length);
    at += length;
    return packet.contiguous ? view : view.slice();
  });
  const authTail = packet.esn && !cipher.combined ? { authTail: Uint8Array.of(1, 2, 3, 4) } : {};
  return { aad: aad!, iv: iv!, text: text!, icv: icv!, ...authTail };
}

test('this Node shows its OpenSSL', () => {
  assert.ok(libcrypto() !== undefined);
});

for (const [name, makeKeys] of Object.entries(suites)) {
  test(`seals and opens as node:crypto does: ${name}`, () => {
    const keys = makeKeys();
    const fast = openSslPacketCipher(keys);
    const reference = packetCipher(keys);
    assert.ok(fast instanceof OpenSslCombinedMode || fast instanceof OpenSslCipherWithHmac);
    for (const property of ['combined', 'ivBytes', 'ivKind', 'icvBytes', 'blockBytes'] as const) {
      assert.equal(fast[property], reference[property], property);
    }
    fc.assert(
      fc.property(packets, (packet) => {
        const ours = fieldsOf(fast, packet);
        const theirs = fieldsOf(reference, packet);
        const plain = theirs.text.slice();
        fast.seal(ours);
        reference.seal(theirs);
        assert.deepEqual(ours, theirs);
        if (packet.damage !== undefined) {
          const parts = [ours.aad, ours.text, ours.icv, ...(ours.authTail ? [ours.authTail] : [])];
          const part = parts[packet.damage % parts.length]!;
          part[packet.damage % part.length]! ^= 1 << (packet.damage % 8);
          assert.equal(fast.open(ours), false);
          return;
        }
        assert.equal(fast.open(ours), true);
        assert.deepEqual(ours.text, plain);
      }),
      { numRuns: 40 },
    );
    fast.destroy();
    fast.destroy();
    assert.throws(
      () =>
        fast.seal(
          fieldsOf(reference, {
            aadBytes: 8,
            blocks: 4,
            esn: false,
            contiguous: true,
            damage: undefined,
            seed: 1,
          }),
        ),
      /destroyed/,
    );
    assert.throws(
      () =>
        fast.open(
          fieldsOf(reference, {
            aadBytes: 8,
            blocks: 4,
            esn: false,
            contiguous: true,
            damage: undefined,
            seed: 1,
          }),
        ),
      /destroyed/,
    );
  });
}

for (const name of ['AES_GCM_16 128', 'AES_GCM_12 192', 'AES_GCM_8 256', 'CHACHA20_POLY1305']) {
  test(`IVs that count up, stay, or jump are those of the packet: ${name}`, () => {
    const keys = suites[name]!();
    const fast = openSslPacketCipher(keys);
    const reference = packetCipher(keys);
    const steps = fc.oneof(
      fc.constant(1n),
      fc.constantFrom(0n, -1n, 2n, 0xffff_ffffn),
      fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
    );
    const first = fc.oneof(
      fc.constantFrom(0xffff_fffen, 0xffff_ffff_ffff_fffen),
      fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
    );
    fc.assert(
      fc.property(
        first,
        fc.array(steps, { maxLength: 12 }),
        fc.infiniteStream(fc.boolean()),
        (iv, by, opens) => {
          let counter = iv;
          for (const [i, step] of by.entries()) {
            counter = BigInt.asUintN(64, counter + step);
            const packet = {
              aadBytes: 8,
              blocks: i % 4,
              esn: false,
              contiguous: true,
              damage: undefined,
              seed: i,
            };
            const [ours, theirs] = [fieldsOf(fast, packet), fieldsOf(reference, packet)];
            for (const { iv } of [ours, theirs])
              new DataView(iv.buffer, iv.byteOffset).setBigUint64(0, counter);
            fast.seal(ours);
            reference.seal(theirs);
            assert.deepEqual(ours, theirs);
            if (opens.next().value) assert.equal(fast.open(ours), true);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
}

for (const name of ['AES_GCM_16 128', 'AES_GCM_8 256', 'CHACHA20_POLY1305']) {
  test(`a whole ESP packet is sealed and opened as its parts are: ${name}`, () => {
    const cipher = openSslPacketCipher(suites[name]!());
    assert.ok(cipher instanceof OpenSslCombinedMode);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.boolean(), fc.nat(20), (textBytes, esn, start) => {
        const length = 16 + textBytes + cipher.icvBytes;
        const octets = new Uint8Array(start + length + 5).map((_, i) => i * 7);
        const parts = octets.slice(start, start + length);
        const high = 0xfedc_ba98;
        cipher.sealEsp(octets, start, textBytes, esn ? high : -1);
        const header = parts.subarray(0, 8);
        const extended = Uint8Array.of(
          ...header.subarray(0, 4),
          0xfe,
          0xdc,
          0xba,
          0x98,
          ...header.subarray(4),
        );
        cipher.seal({
          aad: esn ? extended : header,
          iv: parts.subarray(8, 16),
          text: parts.subarray(16, 16 + textBytes),
          icv: parts.subarray(16 + textBytes),
        });
        assert.deepEqual(octets.slice(start, start + length), parts);
        assert.equal(octets[start + length], ((start + length) * 7) & 0xff);
        const damaged = octets.slice();
        damaged[start + 4] = damaged[start + 4]! ^ 1;
        assert.equal(cipher.openEsp(damaged, start, textBytes, esn ? high : -1), false);
        if (esn) assert.equal(cipher.openEsp(octets.slice(), start, textBytes, high + 1), false);
        assert.equal(cipher.openEsp(octets, start, textBytes, esn ? high : -1), true);
        for (let i = 0; i < textBytes; i++)
          assert.equal(octets[start + 16 + i], ((start + 16 + i) * 7) & 0xff);
      }),
      { numRuns: 60 },
    );
    assert.throws(() => cipher.sealEsp(new Uint8Array(40), 0, 24, -1), /not there/);
    assert.throws(() => cipher.openEsp(new Uint8Array(40), -1, 4, -1), /not there/);
  });
}

test('what OpenSSL is not asked for is done by node:crypto', () => {
  for (const keys of [
    keysOf('AES_CCM_16', 128, 3),
    keysOf('AES_CBC', 128, 0, 'AES_XCBC_96', 16),
    keysOf('3DES', 192, 0, 'HMAC_SHA1_96', 20),
    keysOf('NULL_AUTH_AES_GMAC', 128, 4),
  ]) {
    const cipher = openSslPacketCipher(keys);
    assert.ok(!(cipher instanceof OpenSslCombinedMode) && !(cipher instanceof OpenSslCipherWithHmac));
  }
});

test('keys of the wrong length and missing integrity are refused as in the crypto room', () => {
  for (const keys of [
    { encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key: new Uint8Array(19) } },
    { encryption: { id: Encr.AES_CBC, keyLengthBits: 128, key: new Uint8Array(16) } },
    { encryption: { id: 9999, keyLengthBits: 128, key: new Uint8Array(16) } },
  ]) {
    assert.throws(() => openSslPacketCipher(keys), CryptoError);
  }
});

test('fields of the wrong length never reach OpenSSL', () => {
  const cipher = openSslPacketCipher(keysOf('AES_GCM_16', 128, 4));
  const good = fieldsOf(cipher, {
    aadBytes: 8,
    blocks: 4,
    esn: false,
    contiguous: true,
    damage: undefined,
    seed: 1,
  });
  for (const bad of [
    { ...good, iv: new Uint8Array(7) },
    { ...good, icv: new Uint8Array(12) },
    { ...good, aad: new Uint8Array(100) },
    { ...good, authTail: new Uint8Array(4) },
  ]) {
    assert.throws(() => cipher.seal(bad));
    assert.throws(() => cipher.open(bad));
  }
});
