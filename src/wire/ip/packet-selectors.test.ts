// Selector fields read in place agree with the full decoder, and hide what a packet does not show.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeIpv4 } from './ipv4.ts';
import { encodeIpv6, type Ipv6Packet } from './ipv6.ts';
import { padIpv6Options } from './ipv6-extension-headers.ts';
import { decodeIp, encodeIp, fragmentPosition } from './packet.ts';
import {
  emptyPacketSelectors,
  FragmentPosition,
  opaque,
  type PacketSelectors,
  PacketVerdict,
  readPacketSelectors,
} from './packet-selectors.ts';
import { IpProtocol } from './protocol.ts';
import { ipPackets } from './testing/arbitraries.ts';
import * as captured from './testing/captured-packets.ts';

function read(octets: Uint8Array): PacketSelectors {
  const into = emptyPacketSelectors();
  assert.equal(readPacketSelectors(octets, 0, octets.length, into), PacketVerdict.ok);
  return into;
}

const whole = {
  version: 4,
  dscp: 0,
  ecn: 0,
  identification: 0,
  dontFragment: false,
  moreFragments: false,
  fragmentOffset: 0,
  timeToLive: 64,
  source: Uint8Array.of(192, 0, 2, 1),
  destination: Uint8Array.of(192, 0, 2, 2),
  options: new Uint8Array(),
} as const;

const whole6: Ipv6Packet = {
  version: 6,
  dscp: 0,
  ecn: 0,
  flowLabel: 0,
  hopLimit: 64,
  source: new Uint8Array(16).fill(1),
  destination: new Uint8Array(16).fill(2),
  extensions: [],
  protocol: IpProtocol.UDP,
  payload: Uint8Array.of(0x01, 0xf4, 0x11, 0x94, 0, 8, 0, 0),
};

test('the ports of UDP, TCP and SCTP, for either version', () => {
  const payload = Uint8Array.of(0x01, 0xf4, 0x11, 0x94, 0, 8, 0, 0);
  for (const protocol of [IpProtocol.TCP, IpProtocol.UDP, IpProtocol.SCTP]) {
    for (const octets of [
      encodeIpv4({ ...whole, protocol, payload }),
      encodeIpv6({ ...whole6, protocol, payload }),
    ]) {
      const { sourcePort, destinationPort, protocol: found } = read(octets);
      assert.deepEqual([found, sourcePort, destinationPort], [protocol, 500, 4500]);
    }
  }
});

test('the type and code of a captured ICMP error, in both port fields', () => {
  const four = read(captured.portUnreachableV4);
  assert.deepEqual([four.protocol, four.sourcePort, four.destinationPort], [1, 0x0303, 0x0303]);
  const six = read(captured.portUnreachableV6);
  assert.deepEqual([six.protocol, six.sourcePort, six.destinationPort], [58, 0x0104, 0x0104]);
});

test('the type of a Mobility Header', () => {
  const payload = Uint8Array.of(59, 1, 5, 0, 0, 0, 0, 0);
  assert.equal(read(encodeIpv6({ ...whole6, protocol: IpProtocol.MOBILITY, payload })).sourcePort, 5 << 8);
});

test('non-initial fragments show no ports, and an initial one shows them', () => {
  const payload = whole6.payload;
  const initial = read(encodeIpv4({ ...whole, protocol: 17, payload, moreFragments: true }));
  assert.deepEqual([initial.fragment, initial.sourcePort], [FragmentPosition.initial, 500]);
  for (const octets of [captured.lastFragmentV4, captured.lastFragmentV6]) {
    const later = read(octets);
    assert.deepEqual(
      [later.fragment, later.sourcePort, later.destinationPort],
      [FragmentPosition.nonInitial, opaque, opaque],
    );
  }
});

test('a non-initial IPv6 fragment whose part begins with options does not show its protocol either', () => {
  const extensions = [{ kind: 'fragment', offset: 8, moreFragments: false, identification: 1 }] as const;
  const octets = encodeIpv6({ ...whole6, extensions, protocol: IpProtocol.DESTINATION_OPTIONS });
  assert.equal(read(octets).protocol, opaque);
});

test('ESP and AH are next layer protocols without ports (RFC 4301 4.4.1.1)', () => {
  const header = { kind: 'authentication', spi: 256, sequence: 1, icv: new Uint8Array(12) } as const;
  const options = {
    kind: 'destination-options',
    options: padIpv6Options([{ type: 1, data: new Uint8Array(4) }]),
  };
  const ah = read(encodeIpv6({ ...whole6, extensions: [options as never, header] }));
  assert.deepEqual([ah.protocol, ah.payloadOffset, ah.sourcePort], [IpProtocol.AH, 48, 0]);
  const esp = read(encodeIpv4({ ...whole, protocol: IpProtocol.ESP, payload: new Uint8Array(8) }));
  assert.deepEqual([esp.protocol, esp.payloadOffset, esp.sourcePort], [IpProtocol.ESP, 20, 0]);
});

