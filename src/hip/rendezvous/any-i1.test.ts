// Any I1 at a server and at its client: nothing is thrown, nobody who has not registered is sent anything, rates hold.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { address, type IpAddress } from '#sa';
import {
  decodeHipPacket,
  encodeHipPacket,
  HipPacketType,
  type HipParameter,
  HipParameterType,
  type Hit,
  hipParameter,
  hipUdpPort,
  writeHipChecksum,
  zeroHit,
} from '#wire';
import { addressesOf } from '../host-state.ts';
import type { HipPath } from '../interface.ts';
import type { TestHost } from '../testing/test-host.ts';
import { ThreeHosts } from '../testing/three-hosts.ts';

const hosts = new ThreeHosts().register();
const { moon, hub, sun } = hosts;
const known = new Set<number>(Object.values(HipParameterType));

const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const anyParameter: fc.Arbitrary<HipParameter> = fc.oneof(
  fc
    .tuple(fc.nat({ max: 0xffff }), octets(64))
    .filter(([parameterType]) => !known.has(parameterType))
    .map(([parameterType, contents]) => ({ type: 'unknown' as const, parameterType, contents })),
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map((from) => ({ type: 'FROM' as const, address: from })),
  fc.uint8Array({ minLength: 1, maxLength: 64 }).map((mac) => ({ type: 'RVS_HMAC' as const, mac })),
  octets(6).map((groups) => ({ type: 'DH_GROUP_LIST' as const, groups: [...groups] })),
);
const anySource = fc.oneof(
  fc.nat({ max: 255 }).map((last) => address(`198.51.100.${last}`)),
  fc.nat({ max: 255 }).map((last) => address(`2001:db8:0:${last.toString(16)}::1`)),
);

interface Arriving {
  readonly receiver: Hit;
  readonly parameters: readonly HipParameter[];
  readonly from: IpAddress;
  readonly port: number;
}

const anyI1: fc.Arbitrary<Arriving> = fc.record({
  receiver: fc.constantFrom(sun.hit, hub.hit, moon.hit, zeroHit),
  parameters: fc.array(anyParameter, { maxLength: 5 }),
  from: anySource,
  port: fc.constantFrom(0, hipUdpPort, 4_711),
});

const whole: Arriving = {
  receiver: sun.hit,
  parameters: [{ type: 'DH_GROUP_LIST', groups: [8] }],
  from: address('198.51.100.7'),
  port: 0,
};

/** @returns the path on which it came */
function arrive(at: TestHost, { receiver, parameters, from, port }: Arriving): HipPath {
  const header = { packetType: HipPacketType.I1, anonymous: false, sender: moon.hit, receiver };
  const packet = encodeHipPacket({ header, parameters });
  const local = from.includes(':') ? address('2001:db8::9') : at.address;
  const path = {
    local: { address: local, port: port === 0 ? 0 : hipUdpPort },
    remote: { address: from, port },
  };
  if (port === 0) writeHipChecksum(packet, addressesOf(from, local));
  at.give(hosts.now, { kind: 'packet', path, octets: packet });
  return path;
}

test('a server sends to its client what is for it alone and is whole, and R1 back to where an I1 came from', () => {
  let relayed = 0;
  fc.assert(
    fc.property(anyI1, (i1) => {
      hosts.now += 1_000;
      const path = arrive(hub, i1);
      for (const sent of hub.sent.splice(0)) {
        if (sent.path.remote.address !== sun.address) {
          assert.deepEqual(sent.path, path);
          assert.ok(i1.receiver === hub.hit || i1.receiver === zeroHit);
          continue;
        }
        relayed++;
        assert.equal(i1.receiver, sun.hit);
        assert.ok(i1.parameters.every(({ type }) => type !== 'FROM' && type !== 'RVS_HMAC'));
        assert.deepEqual([i1.port, sent.path], [0, hosts.path(hub, sun)]);
        const { parameters } = decodeHipPacket(sent.octets, addressesOf(hub.address, sun.address));
        assert.ok(hipParameter(parameters, 'FROM') !== undefined);
      }
      // Time goes on, and a registration with it.
      hosts.wait(0);
    }),
    // Of those that are drawn few are whole, and now and then none.
    { numRuns: 1_000, examples: [[whole]] },
  );
  assert.ok(relayed > 0);
});

test('a client sends R1 to where an I1 came from, and to nobody whom a FROM names that no server has sealed', () => {
  fc.assert(
    fc.property(anyI1, (i1) => {
      hosts.now += 1_000;
      const path = arrive(sun, i1);
      const relayed = i1.parameters.some(({ type }) => type === 'FROM' || type === 'RVS_HMAC');
      for (const sent of sun.sent.splice(0)) {
        assert.deepEqual(sent.path, path);
        assert.ok(!relayed);
      }
      hosts.wait(0);
    }),
    { numRuns: 1_000 },
  );
});
