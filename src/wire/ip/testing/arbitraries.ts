// Arbitrary IP packets for property tests.
import fc from 'fast-check';
import { plainRecord } from '../../testing/plain-record.ts';
import type { AddressPair } from '../checksum.ts';
import type { Ipv4Packet } from '../ipv4.ts';
import { encodeIpv4Options, type Ipv4Option } from '../ipv4-options.ts';
import type { Ipv6Packet } from '../ipv6.ts';
import {
  type ExtensionHeader,
  endsChain,
  type Ipv6Option,
  isExtensionHeader,
  padIpv6Options,
} from '../ipv6-extension-headers.ts';
import type { IpPacket } from '../packet.ts';

export function octetsOfLength(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length, size: 'max' });
}

export const addressPairs: fc.Arbitrary<AddressPair> = fc
  .constantFrom(4, 16)
  .chain((length) => plainRecord({ source: octetsOfLength(length), destination: octetsOfLength(length) }));

export const ipv4Options: fc.Arbitrary<Ipv4Option[]> = fc.array(
  fc.oneof(
    fc.constant({ type: 1, data: new Uint8Array() }),
    plainRecord({
      type: fc.integer({ min: 2, max: 255 }),
      data: fc.uint8Array({ maxLength: 8, size: 'max' }),
    }),
  ),
  { maxLength: 4, size: 'max' },
);

const fragmentOffsets = fc.oneof(
  fc.constant(0),
  fc.nat(0x1fff).map((units) => units * 8),
);

export const ipv4Packets: fc.Arbitrary<Ipv4Packet> = plainRecord({
  version: fc.constant(4 as const),
  dscp: fc.nat(63),
  ecn: fc.nat(3),
  identification: fc.nat(0xffff),
  dontFragment: fc.boolean(),
  moreFragments: fc.boolean(),
  fragmentOffset: fragmentOffsets,
  timeToLive: fc.nat(255),
  protocol: fc.nat(255),
  source: octetsOfLength(4),
  destination: octetsOfLength(4),
  options: ipv4Options.map(encodeIpv4Options),
  payload: fc.uint8Array({ maxLength: 64, size: 'max' }),
});

const ipv6Options: fc.Arbitrary<Ipv6Option[]> = fc
  .array(
    fc.oneof(
      fc.constant({ type: 0, data: new Uint8Array() }),
      plainRecord({
        type: fc.integer({ min: 1, max: 255 }),
        data: fc.uint8Array({ maxLength: 20, size: 'max' }),
      }),
    ),
    { maxLength: 4, size: 'max' },
  )
  .map(padIpv6Options)
  .map((options) => (options.length === 0 ? [{ type: 1, data: new Uint8Array(4) }] : options));

const hopByHop: fc.Arbitrary<ExtensionHeader> = plainRecord({
  kind: fc.constant('hop-by-hop' as const),
  options: ipv6Options,
});

const laterHeaders: fc.Arbitrary<ExtensionHeader> = fc.oneof(
  plainRecord({ kind: fc.constant('destination-options' as const), options: ipv6Options }),
  plainRecord({
    kind: fc.constant('routing' as const),
    routingType: fc.nat(255),
    segmentsLeft: fc.nat(255),
    data: fc.nat(3).chain((units) => octetsOfLength(4 + 8 * units)),
  }),
  plainRecord({
    kind: fc.constant('fragment' as const),
    offset: fragmentOffsets,
    moreFragments: fc.boolean(),
    identification: fc.nat(0xffff_ffff),
  }),
  plainRecord({
    kind: fc.constant('authentication' as const),
    spi: fc.nat(0xffff_ffff),
    sequence: fc.nat(0xffff_ffff),
    icv: fc.nat(3).chain((units) => octetsOfLength(4 + 8 * units)),
  }),
);

const extensionChains: fc.Arbitrary<ExtensionHeader[]> = fc
  .tuple(fc.option(hopByHop, { nil: undefined }), fc.array(laterHeaders, { maxLength: 5, size: 'max' }))
  .map(([first, later]) => {
    const end = later.findIndex(endsChain);
    const chain = end < 0 ? later : later.slice(0, end + 1);
    return first === undefined ? chain : [first, ...chain];
  });

export const ipv6Packets: fc.Arbitrary<Ipv6Packet> = plainRecord({
  version: fc.constant(6 as const),
  dscp: fc.nat(63),
  ecn: fc.nat(3),
  flowLabel: fc.nat(0xf_ffff),
  hopLimit: fc.nat(255),
  source: octetsOfLength(16),
  destination: octetsOfLength(16),
  extensions: extensionChains,
  protocol: fc.nat(255).filter((protocol) => !isExtensionHeader(protocol)),
  payload: fc.uint8Array({ maxLength: 64, size: 'max' }),
});

export const ipPackets: fc.Arbitrary<IpPacket> = fc.oneof(ipv4Packets, ipv6Packets);
