// Headers between LSIs and HITs: vectors of scapy, and what is refused.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { address, addressBytes } from '#sa';
import { IpProtocol, internetChecksum, transportChecksum, writeIpv4Checksum, writeU16 } from '#wire';
import { hex, ipPacket, toHex } from '../testing/fixtures.ts';
import { lsiVectors } from '../testing/scapy-lsi-vectors.ts';
import { ipv4ToIpv6, ipv6ToIpv4, untranslatable } from './translate-header.ts';

const hits = {
  source: addressBytes(address('2001:21::a0b')),
  destination: addressBytes(address('2001:22:5c3d:3a54:172f:bd02:5285:6d7a')),
};
const lsis = { source: addressBytes(address('1.0.0.1')), destination: addressBytes(address('1.0.0.20')) };
const room = 20;

function toIpv6(packet: Uint8Array): Uint8Array | undefined {
  const buffer = new Uint8Array(room + packet.length);
  buffer.set(packet, room);
  const at = ipv4ToIpv6(buffer, room, packet.length, hits.source, hits.destination);
  if (at !== untranslatable) return buffer.subarray(at);
  assert.deepEqual(buffer.subarray(room), packet, 'what is refused is as it was');
  return undefined;
}

function toIpv4(packet: Uint8Array, identification = 0x1234): Uint8Array | undefined {
  const buffer = packet.slice();
  const at = ipv6ToIpv4(buffer, 0, packet.length, { ...lsis, identification });
  if (at !== untranslatable) return buffer.subarray(at);
  assert.deepEqual(buffer, packet, 'what is refused is as it was');
  return undefined;
}

describe('a packet between LSIs', () => {
  for (const { name, ipv4, ipv6 } of lsiVectors) {
    test(`becomes one between HITs, and back: ${name}`, () => {
      assert.equal(toHex(toIpv6(hex(ipv4))!), ipv6);
      assert.equal(toHex(toIpv4(hex(ipv6))!), ipv4);
    });
  }

  test('loses its options', () => {
    const plain = hex(lsiVectors[1]!.ipv4);
    const long = new Uint8Array(plain.length + 8);
    long.set(plain.subarray(0, 20));
    long.fill(1, 20, 28);
    long.set(plain.subarray(20), 28);
    long[0] = 0x47;
    writeU16(long, 2, long.length);
    writeIpv4Checksum(long, 0, 28);
    assert.equal(toHex(toIpv6(long)!), lsiVectors[1]!.ipv6);
  });

  test('gets a UDP checksum if it had none (RFC 7915 4.5)', () => {
    const packet = hex(lsiVectors[1]!.ipv4);
    packet.fill(0, 26, 28);
    assert.equal(toHex(toIpv6(packet)!), lsiVectors[1]!.ipv6);
  });

  test('is refused if it is a fragment, or neither TCP nor UDP nor an echo', () => {
    const udp = hex(lsiVectors[1]!.ipv4);
    for (const [at, value] of [
      [6, 0x20],
      [7, 0x01],
      [9, IpProtocol.AH],
      [9, 132],
      [0, 0x44],
      [0, 0x4f],
      [3, 32],
    ] as const) {
      const packet = udp.slice();
      packet[at] = value;
      assert.equal(toIpv6(packet), undefined, `octet ${at}: ${value}`);
    }
    const error = hex(lsiVectors[2]!.ipv4);
    error[20] = 3;
    assert.equal(toIpv6(error), undefined, 'an ICMP error');
  });

  test('that ends anywhere before its end is refused', () => {
    for (const { ipv4, ipv6 } of lsiVectors) {
      for (let end = 0; end < ipv4.length / 2; end++)
        assert.equal(toIpv6(hex(ipv4).subarray(0, end)), undefined);
      for (let end = 0; end < ipv6.length / 2; end++)
        assert.equal(toIpv4(hex(ipv6).subarray(0, end)), undefined);
    }
  });
});

test('whatever octets come, there and back gives right checksums or a refusal', () => {
  const octets = fc.uint8Array({ minLength: 0, maxLength: 120 });
  fc.assert(
    fc.property(octets, (packet) => {
      toIpv6(packet);
      toIpv4(packet);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1400 }), fc.nat(0xffff), (data, port) => {
      const packet = ipPacket({
        source: '1.0.0.1',
        destination: '1.0.0.20',
        dataBytes: data.length,
        sourcePort: port,
      });
      const before = packet.slice();
      const between = toIpv6(packet)!;
      assert.equal(transportChecksum(hits, IpProtocol.UDP, between.subarray(40)), 0);
      const back = toIpv4(between, 77)!;
      assert.equal(internetChecksum(back, 0, 20), 0);
      assert.equal(transportChecksum(lsis, IpProtocol.UDP, back.subarray(20)), 0);
      assert.deepEqual(back.subarray(20), before.subarray(20));
    }),
  );
});
