// Given a message to protect: what goes over the wire, and what the receiver makes of it, whole, in pieces or damaged.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type PacketCipher, packetCipher, seededRandomness } from '#crypto';
import { Encr, Integ } from '#sa';
import {
  decodeIkeMessage,
  ExchangeType,
  encodeSealedMessage,
  type IkeHeader,
  type IkeMessage,
  type IkeSpi,
  type Payload,
  PayloadType,
} from '#wire';
import { deleteIkeSa } from '../payloads/delete.ts';
import { type FragmentLimits, fragmentTextBytes, messageBytesMax } from './fragments.ts';
import { Reassembly, type ReassemblyStep } from './reassembly.ts';
import { sealBody, sealedBodyBytes } from './sealed-body.ts';
import { MessageSealer, openMessage } from './sealed-message.ts';

const header: IkeHeader = {
  initiatorSpi: '0123456789abcdef' as IkeSpi,
  responderSpi: 'fedcba9876543210' as IkeSpi,
  majorVersion: 2,
  minorVersion: 0,
  exchangeType: ExchangeType.INFORMATIONAL,
  initiator: true,
  response: false,
  higherVersion: false,
  messageId: 2,
};

const counting = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i);
const hexBytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

function gcm(): PacketCipher {
  const key = new Uint8Array([...counting(16), 0xca, 0xfe, 0xba, 0xbe]);
  return packetCipher({ encryption: { id: Encr.AES_GCM_16, keyLengthBits: 128, key } });
}
function cbc(): PacketCipher {
  return packetCipher({
    encryption: { id: Encr.AES_CBC, keyLengthBits: 256, key: counting(32) },
    integrity: { id: Integ.HMAC_SHA2_256_128, key: counting(32) },
  });
}
const ciphers: [string, () => PacketCipher][] = [
  ['AES-GCM', gcm],
  ['AES-CBC with HMAC-SHA-256', cbc],
];
const sealer = (cipher: PacketCipher, firstIv = 0n): MessageSealer =>
  new MessageSealer(cipher, seededRandomness(counting(32)), firstIv);

const vendor = (data: Uint8Array): Payload => ({ type: 'V', data });

describe('a message under SK', () => {
  // RFC 7296 3.14
  it('agrees with one computed apart', () => {
    // Python's cryptography, AESGCM: header | SK header as AAD, IV 5, Delete payload and a Pad Length of 0.
    const expected = hexBytes(
      '0123456789abcdeffedcba98765432102e20250800000002000000412a000025' +
        '0000000000000005cbd0574700de1723e7843925544ac618713d2e4627adb5b1a7',
    );
    assert.deepEqual(sealer(gcm(), 5n).seal(header, [deleteIkeSa()]), expected);
    const opened = openMessage(decodeIkeMessage(expected), gcm());
    assert.deepEqual(opened, { kind: 'opened', payloads: [deleteIkeSa()], unprotected: [] });
  });

  it('never uses an IV of a counter mode twice', () => {
    const out = sealer(gcm(), 0xffff_ffffn);
    const first = out.seal(header, []);
    const second = out.seal(header, []);
    assert.deepEqual(first.subarray(32, 40), hexBytes('00000000ffffffff'));
    assert.deepEqual(second.subarray(32, 40), hexBytes('0000000100000000'));
    assert.equal(out.nextIv, 0x1_0000_0001n);
  });

  it('is refused rather than sealed once the IVs are spent', () => {
    const out = sealer(gcm(), 0xffff_ffff_ffff_ffffn);
    out.seal(header, []);
    assert.throws(() => out.seal(header, []));
  });

  for (const [name, make] of ciphers) {
    it(`comes back with ${name}, and the received octets stay as they were`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
          const octets = sealer(make()).seal(header, [vendor(data)]);
          const before = octets.slice();
          const opened = openMessage(decodeIkeMessage(octets), make());
          assert.equal(opened.kind, 'opened');
          assert.deepEqual(opened.kind === 'opened' && opened.payloads, [vendor(data)]);
          assert.deepEqual(octets, before);
        }),
        { numRuns: 40 },
      );
    });

    it(`is padded to a length wanted under ${name}, as far as Pad Length goes`, () => {
      for (const wanted of [0, 100, 132, 200, 5_000]) {
        const octets = sealer(make()).seal(header, [], wanted);
        assert.deepEqual(openMessage(decodeIkeMessage(octets), make()), {
          kind: 'opened',
          payloads: [],
          unprotected: [],
        });
        assert.ok(octets.length >= Math.min(wanted, 28 + 4 + 240), `${octets.length} for ${wanted}`);
        assert.ok(octets.length <= Math.max(wanted + 16, 28 + 4 + 64));
      }
    });

    it(`is forged with any bit changed under ${name}`, () => {
      const octets = sealer(make()).seal(header, [vendor(counting(20))]);
      const cipher = make();
      for (let bit = 0; bit < 8 * octets.length; bit++) {
        const damaged = octets.slice();
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        let message: IkeMessage;
        try {
          message = decodeIkeMessage(damaged);
        } catch {
          // The codec refuses it before any key is used.
          continue;
        }
        // The reserved bits of header and payload are not part of the decoded message, but are authenticated too.
        assert.deepEqual(openMessage(message, cipher), { kind: 'forged' }, `bit ${bit}`);
      }
    });

    it(`is forged, not thrown about, if too short for ${name}`, () => {
      for (let bodyBytes = 0; bodyBytes < 64; bodyBytes++) {
        const { octets } = encodeSealedMessage({ header, firstPayload: PayloadType.V, bodyBytes });
        assert.deepEqual(openMessage(decodeIkeMessage(octets), make()), { kind: 'forged' });
      }
    });
  }

  it('is malformed if authentic but with more padding than text, or no chain of payloads', () => {
    const cipher = gcm();
    const bodyBytes = sealedBodyBytes(cipher, 0);
    const { octets, aad, body } = encodeSealedMessage({ header, firstPayload: PayloadType.V, bodyBytes });
    const text = body.subarray(8, 9);
    text[0] = 1;
    body[7] = 9;
    cipher.seal({ aad, iv: body.subarray(0, 8), text, icv: body.subarray(9) });
    assert.equal(openMessage(decodeIkeMessage(octets), cipher).kind, 'malformed');

    const garbled = encodeSealedMessage({
      header,
      firstPayload: PayloadType.V,
      bodyBytes: sealedBodyBytes(cipher, 3),
    });
    sealBody(cipher, garbled.aad, garbled.body, hexBytes('000000000000000a'), counting(3));
    assert.equal(openMessage(decodeIkeMessage(garbled.octets), cipher).kind, 'malformed');
  });
});

