// IP packets of both versions: captured ones, round trips, and inputs that lie.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { assertRefusesEveryPrefix, assertTotal } from '../testing/total-decoding.ts';
import { decodeIpv4, encodeIpv4, writeIpv4Checksum } from './ipv4.ts';
import { decodeIpv4Options, encodeIpv4Options } from './ipv4-options.ts';
import { decodeIpv6, encodeIpv6 } from './ipv6.ts';
import { extensionHeaderLimit, padIpv6Options } from './ipv6-extension-headers.ts';
import { decodeIp, encodeIp, fragmentPosition } from './packet.ts';
import { IpProtocol } from './protocol.ts';
import { ipPackets, ipv4Options, ipv4Packets, ipv6Packets } from './testing/arbitraries.ts';
import * as captured from './testing/captured-packets.ts';

/** A matcher for `assert.throws`. */
function wireError(code: WireError['code'], offset: number, field: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof WireError, `${error}`);
    assert.deepEqual([error.code, error.offset, error.field], [code, offset, field]);
    return true;
  };
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}

test('every captured packet decodes, and encodes to the same octets', () => {
  const all = Object.entries(captured);
  assert.ok(all.length >= 8);
  for (const [name, octets] of all) assert.equal(hex(encodeIp(decodeIp(octets))), hex(octets), name);
});

test('a captured IPv4 echo request', () => {
  const packet = decodeIpv4(captured.echoRequestV4);
  assert.equal(hex(packet.source), 'c0000201');
  assert.equal(hex(packet.destination), 'c0000202');
  assert.equal(packet.protocol, IpProtocol.ICMP);
  assert.equal(packet.timeToLive, 64);
  assert.equal(packet.payload.length, 24);
  assert.equal(packet.payload.byteOffset - captured.echoRequestV4.byteOffset, 20);
  assert.equal(fragmentPosition(packet), 'whole');
});

test('a captured record route option is taken apart', () => {
  const { options } = decodeIpv4(captured.recordRouteV4);
  assert.deepEqual(
    decodeIpv4Options(options).map(({ type, data }) => [type, data.length]),
    [
      [1, 0],
      [7, 37],
    ],
  );
});

test('captured last fragments of either version', () => {
  const four = decodeIpv4(captured.lastFragmentV4);
  assert.deepEqual([four.fragmentOffset, four.moreFragments, four.payload.length], [1480, false, 528]);
  assert.equal(fragmentPosition(four), 'non-initial');
  const six = decodeIpv6(captured.lastFragmentV6);
  const [header] = six.extensions;
  assert.ok(header?.kind === 'fragment');
  assert.deepEqual([header.offset, header.moreFragments, six.protocol], [1448, false, IpProtocol.ICMPV6]);
  assert.equal(fragmentPosition(six), 'non-initial');
});

test('a captured listener report behind hop-by-hop options', () => {
  const packet = decodeIpv6(captured.listenerReportV6);
  assert.deepEqual(packet.extensions, [
    {
      kind: 'hop-by-hop',
      // RFC 2711: router alert, value 0; then padding.
      options: [
        { type: 5, data: Uint8Array.of(0, 0) },
        { type: 1, data: new Uint8Array() },
      ],
    },
  ]);
  assert.equal(packet.protocol, IpProtocol.ICMPV6);
  assert.equal(packet.hopLimit, 1);
});

test('decode(encode(packet)) is the packet', () => {
  fc.assert(fc.property(ipPackets, (packet) => assert.deepEqual(decodeIp(encodeIp(packet)), packet)));
});

test('link-layer padding is no part of the packet', () => {
  const padded = Uint8Array.of(...captured.echoRequestV4, 0, 0, 0, 0);
  assert.deepEqual(decodeIp(padded), decodeIp(captured.echoRequestV4));
});

test('truncation at every octet is refused', () => {
  for (const octets of Object.values(captured)) assertRefusesEveryPrefix(decodeIp, octets);
});

test('a quote may end anywhere after its headers, and its payload is what is left', () => {
  const full = decodeIp(captured.echoRequestV4);
  for (let length = 20; length <= captured.echoRequestV4.length; length++) {
    const packet = decodeIp(captured.echoRequestV4.subarray(0, length), { partial: true });
    assert.equal(hex(packet.payload), hex(full.payload.subarray(0, length - 20)));
  }
  assert.throws(() => decodeIp(captured.echoRequestV4.subarray(0, 19), { partial: true }), WireError);
});

test('any input leads to a packet or a WireError', () => {
  assertTotal(decodeIp, ipPackets.map(encodeIp));
  assertTotal(
    (octets) => decodeIp(octets, { partial: true, verifyChecksum: false }),
    ipPackets.map(encodeIp),
    1000,
  );
});

test('IPv4 lengths that lie', () => {
  const lie = (at: number, value: number): Uint8Array => {
    const octets = captured.echoRequestV4.slice();
    octets[at] = value;
    writeIpv4Checksum(octets, 0, 20);
    return octets;
  };
  assert.throws(() => decodeIpv4(lie(0, 0x44)), wireError('length', 0, 'IPv4.IHL'));
  assert.throws(() => decodeIpv4(lie(3, 19)), wireError('length', 2, 'IPv4.totalLength'));
  assert.throws(() => decodeIpv4(lie(3, 45)), wireError('truncated', 20, 'IPv4.payload'));
  assert.throws(() => decodeIpv4(lie(0, 0x65)), wireError('version', 0, 'IPv4.version'));
  assert.throws(() => decodeIp(lie(0, 0x55)), wireError('version', 0, 'IP.version'));
});

