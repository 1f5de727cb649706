// Joining TCP and UDP packets: cutting gives again what was joined.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeIp, sumWords, transportChecksum, writeU16 } from '#wire';
import { pinned } from '../libc/libc.ts';
import { PacketMemory } from '../memory/packet-memory.ts';
import { fold } from '../testing/fold.ts';
import { Coalescing } from './coalescing.ts';
import { fromKernel, segmentsOf } from './testing/device.ts';
import { type Large, large, tcpPacket, udpPacket } from './testing/large-packets.ts';
import { GsoType, virtioNetHeaderBytes } from './virtio-net-header.ts';

/** Gives packets to a `Coalescing`; what it writes. */
function joined(packets: readonly Uint8Array[], flushAfterEach = false, udp = true): Uint8Array[] {
  const written: Uint8Array[] = [];
  const memory = new PacketMemory(Coalescing.bytes + 65_600);
  const coalescing = new Coalescing(
    memory,
    (start, lengthBytes) => written.push(memory.octets.slice(start, start + lengthBytes)),
    { udp },
  );
  const at = memory.take(65_600) + 16;
  for (const packet of packets) {
    memory.octets.set(packet, at);
    coalescing.take(at, packet.length);
    if (flushAfterEach) coalescing.flush();
  }
  coalescing.flush();
  return written;
}

test('segments are joined, and cutting what was joined gives the same segments again', () => {
  fc.assert(
    fc.property(large, (shape) => {
      const { packets } = segmentsOf(
        ...fromKernel(tcpPacket(shape), shape.version === 4 ? GsoType.TCPV4 : GsoType.TCPV6, shape.gsoBytes),
      );
      const written = joined(packets);
      assert.equal(written.length, 1);
      const padded = pinned(70_000);
      padded.set(written[0]!);
      assert.deepEqual(segmentsOf(padded, written[0]!.length).packets, packets);
    }),
    { numRuns: 100 },
  );
});

test('datagrams are joined, and cutting what was joined gives the same datagrams again', () => {
  fc.assert(
    fc.property(large, (shape) => {
      const { packets } = segmentsOf(...fromKernel(udpPacket(shape), GsoType.UDP_L4, shape.gsoBytes));
      const written = joined(packets);
      // The kernel takes so many at once.
      assert.equal(written.length, Math.ceil(packets.length / 64));
      const again = written.flatMap((one) => {
        const padded = pinned(70_000);
        padded.set(one);
        return segmentsOf(padded, one.length).packets;
      });
      assert.deepEqual(again, packets);
      assert.deepEqual(bodies(joined(packets, false, false)), packets);
    }),
    { numRuns: 100 },
  );
});

test('no datagram is joined that cutting would not give again', () => {
  const pair = segmentsOf(...fromKernel(udpPacket(stream), GsoType.UDP_L4, 2000)).packets;
  const [first, second] = pair as [Uint8Array, Uint8Array];
  assert.equal(joined([first, second]).length, 1);
  const broken = second.slice();
  broken[60] = broken[60]! ^ 1;
  const unsummed = second.slice();
  writeU16(unsummed, 26, 0);
  const longer = segmentsOf(...fromKernel(udpPacket(stream), GsoType.UDP_L4, 3000)).packets[0]!;
  for (const other of [broken, unsummed, longer, first]) {
    assert.deepEqual(bodies(joined([first, other])), [first, other]);
  }
  // A shorter one ends the packet.
  const short = segmentsOf(...fromKernel(udpPacket(stream), GsoType.UDP_L4, 1500)).packets;
  assert.equal(joined([...short, first]).length, 2);
});

const stream: Large = {
  version: 4,
  dataBytes: 4000,
  gsoBytes: 1000,
  optionBytes: 12,
  flags: 0x18,
  sequence: 9,
  identification: 4,
  trafficClass: 0,
};
const four = segmentsOf(...fromKernel(tcpPacket(stream), GsoType.TCPV4, 1000)).packets;
const bodies = (written: readonly Uint8Array[]): Uint8Array[] =>
  written.map((one) => one.slice(virtioNetHeaderBytes));