describe('fragment sizes (RFC 7383 2.5.1)', () => {
  // RFC 7383 2.5.1
  it('leave room for IP, UDP and the non-ESP marker', () => {
    assert.equal(messageBytesMax({ packetBytes: 576, ipv6: false, marker: false }), 548);
    assert.equal(messageBytesMax({ packetBytes: 1280, ipv6: true, marker: true }), 1228);
  });

  for (const [name, make] of ciphers) {
    it(`fill packets without exceeding them with ${name}`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 150, max: 1500 }),
          fc.boolean(),
          fc.boolean(),
          fc.integer({ min: 0, max: 4000 }),
          (packetBytes, ipv6, marker, length) => {
            const limits = { packetBytes, ipv6, marker };
            const datagrams = sealer(make()).sealFragmented(header, [vendor(counting(length))], limits);
            const max = messageBytesMax(limits);
            assert.ok(datagrams.every((octets) => octets.length <= max));
            // One block more in each would not have fitted.
            for (const octets of datagrams.slice(0, -1)) assert.ok(octets.length + make().blockBytes > max);
          },
        ),
        { numRuns: 50 },
      );
    });
  }

  it('never become nothing, however small the limit', () => {
    assert.equal(fragmentTextBytes({ packetBytes: 0, ipv6: true, marker: true }, cbc()), 1);
  });
});

const limits: FragmentLimits = { packetBytes: 200, ipv6: false, marker: false };
const payloads = [vendor(counting(250)), vendor(counting(333)), deleteIkeSa()];

function fragmentsOf(packetBytes = 200, make = gcm, sent: Payload[] = payloads): IkeMessage[] {
  const datagrams = sealer(make(), BigInt(packetBytes) << 16n).sealFragmented(header, sent, {
    ...limits,
    packetBytes,
  });
  return datagrams.map(decodeIkeMessage);
}

