// Internet checksums against the RFCs' examples and against a plain definition.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  finishChecksum,
  internetChecksum,
  sumPseudoHeader,
  sumWords,
  transportChecksum,
  updateChecksum,
} from './checksum.ts';
import { decodeIp } from './packet.ts';
import { addressPairs } from './testing/arbitraries.ts';
import * as captured from './testing/captured-packets.ts';

/** RFC 1071 1, word by word as its text says it. */
function plainChecksum(octets: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) {
    sum += ((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

test('the example of RFC 1071 3: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2', () => {
  const octets = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  assert.equal(sumWords(octets, 0, 8), 0x2ddf0);
  assert.equal(internetChecksum(octets), ~0xddf2 & 0xffff);
});

test('the example of RFC 1624 4: dd2f with a word changed from 5555 to 3285 becomes 0000', () => {
  assert.equal(updateChecksum(0xdd2f, 0x5555, 0x3285), 0x0000);
});

test('the fast sum is the plain one for every length, alignment and content', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300, size: 'max' }), fc.nat(40), (octets, start) => {
      const from = Math.min(start, octets.length);
      assert.equal(internetChecksum(octets, from), plainChecksum(octets.subarray(from)));
    }),
  );
});

test('the largest packet of all ones does not overflow the sum', () => {
  const octets = new Uint8Array(65_536).fill(0xff);
  assert.equal(sumWords(octets, 0, octets.length), 32_768 * 0xffff);
  assert.equal(internetChecksum(octets), 0);
  assert.equal(finishChecksum(0xffff * 2 ** 30), 0);
});

test('an incremental update is the checksum of the changed data', () => {
  const words = fc
    .uint8Array({ minLength: 4, maxLength: 60, size: 'max' })
    .filter((octets) => octets.length % 2 === 0);
  fc.assert(
    fc.property(words, fc.nat(), fc.nat(0xffff), (octets, where, after) => {
      const at = (where % (octets.length / 2)) * 2;
      const changed = octets.slice();
      changed[at] = after >>> 8;
      changed[at + 1] = after;
      // RFC 1624 3: only data of zeros alone has the checksum ffff, which no update can reach.
      fc.pre(changed.some((octet) => octet !== 0) && octets.some((octet) => octet !== 0));
      const before = (octets[at]! << 8) | octets[at + 1]!;
      assert.equal(updateChecksum(internetChecksum(octets), before, after), internetChecksum(changed));
    }),
  );
});

test('the pseudo header summed in place is the one over separate addresses', () => {
  fc.assert(
    fc.property(
      addressPairs,
      fc.nat(255),
      fc.uint8Array({ maxLength: 40, size: 'max' }),
      (pair, protocol, message) => {
        const length = pair.source.length as 4 | 16;
        const buffer = Uint8Array.of(...pair.source, ...pair.destination, ...message);
        const header = sumPseudoHeader(buffer, 0, length, length, protocol, message.length);
        const sum = sumWords(buffer, 2 * length, buffer.length, header);
        assert.equal(finishChecksum(sum), transportChecksum(pair, protocol, message));
      },
    ),
  );
});

test('the kernel agrees about captured UDP, TCP and ICMPv6 messages', () => {
  const { datagramV4, datagramV6, synV4, synV6, echoRequestV6, portUnreachableV6 } = captured;
  for (const octets of [datagramV4, datagramV6, synV4, synV6, echoRequestV6, portUnreachableV6]) {
    const packet = decodeIp(octets);
    assert.equal(transportChecksum(packet, packet.protocol, packet.payload), 0);
  }
});

test('datagrams quoted from a sender with checksum offload hold the folded pseudo header sum alone', () => {
  for (const octets of [captured.portUnreachableV4, captured.portUnreachableV6]) {
    const error = decodeIp(octets);
    const quoted = decodeIp(error.payload.subarray(8));
    const { source, destination, payload } = quoted;
    const buffer = Uint8Array.of(...source, ...destination);
    const length = source.length as 4 | 16;
    const sum = sumPseudoHeader(buffer, 0, length, length, quoted.protocol, payload.length);
    assert.equal(~finishChecksum(sum) & 0xffff, (payload[6]! << 8) | payload[7]!);
  }
});
