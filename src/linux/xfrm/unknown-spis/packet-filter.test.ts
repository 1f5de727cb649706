// The filter for unknown SPIs, and what is read of the packets that it lets through.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressFromBytes } from '#sa';
import { encodeIpv4, encodeIpv6, writeU16 } from '#wire';
import { runFilter } from '../../testing/bpf-machine.ts';
import { filteredSpisMax, unknownSpiFilter } from './packet-filter.ts';
import { evidenceOf } from './sniffed-packet.ts';

const port = 4500;
const source4 = Uint8Array.of(192, 0, 2, 1);
const destination4 = Uint8Array.of(192, 0, 2, 2);
const source6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 1);
const destination6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 2);

function words(...values: readonly number[]): Uint8Array {
  const octets = new Uint8Array(4 * values.length + 20);
  const view = new DataView(octets.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value);
  return octets;
}

const esp = (spi: number): Uint8Array => words(spi, 7);
const ah = (spi: number): Uint8Array => words(0x04040000, spi, 7);

function ip(version: 4 | 6, protocol: number, payload: Uint8Array): Uint8Array {
  // The encoder takes AH for an extension header, which is read before anything is sent; here it comes afterwards.
  const common = { dscp: 0, ecn: 0, protocol: 50, payload };
  const packet =
    version === 4
      ? encodeIpv4({
          ...common,
          ...{ version: 4, identification: 1, dontFragment: false, moreFragments: false, fragmentOffset: 0 },
          ...{ timeToLive: 64, source: source4, destination: destination4, options: new Uint8Array() },
        })
      : encodeIpv6({
          ...common,
          ...{ version: 6, flowLabel: 0x12345, hopLimit: 64, extensions: [] },
          ...{ source: source6, destination: destination6 },
        });
  packet[version === 4 ? 9 : 6] = protocol;
  return packet;
}

function udp(version: 4 | 6, destinationPort: number, payload: Uint8Array): Uint8Array {
  const header = new Uint8Array(8 + payload.length);
  const view = new DataView(header.buffer);
  view.setUint16(0, 40_000);
  view.setUint16(2, destinationPort);
  view.setUint16(4, header.length);
  header.set(payload, 8);
  return ip(version, 17, header);
}

const passes = (version: 4 | 6, packet: Uint8Array, known: readonly number[] = []): boolean =>
  runFilter(unknownSpiFilter(version, port, known), packet) > 0;

for (const version of [4, 6] as const) {
  test(`IPv${version}: ESP, AH and ESP in UDP pass unless their SPI is known`, () => {
    for (const packet of [
      ip(version, 50, esp(0xc0000001)),
      ip(version, 51, ah(0xc0000001)),
      udp(version, port, esp(0xc0000001)),
    ]) {
      assert.equal(passes(version, packet), true);
      assert.equal(passes(version, packet, [1, 0xc0000002]), true);
      assert.equal(passes(version, packet, [1, 0xc0000001, 5]), false);
      assert.equal(evidenceOf(packet, port)?.spi, 0xc0000001);
      assert.equal(evidenceOf(packet, port)?.sequence, 7);
    }
  });

  test(`IPv${version}: IKE, keepalives, other ports and other protocols do not pass`, () => {
    const ike = words(0, 1, 2, 3);
    for (const packet of [
      udp(version, port, ike),
      udp(version, port, Uint8Array.of(0xff)),
      udp(version, 500, esp(0xc0000001)),
      ip(version, 6, esp(0xc0000001)),
    ]) {
      assert.equal(passes(version, packet), false);
      assert.equal(evidenceOf(packet, port), undefined);
    }
  });
}

test('a later fragment does not pass: where its SPI would be is something else', () => {
  const packet = ip(4, 50, esp(0xc0000001));
  packet[7] = 1;
  assert.equal(passes(4, packet), false);
  assert.equal(evidenceOf(packet, port), undefined);
});

test('evidence has what an audit record wants (RFC 4303 3.4.2)', () => {
  assert.deepEqual(evidenceOf(udp(6, port, esp(0xc0000001)), port), {
    protocol: 'esp',
    spi: 0xc0000001,
    sequence: 7,
    source: { address: addressFromBytes(source6), port: 40_000 },
    destination: { address: addressFromBytes(destination6), port },
    encapsulated: true,
    flowLabel: 0x12345,
    lengthBytes: 28,
  });
  assert.deepEqual(evidenceOf(ip(4, 51, ah(0xc0000001)), port), {
    protocol: 'ah',
    spi: 0xc0000001,
    sequence: 7,
    source: { address: addressFromBytes(source4), port: 0 },
    destination: { address: addressFromBytes(destination4), port: 0 },
    encapsulated: false,
    lengthBytes: 32,
  });
});

test('what lies behind the end that a packet names is no evidence: the kernel takes no ESP of it', () => {
  for (const [version, lengthAt, payloadBytes] of [
    [4, 2, 20],
    [6, 4, 0],
  ] as const)
    for (const packet of [
      udp(version, port, esp(0xc0000001)),
      ip(version, 50, esp(0xc0000001)),
      ip(version, 51, ah(0xc0000001)),
    ]) {
      assert.notEqual(evidenceOf(packet, port), undefined);
      const short = packet.slice();
      writeU16(short, lengthAt, payloadBytes + 7);
      assert.equal(evidenceOf(short, port), undefined);
    }
});

test('more SPIs than the kernel takes instructions are not filtered', () => {
  const many = Array.from({ length: filteredSpisMax }, (_, i) => i + 0x1000);
  const full = unknownSpiFilter(4, port, many);
  assert.ok(full.length / 8 <= 4096);
  assert.equal(runFilter(full, ip(4, 50, esp(0x1000 + filteredSpisMax - 1))), 0);
  const packet = ip(4, 50, esp(0x1000));
  assert.equal(passes(4, packet, [...many, 5]), true);
});

test('any octets: the filter and the reader agree about whole packets, and neither reads beyond them', () => {
  const packets = fc.oneof(
    fc.uint8Array({ maxLength: 80, size: 'max' }),
    fc
      .tuple(
        fc.constantFrom(4, 6),
        fc.constantFrom(50, 51, 17, 6),
        fc.uint8Array({ maxLength: 40, size: 'max' }),
      )
      .map(([version, protocol, payload]) => ip(version as 4 | 6, protocol, payload)),
    fc
      .tuple(fc.constantFrom(4, 6), fc.uint8Array({ maxLength: 40, size: 'max' }))
      .map(([version, payload]) => udp(version as 4 | 6, port, payload)),
  );
  fc.assert(
    fc.property(packets, fc.nat(100), (packet, cut) => {
      const octets = packet.slice(0, Math.max(0, packet.length - (cut % 8 === 0 ? cut : 0)));
      const evidence = evidenceOf(octets, port);
      const version = (octets[0] ?? 0) >>> 4 === 6 ? 6 : 4;
      // The filter is content with less than the reader, which wants a sequence number.
      if (evidence !== undefined) assert.equal(passes(version, octets), true);
    }),
    { numRuns: 500 },
  );
});