describe('fragments of a message (RFC 7383 2.6)', () => {
  // RFC 7383 2.4
  it('are not made of a message that fits', () => {
    const [only, ...others] = fragmentsOf(1500);
    assert.deepEqual([only?.payloads.at(-1)?.type, others.length], ['SK', 0]);
  });

  // RFC 7383 2.5
  it('name the first payload in the first one only', () => {
    const named = fragmentsOf().map(({ payloads: [fragment] }) =>
      fragment?.type === 'SKF' ? fragment.firstPayload : undefined,
    );
    assert.deepEqual(new Set(named.slice(1)), new Set([PayloadType.none]));
    assert.equal(named[0], PayloadType.V);
    assert.deepEqual(fragmentsOf().map(Reassembly.isFirst).indexOf(true), 0);
  });

  for (const [name, make] of ciphers) {
    it(`make up the message in any order, with repetitions, under ${name}`, () => {
      const fragments = fragmentsOf(200, make);
      const cipher = make();
      const indices = fc.nat(fragments.length - 1);
      const order = fc
        .tuple(fc.shuffledSubarray([...fragments.keys()], { minLength: fragments.length }), fc.array(indices))
        .map(([all, extra]) => [...extra, ...all]);
      fc.assert(
        fc.property(order, (arrivals) => {
          const reassembly = new Reassembly(2);
          const seen = new Set<number>();
          for (const index of arrivals) {
            const step: ReassemblyStep = reassembly.add(fragments[index]!, cipher);
            if (seen.size === fragments.length) assert.deepEqual(step, { kind: 'dropped', reason: 'late' });
            else if (seen.has(index)) assert.deepEqual(step, { kind: 'dropped', reason: 'duplicate' });
            else if (seen.size < fragments.length - 1) assert.deepEqual(step, { kind: 'incomplete' });
            else assert.deepEqual(step, { kind: 'complete', payloads });
            seen.add(index);
          }
        }),
        { numRuns: 40 },
      );
    });
  }

  it('are rejected with any octet changed, and the true ones still make up the message', () => {
    const fragments = fragmentsOf();
    const cipher = gcm();
    const reassembly = new Reassembly(2);
    for (const fragment of fragments.slice(0, -1)) reassembly.add(fragment, cipher);
    const last = fragments.at(-1)!;
    for (let at = 0; at < last.octets.length; at++) {
      const damaged = last.octets.slice();
      damaged[at]! ^= 0x55;
      let message: IkeMessage;
      try {
        message = decodeIkeMessage(damaged);
      } catch {
        continue;
      }
      assert.equal(reassembly.add(message, cipher).kind, 'dropped', `octet ${at}`);
    }
    assert.deepEqual(reassembly.add(last, cipher), { kind: 'complete', payloads });
  });

  // RFC 7383 2.5.2
  it('start over when the peer cuts the message into more pieces, and old pieces are then ignored', () => {
    const large = fragmentsOf(400);
    const small = fragmentsOf(200);
    assert.ok(large.length < small.length);
    const cipher = gcm();
    const reassembly = new Reassembly(2);
    assert.equal(reassembly.add(large[0]!, cipher).kind, 'incomplete');
    assert.equal(reassembly.add(small[0]!, cipher).kind, 'incomplete');
    assert.deepEqual(reassembly.add(large[1]!, cipher), { kind: 'dropped', reason: 'inconsistent' });
    const steps = small.slice(1).map((fragment) => reassembly.add(fragment, cipher));
    assert.deepEqual(steps.at(-1), { kind: 'complete', payloads });
  });

  it('of another message ID or exchange do not mix', () => {
    const [first] = fragmentsOf();
    assert.deepEqual(new Reassembly(3).add(first!, gcm()), { kind: 'dropped', reason: 'inconsistent' });
    const reassembly = new Reassembly(2);
    reassembly.add(first!, gcm());
    const auth = sealer(gcm(), 99n).sealFragmented(
      { ...header, exchangeType: ExchangeType.IKE_AUTH },
      payloads,
      limits,
    );
    const other = decodeIkeMessage(auth[1]!);
    assert.deepEqual(reassembly.add(other, gcm()), { kind: 'dropped', reason: 'inconsistent' });
  });

  it('are not kept beyond the limits', () => {
    const fragments = fragmentsOf();
    const few = new Reassembly(2, { fragmentsMax: 3, messageBytesMax: 65_535 });
    assert.deepEqual(few.add(fragments[0]!, gcm()), { kind: 'dropped', reason: 'limit' });
    const little = new Reassembly(2, { fragmentsMax: 64, messageBytesMax: 150 });
    assert.equal(little.add(fragments[0]!, gcm()).kind, 'incomplete');
    assert.deepEqual(little.add(fragments[1]!, gcm()), { kind: 'dropped', reason: 'limit' });
  });

  it('give the same octets again only by being kept: sealing twice differs', () => {
    const out = sealer(gcm());
    assert.notDeepEqual(
      out.sealFragmented(header, payloads, limits),
      out.sealFragmented(header, payloads, limits),
    );
  });
});
