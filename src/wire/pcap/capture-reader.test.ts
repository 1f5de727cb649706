// Capture files: captured ones, generated ones in both byte orders, broken ones, and any way of cutting them in chunks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { decodeIp, decodeUdp } from '../index.ts';
import { assertTotal } from '../testing/total-decoding.ts';
import { type CapturePacket, captureRecordLengthMax } from './capture-packet.ts';
import { CaptureReader, decodeCapture } from './capture-reader.ts';
import { CaptureWriter } from './capture-writer.ts';
import { LinkType, locateIpPacket } from './link-type.ts';
import { captureFiles, pcapngFiles } from './testing/arbitraries.ts';
import * as captured from './testing/captured-files.ts';

function wireError(code: WireError['code'], offset: number, field: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof WireError, `${error}`);
    assert.deepEqual([error.code, error.offset, error.field], [code, offset, field]);
    return true;
  };
}

function drain(reader: CaptureReader): CapturePacket[] {
  const packets: CapturePacket[] = [];
  for (let packet = reader.next(); packet !== undefined; packet = reader.next()) packets.push(packet);
  return packets;
}

function ipOf(packet: CapturePacket): Uint8Array {
  const offset = locateIpPacket(packet.linkType, packet.octets);
  assert.ok(offset !== undefined);
  return packet.octets.subarray(offset);
}

test('files of tcpdump and dumpcap: the datagram for port 4500 is found in each of them', () => {
  const linkTypes: [Uint8Array, number, number][] = [
    [captured.microsecondEthernet, LinkType.ETHERNET, 4],
    [captured.nanosecondEthernet, LinkType.ETHERNET, 2],
    [captured.cookedV1, LinkType.LINUX_SLL, 2],
    [captured.cookedV2, LinkType.LINUX_SLL2, 2],
    [captured.twoInterfaces, LinkType.ETHERNET, 4],
  ];
  for (const [file, linkType, count] of linkTypes) {
    const packets = decodeCapture(file);
    assert.equal(packets.length, count);
    assert.ok(packets.every((packet) => packet.linkType === linkType));
    const datagram = decodeUdp(decodeIp(ipOf(packets[0]!)).payload);
    assert.equal(Buffer.from(datagram.payload).toString('latin1'), 'wayward');
  }
});

test('the same packet has the same time in files of different precision', () => {
  const times = [captured.microsecondEthernet, captured.nanosecondEthernet, captured.twoInterfaces].map(
    (file) => decodeCapture(file)[1]!.timestampNs!,
  );
  const [micro, nano, pcapng] = times as [bigint, bigint, bigint];
  assert.equal(nano / 1000n, micro / 1000n);
  assert.equal(micro % 1000n, 0n);
  assert.equal(pcapng, nano);
});

test('a captured packet that was cut says how long it was', () => {
  const [, packet] = decodeCapture(captured.nanosecondEthernet);
  assert.deepEqual([packet!.octets.length, packet!.originalLength], [60, 77]);
});

test('dumpcap names its interfaces', () => {
  assert.deepEqual(
    decodeCapture(captured.twoInterfaces).map(({ interfaceName }) => interfaceName),
    ['wv0', 'wv0', 'wv0', 'wv0'],
  );
});

test('files in either byte order give their packets back', () => {
  fc.assert(
    fc.property(captureFiles, (file) => {
      const packets = decodeCapture(file.octets);
      assert.deepEqual(
        packets.map(({ timestampNs, octets }) => ({ timestampNs, octets })),
        file.packets,
      );
    }),
  );
});

test('how a file is cut into chunks makes no difference', () => {
  fc.assert(
    fc.property(captureFiles, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (file, sizes) => {
      const reader = new CaptureReader();
      const packets: CapturePacket[] = [];
      for (let at = 0, i = 0; at < file.octets.length; i++) {
        const size = sizes[i % sizes.length]!;
        reader.push(file.octets.subarray(at, at + size));
        packets.push(...drain(reader));
        at += size;
      }
      reader.end();
      assert.deepEqual(packets, decodeCapture(file.octets));
    }),
  );
});

