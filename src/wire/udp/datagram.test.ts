// UDP datagrams: round trips, checksums and lengths that lie.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { decodeIp } from '../ip/index.ts';
import { addressPairs } from '../ip/testing/arbitraries.ts';
import { datagramV4, datagramV6 } from '../ip/testing/captured-packets.ts';
import { assertRefusesEveryPrefix, assertTotal } from '../testing/total-decoding.ts';
import { decodeUdp, encodeUdp, udpHeaderLength, writeUdpHeader } from './datagram.ts';
import { udpDatagrams } from './testing/arbitraries.ts';

const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

test('captured datagrams of either version have the checksums the kernel gave them', () => {
  for (const octets of [datagramV4, datagramV6]) {
    const packet = decodeIp(octets);
    const datagram = decodeUdp(packet.payload, packet);
    assert.equal(datagram.destinationPort, 4500);
    assert.equal(text(datagram.payload), 'wayward');
    assert.equal(datagram.checksummed, true);
    assert.deepEqual(encodeUdp(datagram, packet), new Uint8Array(packet.payload));
  }
});

test('decode(encode(datagram)) is the datagram, and its addresses are covered', () => {
  fc.assert(
    fc.property(udpDatagrams, addressPairs, (datagram, addresses) => {
      const octets = encodeUdp(datagram, addresses);
      assert.deepEqual(decodeUdp(octets, addresses), datagram);
      assert.deepEqual(decodeUdp(octets), datagram);
      const elsewhere = {
        ...addresses,
        source: addresses.source.map((octet, i) => (i === 0 ? octet ^ 1 : octet)),
      };
      if (datagram.checksummed) assert.throws(() => decodeUdp(octets, elsewhere), WireError);
    }),
  );
});

test('a computed checksum of zero is sent as all ones (RFC 768)', () => {
  const addresses = { source: new Uint8Array(4), destination: new Uint8Array(4) };
  // Protocol 17 and twice the length 10 leave 0xffff - 37 for the payload word to add.
  const payload = Uint8Array.of(0xff, 0xff - 37);
  const octets = encodeUdp({ sourcePort: 0, destinationPort: 0, checksummed: true, payload }, addresses);
  assert.deepEqual([octets[6], octets[7]], [0xff, 0xff]);
  assert.equal(decodeUdp(octets, addresses).checksummed, true);
});

test('lengths that lie, and truncation at every octet', () => {
  const addresses = { source: new Uint8Array(4), destination: new Uint8Array(4) };
  const payload = Uint8Array.of(1, 2, 3);
  const octets = encodeUdp({ sourcePort: 1, destinationPort: 2, checksummed: false, payload }, addresses);
  assertRefusesEveryPrefix(decodeUdp, octets);
  for (const length of [0, 7]) {
    octets[5] = length;
    assert.throws(
      () => decodeUdp(octets),
      (error) => error instanceof WireError && error.code === 'length' && error.offset === 4,
    );
  }
  octets[5] = 10;
  assert.deepEqual(decodeUdp(octets).payload, payload.subarray(0, 2));
});

test('any input leads to a datagram or a WireError', () => {
  const addresses = { source: new Uint8Array(4), destination: new Uint8Array(4) };
  const valid = udpDatagrams.map((datagram) => encodeUdp(datagram, addresses));
  assertTotal((octets) => decodeUdp(octets, addresses), valid);
});

test('a header written in place is that of an encoded datagram without checksum', () => {
  const addresses = { source: new Uint8Array(4), destination: new Uint8Array(4) };
  fc.assert(
    fc.property(udpDatagrams, fc.nat(20), (datagram, offset) => {
      const { sourcePort, destinationPort, payload } = datagram;
      const buffer = new Uint8Array(offset + udpHeaderLength).fill(0xee);
      writeUdpHeader(buffer, offset, sourcePort, destinationPort, payload.length);
      const expected = encodeUdp({ ...datagram, checksummed: false }, addresses).slice(0, udpHeaderLength);
      assert.deepEqual(buffer.slice(offset), expected);
      assert.ok(buffer.slice(0, offset).every((octet) => octet === 0xee));
    }),
  );
});
