// Cutting and joining TCP and UDP packets: every piece is a right packet by itself, and both are each other's inverse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeIp,
  encodeIp,
  type IpPacket,
  readU16,
  readU32,
  sumWords,
  transportChecksum,
  writeU16,
  writeU32,
} from '#wire';
import { pinned } from '../libc.ts';
import { PacketMemory } from '../packet-memory.ts';
import { vectorSum } from '../vector-sum.ts';
import { Coalescing } from './coalescing.ts';
import { Segmentation, type SegmentSink } from './segmentation.ts';
import { GsoType, virtioNetHeaderBytes } from './virtio-net-header.ts';

const fold = (sum: number): number => {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return folded;
};

test('where an address space is too small for vectors, sums are the same', () => {
  // More than WebAssembly can have.
  assert.equal(vectorSum(2 ** 33), undefined);
  const octets = Uint8Array.from({ length: 100 }, (_, i) => i * 7);
  const known = vectorSum(100);
  known?.octets.set(octets);
  if (known !== undefined) {
    const sum = fold(known.sum(0, 99));
    assert.equal(fold(((sum & 0xff) << 8) | (sum >>> 8)), fold(sumWords(octets, 0, 99)));
  }
});

test('sums of words agree with sums of octets at any offset and length', () => {
  const memory = new PacketMemory(65_536);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 600 }),
      fc.nat(20),
      fc.nat(20),
      fc.nat(0xffff),
      (octets, a, b, initial) => {
        memory.octets.set(octets);
        const start = Math.min(a, octets.length);
        const end = Math.max(start, octets.length - b);
        assert.equal(
          fold(memory.sum(start, end, initial)) % 0xffff,
          fold(sumWords(octets, start, end, initial)) % 0xffff,
        );
      },
    ),
    { numRuns: 2000 },
  );
  memory.octets.fill(0xff);
  assert.equal(fold(memory.sum(0, 65_536)), 0xffff);
});

interface Large {
  readonly version: 4 | 6;
  readonly dataBytes: number;
  readonly gsoBytes: number;
  readonly optionBytes: number;
  readonly flags: number;
  readonly sequence: number;
  readonly identification: number;
  readonly trafficClass: number;
}

const large: fc.Arbitrary<Large> = fc.record({
  version: fc.constantFrom<4 | 6>(4, 6),
  dataBytes: fc.oneof(fc.integer({ min: 1, max: 6000 }), fc.integer({ min: 1, max: 60_000 })),
  gsoBytes: fc.oneof(fc.integer({ min: 536, max: 1500 }), fc.constantFrom(1348, 1360, 1400)),
  optionBytes: fc.constantFrom(0, 4, 12, 40),
  flags: fc.constantFrom(0x10, 0x18),
  sequence: fc.oneof(fc.nat(), fc.constantFrom(0xffff_ff00, 0)),
  identification: fc.constantFrom(0, 7, 0xfffe),
  trafficClass: fc.constantFrom(0, 0xb8, 2),
});

const addresses = {
  4: [Uint8Array.of(10, 1, 0, 1), Uint8Array.of(10, 2, 0, 1)],
  6: [
    Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  ],
} as const;

function ip(
  shape: Pick<Large, 'version' | 'identification' | 'trafficClass'>,
  protocol: number,
  payload: Uint8Array,
): Uint8Array {
  const [source, destination] = addresses[shape.version];
  const common = {
    dscp: shape.trafficClass >>> 2,
    ecn: shape.trafficClass & 3,
    source,
    destination,
    protocol,
    payload,
  };
  if (shape.version === 6)
    return encodeIp({ ...common, version: 6, flowLabel: 0x12345, hopLimit: 64, extensions: [] });
  return encodeIp({
    ...common,
    version: 4,
    identification: shape.identification,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    timeToLive: 64,
    options: new Uint8Array(0),
  });
}

function fill(octets: Uint8Array, from: number): void {
  for (let i = from; i < octets.length; i++) octets[i] = Math.imul(i, 0x9e37_79b1) >>> 24;
}

function tcpPacket(shape: Large): Uint8Array {
  const headerBytes = 20 + shape.optionBytes;
  const payload = new Uint8Array(headerBytes + shape.dataBytes);
  fill(payload, 20);
  writeU16(payload, 0, 5201);
  writeU16(payload, 2, 40_000);
  writeU32(payload, 4, shape.sequence);
  writeU32(payload, 8, 0x0102_0304);
  payload[12] = (headerBytes / 4) << 4;
  payload[13] = shape.flags;
  writeU16(payload, 14, 501);
  const [source, destination] = addresses[shape.version];
  writeU16(payload, 16, transportChecksum({ source, destination }, 6, payload));
  return ip(shape, 6, payload);
}

function udpPacket(shape: Large): Uint8Array {
  const payload = new Uint8Array(8 + shape.dataBytes);
  fill(payload, 8);
  writeU16(payload, 0, 5201);
  writeU16(payload, 2, 40_000);
  writeU16(payload, 4, payload.length);
  const [source, destination] = addresses[shape.version];
  writeU16(payload, 6, transportChecksum({ source, destination }, 17, payload) || 0xffff);
  return ip(shape, 17, payload);
}

/** What the kernel writes: a virtio header and the packet, in a buffer as long as a read's. */
function fromKernel(
  packet: Uint8Array,
  type: number,
  gsoBytes: number,
  flags = 0,
  start = 0,
  offset = 0,
): [Uint8Array, number] {
  const octets = pinned(70_000);
  octets[0] = flags;
  octets[1] = type;
  const little = (at: number, value: number): void => {
    octets[at] = value;
    octets[at + 1] = value >>> 8;
  };
  little(4, gsoBytes);
  little(6, start);
  little(8, offset);
  octets.set(packet, virtioNetHeaderBytes);
  return [octets, virtioNetHeaderBytes + packet.length];
}

const collectedBytes = 400_000;
const readBytes = 70_000;

class Collected implements SegmentSink {
  readonly memory: PacketMemory = new PacketMemory(collectedBytes + readBytes);
  readonly places: { at: number; lengthBytes: number }[] = [];
  #next = 0;

  place(lengthBytes: number): number {
    const at = this.#next;
    this.places.push({ at, lengthBytes });
    this.#next = at + lengthBytes;
    return at;
  }

  /** What the device would have read. */
  cut(segmentation: Segmentation, octets: Uint8Array, lengthBytes: number): boolean {
    this.memory.octets.set(octets.subarray(0, lengthBytes), collectedBytes);
    return segmentation.take(collectedBytes, lengthBytes, this);
  }

  get packets(): Uint8Array[] {
    return this.places.map(({ at, lengthBytes }) => this.memory.octets.slice(at, at + lengthBytes));
  }
}

function segmentsOf(...[octets, length]: [Uint8Array, number]): Collected {
  const sink = new Collected();
  assert.equal(sink.cut(new Segmentation(), octets, length), true);
  return sink;
}

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