/** Where the header and the records of a little-endian file begin, and its end. */
function recordOffsets(file: Uint8Array): number[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const pcapng = view.getUint32(0) === 0x0a0d0d0a;
  const offsets = [0];
  for (let at = pcapng ? 0 : 24; at < file.length; ) {
    at += pcapng ? view.getUint32(at + 4, true) : 16 + view.getUint32(at + 8, true);
    offsets.push(at);
  }
  return pcapng ? offsets : [0, 24, ...offsets.slice(1)];
}

test('a file cut anywhere gives its complete packets, then says where the incomplete record begins', () => {
  for (const file of [captured.microsecondEthernet, captured.nanosecondEthernet, captured.twoInterfaces]) {
    const whole = decodeCapture(file);
    const offsets = recordOffsets(file);
    assert.equal(offsets.at(-1), file.length);
    for (let length = 0; length < file.length; length++) {
      const reader = new CaptureReader();
      reader.push(file.subarray(0, length));
      const begun = offsets.findLast((offset) => offset <= length)!;
      assert.deepEqual(
        drain(reader),
        whole.filter(({ fileOffset }) => fileOffset < begun),
      );
      if (begun === length && length > 0) {
        reader.end();
      } else {
        const field = length < 4 ? 'capture.magic' : 'capture.record';
        assert.throws(() => reader.end(), wireError('truncated', begun, field));
      }
    }
  }
});

test('a cut inside a skipped block is reported at that block', () => {
  fc.assert(
    fc.property(pcapngFiles, (file) => {
      // The section header has 28 octets, the interface 20, and the unknown block begins behind them.
      const reader = new CaptureReader();
      for (const octet of file.octets.subarray(0, 60)) {
        reader.push(Uint8Array.of(octet));
        assert.equal(reader.next(), undefined);
      }
      assert.throws(() => reader.end(), wireError('truncated', 48, 'capture.record'));
    }),
  );
});

test('garbage is refused at its offset, and stays refused', () => {
  const reader = new CaptureReader();
  reader.push(Uint8Array.of(1, 2, 3, 4, 5));
  for (let i = 0; i < 2; i++) {
    assert.throws(() => reader.next(), wireError('value', 0, 'capture.magic'));
    assert.throws(() => reader.end(), wireError('value', 0, 'capture.magic'));
  }
  assert.throws(() => decodeCapture(new Uint8Array()), wireError('truncated', 0, 'capture.magic'));
});

test('pcap headers that lie', () => {
  const version = captured.microsecondEthernet.slice();
  version[4] = 3;
  assert.throws(() => decodeCapture(version), wireError('version', 4, 'pcap.version'));
  const length = captured.microsecondEthernet.slice();
  length.set([0xff, 0xff, 0xff, 0x7f], 24 + 8);
  assert.throws(() => decodeCapture(length), wireError('limit', 32, 'pcap.capturedLength'));
});

const written = new CaptureWriter();
const start = written.start();
const packet = written.packet({ timestampNs: 1n, octets: Uint8Array.of(1, 2, 3), comment: 'x' });

/** The file of one packet with 32 bits of the packet's block replaced. */
function lie(at: number, value: number): Uint8Array {
  const octets = Uint8Array.of(...start, ...packet);
  new DataView(octets.buffer).setUint32(start.length + at, value);
  return octets;
}

test('pcapng blocks that lie', () => {
  const at = start.length;
  const cases: [number, number, WireError['code'], number, string][] = [
    [4, packet.length - 1, 'length', 4, 'pcapng.block.length'],
    [4, 8, 'length', 4, 'pcapng.block.length'],
    [4, captureRecordLengthMax + 4, 'limit', 4, 'pcapng.block.length'],
    [4, packet.length - 4, 'length', packet.length - 8, 'pcapng.block.trailingLength'],
    [8, 1, 'value', 8, 'pcapng.packet.interface'],
    [20, packet.length - 31, 'length', 20, 'pcapng.packet.capturedLength'],
    [20, 0xffff_ffff, 'length', 20, 'pcapng.packet.capturedLength'],
    [32, 0x0001_0020, 'length', 34, 'pcapng.option.length'],
    [packet.length - 4, 12, 'length', packet.length - 4, 'pcapng.block.trailingLength'],
  ];
  for (const [where, value, code, offset, field] of cases) {
    assert.throws(
      () => decodeCapture(lie(where, value)),
      wireError(code, at + offset, field),
      `${where}: ${value}`,
    );
  }
});

