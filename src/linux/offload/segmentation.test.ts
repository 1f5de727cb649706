// Cutting TCP and UDP packets: every piece is a right packet by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeIp,
  encodeIp,
  type IpPacket,
  padIpv6Options,
  readU16,
  readU32,
  sumWords,
  transportChecksum,
  writeU16,
} from '#wire';
import { pinned } from '../libc/libc.ts';
import { fold } from '../testing/fold.ts';
import { Segmentation } from './segmentation.ts';
import { Collected, fromKernel, segmentsOf } from './testing/device.ts';
import { type Large, large, tcpPacket, udpPacket } from './testing/large-packets.ts';
import { GsoType } from './virtio-net-header.ts';

/** decodeIp has verified IPv4's header checksum. */
function assertGoodTransport(packet: IpPacket): void {
  assert.equal(transportChecksum(packet, packet.protocol, packet.payload), 0);
}

test('a large TCP packet becomes segments that are right by themselves and in order', () => {
  fc.assert(
    fc.property(large, (shape) => {
      const packet = tcpPacket(shape);
      const sink = segmentsOf(
        ...fromKernel(packet, shape.version === 4 ? GsoType.TCPV4 : GsoType.TCPV6, shape.gsoBytes),
      );
      const data = decodeIp(packet).payload.subarray(20 + shape.optionBytes);
      let offset = 0;
      for (const [i, octets] of sink.packets.entries()) {
        const read = decodeIp(octets);
        assertGoodTransport(read);
        const segment = read.payload.subarray(20 + shape.optionBytes);
        assert.ok(segment.length <= shape.gsoBytes);
        assert.deepEqual(segment, data.subarray(offset, offset + segment.length));
        assert.equal(readU32(read.payload, 4), (shape.sequence + offset) >>> 0);
        assert.deepEqual(
          read.payload.subarray(20, 20 + shape.optionBytes),
          decodeIp(packet).payload.subarray(20, 20 + shape.optionBytes),
        );
        offset += segment.length;
        assert.equal(read.payload[13], offset === data.length ? shape.flags : shape.flags & ~0x08);
        if (read.version === 4) assert.equal(read.identification, (shape.identification + i) & 0xffff);
      }
      assert.equal(offset, data.length);
    }),
    { numRuns: 150 },
  );
});

/** The packet with options, or with extension headers of which this is the first. */
function withMoreHeaders(packet: Uint8Array, kind: 'hop-by-hop' | 'destination-options'): Uint8Array {
  const read = decodeIp(packet);
  // Router alert, and an option that nobody knows.
  if (read.version === 4) return encodeIp({ ...read, options: Uint8Array.of(0x94, 4, 0, 0, 0x9e, 4, 7, 8) });
  const options = padIpv6Options([{ type: 0x1e, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7) }]);
  return encodeIp({
    ...read,
    extensions: [
      { kind, options },
      { kind: 'destination-options', options },
    ],
  });
}

test('options and extension headers are in every segment, and in no checksum of TCP or UDP', () => {
  const kinds = fc.constantFrom('hop-by-hop', 'destination-options');
  fc.assert(
    fc.property(large, kinds, fc.boolean(), (shape, kind, tcp) => {
      const packet = withMoreHeaders(tcp ? tcpPacket(shape) : udpPacket(shape), kind);
      const tcpType = shape.version === 4 ? GsoType.TCPV4 : GsoType.TCPV6;
      const sink = segmentsOf(...fromKernel(packet, tcp ? tcpType : GsoType.UDP_L4, shape.gsoBytes));
      const whole = decodeIp(packet);
      const transportBytes = tcp ? 20 + shape.optionBytes : 8;
      let dataBytes = 0;
      for (const octets of sink.packets) {
        const read = decodeIp(octets);
        assertGoodTransport(read);
        if (read.version === 4 && whole.version === 4) assert.deepEqual(read.options, whole.options);
        if (read.version === 6 && whole.version === 6) assert.deepEqual(read.extensions, whole.extensions);
        dataBytes += read.payload.length - transportBytes;
        const data = read.payload.subarray(transportBytes);
        const to = transportBytes + dataBytes;
        assert.deepEqual(data, whole.payload.subarray(to - data.length, to));
      }
      assert.equal(dataBytes, shape.dataBytes);
    }),
    { numRuns: 100 },
  );
});