test('a packet too short for the ports it must have is refused', () => {
  const into = emptyPacketSelectors();
  for (const moreFragments of [false, true]) {
    const octets = encodeIpv4({ ...whole, protocol: 17, payload: new Uint8Array(3), moreFragments });
    assert.equal(readPacketSelectors(octets, 0, octets.length, into), PacketVerdict.truncated);
  }
});

test('a Mobility Header or an ICMP message without its type is refused', () => {
  for (const [protocol, length] of [
    [IpProtocol.MOBILITY, 2],
    [IpProtocol.ICMP, 1],
    [IpProtocol.ICMPV6, 1],
  ] as const) {
    const octets = encodeIpv6({ ...whole6, protocol, payload: new Uint8Array(length) });
    assert.equal(
      readPacketSelectors(octets, 0, octets.length, emptyPacketSelectors()),
      PacketVerdict.truncated,
    );
  }
});

test('a chain that the packet cuts anywhere is refused, and never read beyond the packet', () => {
  const octets = encodeIpv6({
    ...whole6,
    extensions: [
      { kind: 'routing', routingType: 4, segmentsLeft: 0, data: new Uint8Array(20) },
      { kind: 'fragment', offset: 8, moreFragments: true, identification: 1 },
    ],
  });
  for (let payloadLength = 0; payloadLength < 24 + 8; payloadLength++) {
    octets[5] = payloadLength;
    const verdict = readPacketSelectors(octets, 0, octets.length, emptyPacketSelectors());
    assert.equal(verdict, PacketVerdict.truncated, `payload length ${payloadLength}`);
  }
});

test('hop-by-hop options anywhere but first are refused', () => {
  const padding = padIpv6Options([{ type: 1, data: new Uint8Array(4) }]);
  const header = { kind: 'destination-options', options: padding } as const;
  const octets = encodeIpv6({ ...whole6, extensions: [header, header] });
  octets[40] = IpProtocol.HOP_BY_HOP;
  assert.equal(
    readPacketSelectors(octets, 0, octets.length, emptyPacketSelectors()),
    PacketVerdict.malformed,
  );
});

test('a packet inside a larger buffer is read at its place, and padding behind it is left out', () => {
  const buffer = new Uint8Array(200).fill(0xee);
  buffer.set(captured.echoRequestV4, 50);
  const into = emptyPacketSelectors();
  assert.equal(readPacketSelectors(buffer, 50, 120, into), PacketVerdict.ok);
  assert.deepEqual(
    [into.sourceOffset, into.destinationOffset, into.payloadOffset, into.end],
    [62, 66, 70, 94],
  );
});

test('whatever the decoder accepts reads the same here', () => {
  fc.assert(
    fc.property(ipPackets, (packet) => {
      const octets = encodeIp(packet);
      const into = emptyPacketSelectors();
      if (readPacketSelectors(octets, 0, octets.length, into) !== PacketVerdict.ok) {
        // Only for want of ports: the decoder does not look into the payload.
        assert.ok(packet.payload.length < 4);
        return;
      }
      assert.deepEqual(
        octets.slice(into.sourceOffset, into.sourceOffset + into.addressLength),
        packet.source,
      );
      assert.deepEqual(
        octets.slice(into.destinationOffset, into.destinationOffset + into.addressLength),
        packet.destination,
      );
      assert.equal(into.end, octets.length);
      if (packet.version === 6 && packet.extensions.some(({ kind }) => kind === 'authentication')) return;
      assert.equal(into.protocol, packet.protocol);
      assert.equal(into.payloadOffset, octets.length - packet.payload.length);
      const positions = { whole: 0, initial: 1, 'non-initial': 2 } as const;
      assert.equal(into.fragment, positions[fragmentPosition(packet)]);
    }),
  );
});

test('any octets lead to a verdict, and offsets stay inside the range', () => {
  const into = emptyPacketSelectors();
  const mutations = fc.tuple(ipPackets.map(encodeIp), fc.nat(), fc.nat(255)).map(([octets, at, value]) => {
    octets[at % octets.length] = value;
    return octets;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 120, size: 'max' }), mutations), (octets) => {
      const verdict = readPacketSelectors(octets, 0, octets.length, into);
      assert.ok((Object.values(PacketVerdict) as number[]).includes(verdict));
      if (verdict !== PacketVerdict.ok) return;
      assert.ok(into.payloadOffset <= into.end && into.end <= octets.length);
    }),
    { numRuns: 2000 },
  );
});

test('a chain of extension headers without end is refused', () => {
  const octets = new Uint8Array(40 + 8 * 40).fill(0);
  octets[0] = 0x60;
  octets[4] = (octets.length - 40) >>> 8;
  octets[5] = octets.length - 40;
  octets[6] = IpProtocol.DESTINATION_OPTIONS;
  for (let at = 40; at < octets.length; at += 8) octets[at] = IpProtocol.DESTINATION_OPTIONS;
  assert.equal(
    readPacketSelectors(octets, 0, octets.length, emptyPacketSelectors()),
    PacketVerdict.malformed,
  );
  assert.throws(() => decodeIp(octets));
});