test('a single wrong bit in the IPv4 header is found by its checksum, and accepted on request', () => {
  for (let bit = 8 * 4; bit < 8 * 20; bit++) {
    const octets = captured.echoRequestV4.slice();
    octets[bit >> 3]! ^= 0x80 >> (bit & 7);
    assert.throws(() => decodeIpv4(octets), wireError('checksum', 10, 'IPv4.headerChecksum'));
    decodeIpv4(octets, { verifyChecksum: false });
  }
});

test('IPv4 fields that do not fit are refused by the encoder', () => {
  const packet = decodeIpv4(captured.echoRequestV4);
  const bad = [
    { dscp: 64 },
    { ecn: 4 },
    { fragmentOffset: 4 },
    { fragmentOffset: 65_536 },
    { source: new Uint8Array(16) },
    { options: new Uint8Array(3) },
    { options: new Uint8Array(44) },
    { payload: new Uint8Array(65_516) },
  ];
  for (const field of bad) assert.throws(() => encodeIpv4({ ...packet, ...field }), WireError);
});

test('IPv4 options keep their order through a round trip and are refused beyond 40 octets', () => {
  fc.assert(
    fc.property(ipv4Options, (options) => {
      assert.deepEqual(decodeIpv4Options(encodeIpv4Options(options)), options);
    }),
  );
  assert.throws(
    () => encodeIpv4Options([{ type: 7, data: new Uint8Array(39) }]),
    wireError('limit', 40, 'IPv4.options'),
  );
  assert.throws(
    () => decodeIpv4Options(Uint8Array.of(1, 7, 1)),
    wireError('length', 2, 'IPv4.option.length'),
  );
  assert.throws(
    () => decodeIpv4Options(Uint8Array.of(7, 4, 0)),
    wireError('truncated', 2, 'IPv4.option.data'),
  );
  assertTotal(decodeIpv4Options, ipv4Options.map(encodeIpv4Options));
});

const plainIpv6 = decodeIpv6(captured.echoRequestV6);
const padding = {
  kind: 'destination-options',
  options: padIpv6Options([{ type: 1, data: new Uint8Array(4) }]),
} as const;

test('an IPv6 chain of too many headers is refused, the longest allowed one is not', () => {
  const longest = { ...plainIpv6, extensions: new Array(extensionHeaderLimit).fill(padding) };
  const octets = encodeIpv6(longest);
  assert.equal(decodeIpv6(octets).extensions.length, extensionHeaderLimit);
  const last = 40 + 8 * (extensionHeaderLimit - 1);
  octets[last] = IpProtocol.DESTINATION_OPTIONS;
  assert.throws(() => decodeIpv6(octets), wireError('limit', last + 8, 'IPv6.extensionHeaders'));
  const longer = [...longest.extensions, padding];
  assert.throws(() => encodeIpv6({ ...longest, extensions: longer }), WireError);
});

test('hop-by-hop options anywhere but first are refused', () => {
  const octets = encodeIpv6({ ...plainIpv6, extensions: [padding, padding] });
  octets[40] = IpProtocol.HOP_BY_HOP;
  assert.throws(() => decodeIpv6(octets), wireError('value', 48, 'IPv6.nextHeader'));
  assert.throws(
    () => encodeIpv6({ ...plainIpv6, extensions: [padding, { ...padding, kind: 'hop-by-hop' }] }),
    WireError,
  );
});

test('an IPv6 extension header or option that reaches beyond its surroundings is refused', () => {
  const octets = encodeIpv6({ ...plainIpv6, extensions: [padding] });
  const header = octets.slice();
  header[41] = 200;
  assert.throws(() => decodeIpv6(header), wireError('truncated', 42, 'IPv6.extensionHeader'));
  const option = octets.slice();
  option[43] = 5;
  assert.throws(() => decodeIpv6(option), wireError('truncated', 44, 'IPv6.option.data'));
});

test('an AH of odd length is refused inside IPv6 (RFC 4302 2.2)', () => {
  const icv = new Uint8Array(16);
  const header = { kind: 'authentication', spi: 256, sequence: 1, icv } as const;
  assert.throws(() => encodeIpv6({ ...plainIpv6, extensions: [header] }), WireError);
  const octets = encodeIpv6({ ...plainIpv6, extensions: [{ ...header, icv: new Uint8Array(20) }] });
  octets[41]! -= 1;
  assert.throws(() => decodeIpv6(octets), wireError('length', 41, 'AH.payloadLength'));
});

test('an extension header cannot be passed as payload', () => {
  for (const protocol of [IpProtocol.AH, IpProtocol.HOP_BY_HOP, IpProtocol.FRAGMENT]) {
    assert.throws(() => encodeIpv6({ ...plainIpv6, protocol }), WireError);
  }
});

test('the reserved flag of IPv4 and the reserved fields of a fragment header are ignored', () => {
  fc.assert(
    fc.property(ipv4Packets, (packet) => {
      const octets = encodeIpv4(packet);
      octets[6]! |= 0x80;
      writeIpv4Checksum(octets, 0, 20 + packet.options.length);
      assert.deepEqual(decodeIpv4(octets), packet);
    }),
  );
  const octets = captured.lastFragmentV6.slice();
  octets[41] = 0xff;
  octets[43]! |= 6;
  assert.deepEqual(decodeIpv6(octets), decodeIpv6(captured.lastFragmentV6));
});

test('IPv6 packets keep the octets of every option through a round trip', () => {
  fc.assert(
    fc.property(ipv6Packets, (packet) => {
      const octets = encodeIpv6(packet);
      assert.equal(hex(encodeIpv6(decodeIpv6(octets))), hex(octets));
    }),
  );
});