// RFC 8200 8.1
test('given a route for the packet in an extension header, checksums cover where it ends', () => {
  for (const tcp of [true, false]) {
    const shape: Large = {
      ...{ version: 6, dataBytes: 3000, gsoBytes: 1000, optionBytes: 12, flags: 0x18 },
      ...{ sequence: 1, identification: 0, trafficClass: 0 },
    };
    const read = decodeIp(tcp ? tcpPacket(shape) : udpPacket(shape));
    assert.ok(read.version === 6);
    const data = new Uint8Array(20);
    data.set(read.destination, 4);
    const destination = read.destination.map((octet) => octet ^ 0x55);
    const route = { kind: 'routing', routingType: 2, segmentsLeft: 1, data } as const;
    const payload = read.payload.slice();
    const checksumAt = tcp ? 16 : 6;
    // As the kernel leaves it to a device: the sum of the pseudo header, up to the end of the route.
    writeU16(payload, checksumAt, 0);
    const rest = fold(sumWords(payload, 0, payload.length));
    const whole = transportChecksum(read, read.protocol, payload);
    writeU16(payload, checksumAt, fold((~whole & 0xffff) + (~rest & 0xffff)));
    const packet = encodeIp({ ...read, destination, extensions: [route], payload });
    const type = tcp ? GsoType.TCPV6 : GsoType.UDP_L4;
    const sink = segmentsOf(...fromKernel(packet, type, 1000, 1, 40 + 24, checksumAt));
    assert.equal(sink.packets.length, 3);
    for (const octets of sink.packets) {
      const { protocol, payload, source } = decodeIp(octets);
      assert.equal(transportChecksum({ source, destination: read.destination }, protocol, payload), 0);
    }
  }
});

test('only the first segment says CWR, only the last FIN and PSH', () => {
  const shape: Large = {
    version: 4,
    dataBytes: 3000,
    gsoBytes: 1000,
    optionBytes: 0,
    flags: 0x99,
    sequence: 1,
    identification: 1,
    trafficClass: 0,
  };
  const sink = segmentsOf(...fromKernel(tcpPacket(shape), GsoType.TCPV4 | 0x80, 1000));
  assert.deepEqual(
    sink.packets.map((packet) => packet[33]),
    [0x90, 0x10, 0x19],
  );
});

test('a large UDP packet becomes datagrams that are right by themselves', () => {
  fc.assert(
    fc.property(large, (shape) => {
      const packet = udpPacket(shape);
      const sink = segmentsOf(...fromKernel(packet, GsoType.UDP_L4, shape.gsoBytes));
      const pieces = sink.packets.map((octets) => {
        const read = decodeIp(octets);
        assertGoodTransport(read);
        assert.equal(readU16(read.payload, 4), read.payload.length);
        return read.payload.subarray(8);
      });
      assert.deepEqual(Buffer.concat(pieces), Buffer.from(decodeIp(packet).payload.subarray(8)));
    }),
    { numRuns: 100 },
  );
});

test('a checksum left to us is finished, and UDP never gets a checksum of zero', () => {
  fc.assert(
    fc.property(large, fc.boolean(), (shape, udp) => {
      const packet = udp ? udpPacket(shape) : tcpPacket(shape);
      const start = shape.version === 4 ? 20 : 40;
      const offset = udp ? 6 : 16;
      const partial = packet.slice();
      // The pseudo header's sum, not complemented.
      writeU16(partial, start + offset, 0);
      const read = decodeIp(partial);
      const sum = sumWords(
        read.destination,
        0,
        read.destination.length,
        sumWords(read.source, 0, read.source.length),
      );
      writeU16(partial, start + offset, fold(sum + read.protocol + read.payload.length));
      const sink = segmentsOf(...fromKernel(partial, GsoType.NONE, 0, 1, start, offset));
      assert.deepEqual(sink.packets, [packet]);
    }),
    { numRuns: 100 },
  );
  // Data chosen so that the sum is all ones.
  const zero = udpPacket({
    version: 4,
    dataBytes: 2,
    gsoBytes: 0,
    optionBytes: 0,
    flags: 0,
    sequence: 0,
    identification: 0,
    trafficClass: 0,
  });
  const without = decodeIp(zero);
  writeU16(zero, 28, 0);
  writeU16(zero, 26, 0);
  const wanted = transportChecksum(without, 17, decodeIp(zero).payload);
  writeU16(zero, 28, wanted);
  const pseudo = fold(sumWords(without.destination, 0, 4, sumWords(without.source, 0, 4)) + 17 + 10);
  writeU16(zero, 26, pseudo);
  const [packet] = segmentsOf(...fromKernel(zero, GsoType.NONE, 0, 1, 20, 6)).packets;
  assert.equal(readU16(packet!, 26), 0xffff);
});

test('what is no packet, or of a kind nobody offered to take, is dropped without a throw', () => {
  const sink = new Collected();
  const segmentation = new Segmentation();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 90 }), fc.constantFrom(1, 3, 4, 5, 0x81, 77), (octets, type) => {
      const buffer = pinned(200);
      buffer.set(octets);
      buffer[1] = type;
      sink.cut(segmentation, buffer, octets.length);
      sink.places.length = 0;
    }),
  );
  const shape: Large = {
    version: 4,
    dataBytes: 3000,
    gsoBytes: 1000,
    optionBytes: 0,
    flags: 0x10,
    sequence: 1,
    identification: 1,
    trafficClass: 0,
  };
  // A segment size of zero would never end.
  const [octets, length] = fromKernel(tcpPacket(shape), GsoType.TCPV4, 0);
  assert.equal(sink.cut(segmentation, octets, length), false);
});