/** A copy with one octet changed and the checksums right again, unless told to leave them. */
function changed(packet: Uint8Array, at: number, repair = true): Uint8Array {
  const octets = packet.slice();
  octets[at] = octets[at]! ^ 0x40;
  if (!repair) return octets;
  writeU16(octets, 10, 0);
  writeU16(octets, 10, ~fold(sumWords(octets, 0, 20)) & 0xffff);
  writeU16(octets, 36, 0);
  const read = decodeIp(octets);
  writeU16(octets, 36, transportChecksum(read, 6, read.payload));
  return octets;
}

test('nothing is joined that cutting would not give again', () => {
  const [first, second] = four as [Uint8Array, Uint8Array];
  assert.equal(joined([first, second]).length, 1);
  const cases = {
    'a gap': [first, four[2]!],
    'another order': [second, first],
    'another traffic class': [first, changed(second, 1)],
    'another identification': [first, changed(second, 4)],
    'another time to live': [first, changed(second, 8)],
    'another acknowledgement': [first, changed(second, 30)],
    'another window': [first, changed(second, 34)],
    'other options': [first, changed(second, 44)],
    'a wrong checksum': [first, changed(second, 70, false)],
    'a wrong checksum before': [changed(first, 70, false), second],
    'a wrong checksum of the IP header': [first, changed(second, 10, false)],
    'a wrong checksum of the IP header before': [changed(first, 10, false), second],
    'a flush between': [first, second],
  };
  for (const [what, packets] of Object.entries(cases)) {
    const written = joined(packets, what === 'a flush between');
    assert.deepEqual(bodies(written), packets, what);
    for (const one of written)
      assert.deepEqual(one.subarray(0, virtioNetHeaderBytes), new Uint8Array(virtioNetHeaderBytes));
  }
});

test('a pushed or a short segment ends its packet', () => {
  const pushedEarly = changed(four[1]!, 33, false);
  pushedEarly[33] = 0x18;
  writeU16(pushedEarly, 36, 0);
  const read = decodeIp(pushedEarly);
  writeU16(pushedEarly, 36, transportChecksum(read, 6, read.payload));
  const written = joined([four[0]!, pushedEarly, four[2]!, four[3]!]);
  assert.deepEqual(
    written.map((one) => one.length),
    [10 + 52 + 2000, 10 + 52 + 2000],
  );
});

test('an acknowledgement or anything else of a stream comes after the data before it', () => {
  const acknowledgement = tcpPacket({ ...stream, dataBytes: 0, flags: 0x10 });
  const finished = tcpPacket({ ...stream, dataBytes: 100, flags: 0x11 });
  const written = bodies(joined([four[0]!, four[1]!, acknowledgement, four[2]!, finished]));
  assert.equal(written.length, 4);
  assert.deepEqual([written[1], written[2], written[3]], [acknowledgement, four[2], finished]);
});

test('other packets pass at once as they are', () => {
  const datagram = udpPacket(stream);
  const fragment = tcpPacket(stream);
  fragment[6] = 0x20;
  const options = new Uint8Array(44);
  options[0] = 0x46;
  const short = Uint8Array.of(0x60, 1, 2);
  for (const packet of [datagram, fragment, options, short])
    assert.deepEqual(bodies(joined([packet])), [packet]);
});

test('several streams are joined beside each other, and more than there is room for lose nothing', () => {
  const of = (port: number, packet: Uint8Array): Uint8Array => {
    const octets = packet.slice();
    writeU16(octets, 22, port);
    return changed(changed(octets, 1), 1);
  };
  const ports = [...Array(12).keys()];
  const mixed = four.flatMap((packet) => ports.slice(0, 8).map((port) => of(port, packet)));
  assert.equal(joined(mixed).length, 8);
  const many = four.flatMap((packet) => ports.map((port) => of(port, packet)));
  const written = joined(many);
  const data = written.reduce((sum, one) => sum + one.length - 62, 0);
  assert.equal(data, 12 * 4000);
});
