// ICMP of both versions: captured messages, round trips, and inputs that lie.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { decodeIp, decodeIpv4, decodeIpv6 } from '../ip/index.ts';
import { addressPairs } from '../ip/testing/arbitraries.ts';
import * as captured from '../ip/testing/captured-packets.ts';
import { assertTotal, decodes } from '../testing/total-decoding.ts';
import { decodeIcmpv4, encodeIcmpv4 } from './icmpv4.ts';
import { decodeIcmpv6, encodeIcmpv6 } from './icmpv6.ts';
import { icmpv4Messages, icmpv6Messages } from './testing/arbitraries.ts';

test('a captured echo request of either version', () => {
  const four = decodeIcmpv4(decodeIpv4(captured.echoRequestV4).payload);
  assert.ok(four.kind === 'echo-request');
  assert.equal(four.sequence, 1);
  assert.equal(four.data.length, 16);
  const packet = decodeIpv6(captured.echoRequestV6);
  const six = decodeIcmpv6(packet.payload, packet);
  assert.ok(six.kind === 'echo-request');
  assert.equal(six.sequence, 1);
});

test('a captured port unreachable of either version quotes the datagram it is about', () => {
  const four = decodeIpv4(captured.portUnreachableV4);
  const error = decodeIcmpv4(four.payload);
  assert.ok(error.kind === 'destination-unreachable');
  assert.equal(error.code, 3);
  const quoted = decodeIp(error.quoted, { partial: true });
  assert.deepEqual([quoted.source, quoted.destination], [four.destination, four.source]);
  const six = decodeIpv6(captured.portUnreachableV6);
  const error6 = decodeIcmpv6(six.payload, six);
  assert.ok(error6.kind === 'destination-unreachable');
  assert.equal(error6.code, 4);
  assert.deepEqual(decodeIp(error6.quoted, { partial: true }).source, six.destination);
});

test('captured messages encode to the same octets', () => {
  for (const octets of Object.values(captured)) {
    const packet = decodeIp(octets);
    // Fragments are no whole messages.
    if (packet.protocol === 1 && packet.version === 4 && packet.fragmentOffset === 0) {
      assert.deepEqual(encodeIcmpv4(decodeIcmpv4(packet.payload)), new Uint8Array(packet.payload));
    }
    if (
      packet.version === 6 &&
      packet.protocol === 58 &&
      !packet.extensions.some(({ kind }) => kind === 'fragment')
    ) {
      const message = decodeIcmpv6(packet.payload, packet);
      assert.deepEqual(encodeIcmpv6(message, packet), new Uint8Array(packet.payload));
    }
  }
});

test('decode(encode(message)) is the message', () => {
  fc.assert(
    fc.property(icmpv4Messages, (message) => {
      assert.deepEqual(decodeIcmpv4(encodeIcmpv4(message)), message);
    }),
  );
  fc.assert(
    fc.property(icmpv6Messages, addressPairs, (message, addresses) => {
      assert.deepEqual(decodeIcmpv6(encodeIcmpv6(message, addresses), addresses), message);
    }),
  );
});

test('a message cut anywhere is refused, by its checksum if nothing else', () => {
  const packet = decodeIpv6(captured.portUnreachableV6);
  const four = decodeIpv4(captured.portUnreachableV4).payload;
  for (let length = 0; length < 8; length++) {
    assert.equal(decodes(decodeIcmpv4, four.slice(0, length)), false);
    assert.equal(
      decodes((octets) => decodeIcmpv6(octets, packet), packet.payload.slice(0, length)),
      false,
    );
  }
});

test('a wrong bit anywhere is found by the checksum', () => {
  const { payload } = decodeIpv4(captured.portUnreachableV4);
  const packet = decodeIpv6(captured.portUnreachableV6);
  for (let bit = 0; bit < payload.length * 8; bit++) {
    const octets = payload.slice();
    octets[bit >> 3]! ^= 0x80 >> (bit & 7);
    assert.throws(() => decodeIcmpv4(octets), WireError);
  }
  for (let bit = 0; bit < packet.payload.length * 8; bit++) {
    const octets = packet.payload.slice();
    octets[bit >> 3]! ^= 0x80 >> (bit & 7);
    assert.throws(() => decodeIcmpv6(octets, packet), WireError);
  }
});

test('a quote length beyond the message is refused (RFC 4884)', () => {
  const octets = encodeIcmpv4({ kind: 'time-exceeded', code: 0, quoted: new Uint8Array(28) });
  octets[5] = 8;
  octets[3]! -= 8;
  assert.throws(
    () => decodeIcmpv4(octets),
    (error) => error instanceof WireError && error.code === 'truncated' && error.field === 'ICMP.quote',
  );
  const bad = { quoted: new Uint8Array(27), extension: new Uint8Array(4) };
  assert.throws(() => encodeIcmpv4({ kind: 'time-exceeded', code: 0, ...bad }), WireError);
  const long = { quoted: new Uint8Array(1024), extension: new Uint8Array(4) };
  assert.throws(
    () => encodeIcmpv4({ kind: 'time-exceeded', code: 0, ...long }),
    (error) => error instanceof WireError && error.field === 'ICMP.quote',
  );
});

test('one message has one form: kinds with a name are not encoded as another', () => {
  const body = new Uint8Array(4);
  assert.throws(() => encodeIcmpv4({ kind: 'other', type: 3, code: 0, body }), WireError);
  assert.throws(() => encodeIcmpv4({ kind: 'destination-unreachable', code: 4, quoted: body }), WireError);
  const addresses = { source: new Uint8Array(16), destination: new Uint8Array(16) };
  assert.throws(() => encodeIcmpv6({ kind: 'other', type: 2, code: 0, body }, addresses), WireError);
});

test('any input leads to a message or a WireError', () => {
  // Checksums are repaired, or few inputs would get behind them.
  const repaired = (octets: Uint8Array): Uint8Array => {
    if (octets.length < 4) return octets;
    const [type, code] = octets;
    const other = { kind: 'other', type: 255, code: 0, body: octets.slice(4) } as const;
    const sum = encodeIcmpv4(other);
    const difference = 0xff00 - ((type! << 8) | code!);
    const checksum = (((sum[2]! << 8) | sum[3]!) + difference) % 0xffff;
    sum.set([type!, code!, checksum >>> 8, checksum & 0xff]);
    return sum;
  };
  let accepted = 0;
  const decode = (octets: Uint8Array): void => {
    decodeIcmpv4(repaired(octets));
    accepted++;
  };
  assertTotal(decode, icmpv4Messages.map(encodeIcmpv4));
  assert.ok(accepted > 100, `${accepted} inputs got past the checksum`);
  const addresses = { source: new Uint8Array(16), destination: new Uint8Array(16) };
  const valid = icmpv6Messages.map((message) => encodeIcmpv6(message, addresses));
  assertTotal((octets) => decodeIcmpv6(octets, addresses), valid);
});
