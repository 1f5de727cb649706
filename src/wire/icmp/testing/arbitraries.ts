// Arbitrary ICMP messages for property tests.
import fc from 'fast-check';
import { octetsOfLength } from '../../ip/testing/arbitraries.ts';
import { plainRecord } from '../../testing/plain-record.ts';
import { type IcmpEcho, type IcmpOther, type Icmpv4Message, Icmpv4Type } from '../icmpv4.ts';
import { type Icmpv6Message, Icmpv6Type } from '../icmpv6.ts';
import type { IcmpQuote } from '../quote.ts';

const code = fc.nat(255);
const octets = fc.uint8Array({ maxLength: 64, size: 'max' });

function quotes(unit: 4 | 8): fc.Arbitrary<IcmpQuote> {
  const extended = fc
    .integer({ min: 1, max: 20 })
    .chain((units) => plainRecord<IcmpQuote>({ quoted: octetsOfLength(units * unit), extension: octets }));
  return fc.oneof(
    octets.map((quoted) => ({ quoted })),
    extended,
  );
}

function other(types: Readonly<Record<string, number>>): fc.Arbitrary<IcmpOther> {
  return plainRecord<IcmpOther>({
    kind: fc.constant('other' as const),
    type: fc.nat(255).filter((type) => !Object.values(types).includes(type)),
    code,
    body: octets,
  });
}

const echoes: fc.Arbitrary<IcmpEcho> = plainRecord<IcmpEcho>({
  kind: fc.constantFrom('echo-request', 'echo-reply'),
  identifier: fc.nat(0xffff),
  sequence: fc.nat(0xffff),
  data: octets,
});

export const icmpv4Messages: fc.Arbitrary<Icmpv4Message> = fc.oneof(
  echoes,
  other(Icmpv4Type),
  fc
    .tuple(
      quotes(4),
      code.filter((value) => value !== 4),
    )
    .map(([quote, value]) => ({ kind: 'destination-unreachable' as const, code: value, ...quote })),
  fc
    .tuple(quotes(4), fc.nat(0xffff))
    .map(([quote, nextHopMtu]) => ({ kind: 'fragmentation-needed' as const, nextHopMtu, ...quote })),
  fc
    .tuple(quotes(4), code)
    .map(([quote, value]) => ({ kind: 'time-exceeded' as const, code: value, ...quote })),
  fc.tuple(quotes(4), code, fc.nat(255)).map(([quote, value, pointer]) => ({
    kind: 'parameter-problem' as const,
    code: value,
    pointer,
    ...quote,
  })),
);

export const icmpv6Messages: fc.Arbitrary<Icmpv6Message> = fc.oneof(
  echoes,
  other(Icmpv6Type),
  fc
    .tuple(quotes(8), code, fc.constantFrom('destination-unreachable' as const, 'time-exceeded' as const))
    .map(([quote, value, kind]) => ({ kind, code: value, ...quote })),
  fc
    .tuple(octets, code, fc.nat(0xffff_ffff))
    .map(([quoted, value, mtu]) => ({ kind: 'packet-too-big' as const, code: value, mtu, quoted })),
  fc.tuple(octets, code, fc.nat(0xffff_ffff)).map(([quoted, value, pointer]) => ({
    kind: 'parameter-problem' as const,
    code: value,
    pointer,
    quoted,
  })),
);