test('pcapng sections that lie', () => {
  const magic = start.slice();
  magic[8] = 0;
  assert.throws(() => decodeCapture(magic), wireError('value', 8, 'pcapng.section.byteOrderMagic'));
  const version = start.slice();
  version[13] = 2;
  assert.throws(() => decodeCapture(version), wireError('version', 12, 'pcapng.section.version'));
});

/** A big-endian block around 32-bit words. */
function block(type: number, ...words: number[]): number[] {
  const length = 12 + 4 * words.length;
  const all = [type, length, ...words, length];
  return all.flatMap((word) => [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff]);
}

const section = block(0x0a0d0d0a, 0x1a2b3c4d, 0x0001_0000, 0xffff_ffff, 0xffff_ffff);
const rawLink = LinkType.RAW << 16;

test('timestamps in powers of two, and with an offset in seconds', () => {
  // if_tsresol (9) of 2^-4 seconds, if_tsoffset (14) of -2 seconds.
  const options = [0x0009_0001, 0x8400_0000, 0x000e_0008, 0xffff_ffff, 0xffff_fffe];
  const file = [...section, ...block(1, rawLink, 0, ...options), ...block(6, 0, 0, 5 * 16 + 8, 0, 0)];
  const [packet] = decodeCapture(Uint8Array.from(file));
  assert.equal(packet?.timestampNs, 3_500_000_000n);
});

test('a Simple Packet Block is cut at its interface snap length, and has no time', () => {
  const file = [...section, ...block(1, rawLink, 6), ...block(3, 100, 0x45000001, 0x02030000)];
  const [packet] = decodeCapture(Uint8Array.from(file));
  assert.deepEqual(packet, {
    linkType: LinkType.RAW,
    octets: Uint8Array.of(0x45, 0, 0, 1, 2, 3),
    originalLength: 100,
    interfaceId: 0,
    fileOffset: 48,
  });
  const orphan = Uint8Array.from([...section, ...block(3, 0)]);
  assert.throws(() => decodeCapture(orphan), wireError('value', 28, 'pcapng.packet.interface'));
});

test('interfaces beyond any need are refused, so that memory stays bounded', () => {
  const many = new CaptureWriter({ interfaces: new Array(4097).fill({}) });
  assert.throws(
    () => decodeCapture(many.start()),
    (error) => error instanceof WireError && error.code === 'limit' && error.field === 'pcapng.interfaces',
  );
  const long = new CaptureWriter({ interfaces: [{ name: 'x'.repeat(257) }] });
  assert.throws(
    () => decodeCapture(long.start()),
    (error) => error instanceof WireError && error.code === 'limit' && error.field === 'pcapng.if_name',
  );
});

test('a skipped block of any size passes without being held', () => {
  const reader = new CaptureReader();
  reader.push(start);
  reader.push(Uint8Array.of(0x0b, 0xad, 0, 0, 0xf0, 0, 0, 0));
  const chunk = new Uint8Array(1 << 20);
  // 3.75 GiB, which could not be held: each chunk is dropped as it comes, the packet behind the block is found.
  for (let rest = 0xf000_0000 - 12; rest > 0; rest -= chunk.length) {
    reader.push(chunk.subarray(0, Math.min(chunk.length, rest)));
    assert.equal(reader.next(), undefined);
  }
  reader.push(Uint8Array.of(0xf0, 0, 0, 0, ...packet));
  assert.deepEqual(drain(reader)[0]?.octets, Uint8Array.of(1, 2, 3));
  reader.end();
});

test('any input leads to packets or a WireError', () => {
  assertTotal(
    decodeCapture,
    captureFiles.map(({ octets }) => octets),
    1000,
  );
});
