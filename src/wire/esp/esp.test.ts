// ESP headers and the three things that share the NAT traversal port.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { assertTotal, decodes } from '../testing/total-decoding.ts';
import { decodeEsp, encodeEsp, readEspSpi, writeEspHeader } from './packet.ts';
import { espPackets } from './testing/arbitraries.ts';
import {
  addNonEspMarker,
  classifyUdpEncapsulated,
  natKeepalive,
  removeNonEspMarker,
} from './udp-encapsulation.ts';

test('round trips, in place and whole', () => {
  fc.assert(
    fc.property(espPackets, fc.nat(20), (packet, offset) => {
      const octets = encodeEsp(packet);
      assert.deepEqual(decodeEsp(octets), packet);
      const buffer = new Uint8Array(offset + 8);
      writeEspHeader(buffer, offset, packet.spi, packet.sequence);
      assert.deepEqual(buffer.slice(offset), octets.slice(0, 8));
      assert.equal(readEspSpi(buffer, offset), packet.spi);
    }),
  );
});

test('a header cut anywhere is refused', () => {
  const octets = encodeEsp({ spi: 0x80000001, sequence: 0xffffffff, body: new Uint8Array() });
  assert.equal(octets.length, 8);
  for (let length = 0; length < 8; length++) {
    assert.equal(decodes(decodeEsp, octets.slice(0, length)), false);
    assert.equal(readEspSpi(octets, 0, length), -1);
    assert.equal(readEspSpi(octets, 8 - length), -1);
  }
  assert.equal(readEspSpi(octets, 0, 9), -1);
  assert.throws(() => writeEspHeader(octets, 1, 256, 1), WireError);
  assertTotal(decodeEsp, espPackets.map(encodeEsp));
});

test('SPI zero is never on the wire (RFC 4303 2.1)', () => {
  assert.throws(() => decodeEsp(new Uint8Array(20)), WireError);
  assert.throws(() => encodeEsp({ spi: 0, sequence: 1, body: new Uint8Array() }), WireError);
});

// RFC 3948 2.1, 2.2, 2.3
test('RFC 3948 2.1-2.3: each payload is exactly one thing', () => {
  const cases: [number[], string][] = [
    [[], 'short'],
    [[0xff], 'keepalive'],
    [[0x00], 'short'],
    [[0xfe], 'short'],
    [[0xff, 0xff], 'short'],
    [[0, 0, 0], 'short'],
    [[0, 0, 0, 0], 'ike'],
    [[0, 0, 0, 0, 1], 'ike'],
    [[0, 0, 0, 1], 'short'],
    [[0xff, 0xff, 0xff, 0xff, 0, 0, 0], 'short'],
    [[0, 0, 0, 1, 0, 0, 0, 1], 'esp'],
    [[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1], 'esp'],
  ];
  for (const [octets, expected] of cases) {
    assert.equal(classifyUdpEncapsulated(Uint8Array.from(octets)), expected, octets.join(' '));
    const buffer = Uint8Array.from([0xff, ...octets, 0xff, 0xff]);
    assert.equal(classifyUdpEncapsulated(buffer, 1, 1 + octets.length), expected, 'in a larger buffer');
  }
  assert.equal(classifyUdpEncapsulated(natKeepalive()), 'keepalive');
  assert.equal(
    classifyUdpEncapsulated(Uint8Array.of(0, 0, 0, 1), 0, 8),
    'short',
    'a range beyond the buffer',
  );
});

test('what is classified as ESP decodes, and what has a marker is IKE', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40, size: 'max' }), (octets) => {
      if (classifyUdpEncapsulated(octets) === 'esp') decodeEsp(octets);
      const marked = addNonEspMarker(octets);
      assert.equal(classifyUdpEncapsulated(marked), 'ike');
      assert.deepEqual(removeNonEspMarker(marked), octets);
    }),
  );
  assert.equal(removeNonEspMarker(Uint8Array.of(0, 0, 0, 1)), undefined);
});
