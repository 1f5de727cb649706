// Fragments of IPv4 packets, put together again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireError } from '../error.ts';
import { decodeIpv4, encodeIpv4, type Ipv4Packet } from './ipv4.ts';
import { fragmentIpv4 } from './ipv4-fragmentation.ts';
import { decodeIpv4Options, encodeIpv4Options } from './ipv4-options.ts';
import { ipv4Packets } from './testing/arbitraries.ts';

// By length alone: shrinking three thousand octets one by one would take minutes.
const payloads = fc
  .integer({ min: 1, max: 3000 })
  .map((length) => Uint8Array.from({ length }, (_, i) => i ^ (i >>> 8)));

const large: fc.Arbitrary<Ipv4Packet> = fc
  .tuple(ipv4Packets, payloads, fc.nat(100))
  .map(([packet, payload, units]) => ({
    ...packet,
    dontFragment: false,
    payload,
    fragmentOffset: units * 8,
  }));

test('fragments fit the MTU and make up the packet again, in place', () => {
  fc.assert(
    fc.property(large, fc.integer({ min: 68, max: 1500 }), (packet, mtuBytes) => {
      const fragments = fragmentIpv4(encodeIpv4(packet), mtuBytes).map((octets) => {
        assert.ok(octets.length <= mtuBytes);
        return decodeIpv4(octets);
      });
      let offset = packet.fragmentOffset;
      for (const [i, fragment] of fragments.entries()) {
        const last = i === fragments.length - 1;
        assert.equal(fragment.fragmentOffset, offset);
        assert.equal(fragment.moreFragments, !last || packet.moreFragments);
        assert.equal(fragment.identification, packet.identification);
        offset += fragment.payload.length;
      }
      const payload = Buffer.concat(fragments.map((fragment) => fragment.payload));
      assert.deepEqual(new Uint8Array(payload), packet.payload);
    }),
  );
});

test('only options with the copied flag are in later fragments (RFC 791 3.1)', () => {
  // Record route (7) is not copied, strict source route (137) is.
  const options = encodeIpv4Options([
    { type: 7, data: new Uint8Array(5) },
    { type: 137, data: new Uint8Array(5) },
  ]);
  const packet = { ...decodeIpv4(encodeIpv4(fc.sample(large, { numRuns: 1, seed: 1 })[0]!)), options };
  const fragments = fragmentIpv4(encodeIpv4({ ...packet, payload: new Uint8Array(1000) }), 500);
  const types = fragments.map((octets) =>
    decodeIpv4Options(decodeIpv4(octets).options).map(({ type }) => type),
  );
  assert.deepEqual(types, [[7, 137], [137], [137]]);
});

test('a packet with DF set is not cut, and an MTU without room is refused', () => {
  const packet = { ...fc.sample(large, { numRuns: 1, seed: 2 })[0]!, payload: new Uint8Array(1400) };
  const octets = encodeIpv4({ ...packet, dontFragment: true });
  assert.throws(
    () => fragmentIpv4(octets, 1000),
    (error) => error instanceof WireError && error.code === 'value' && error.field === 'IPv4.flags.DF',
  );
  assert.deepEqual(fragmentIpv4(octets, octets.length), [octets]);
  assert.throws(
    () => fragmentIpv4(encodeIpv4(packet), 27),
    (error) => error instanceof WireError && error.code === 'limit',
  );
});
