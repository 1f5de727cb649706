// Whatever somebody makes of the packets of two hosts on their way: nothing ends a host, and what comes as it was sent is heard.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HipParameterType, hipPacketLengthMax, writeHipChecksum } from '#wire';
import { addressesOf } from './host-state.ts';
import { type TestHost, type Transit, TwoHosts } from './testing/two-hosts.ts';

/** What is done to a copy of a packet. */
type Mutation =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly words: number }
  | { readonly kind: 'append'; readonly parameterType: number; readonly length: number }
  | { readonly kind: 'type'; readonly packetType: number };

const anyMutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.oneof(fc.nat(127), fc.nat(2_047)), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), words: fc.integer({ min: 1, max: 20 }) }),
  fc.record({
    kind: fc.constant('append' as const),
    parameterType: fc.constantFrom(HipParameterType.ECHO_REQUEST_UNSIGNED, 65_000, 65_001),
    length: fc.constantFrom(8, 300, hipPacketLengthMax),
  }),
  fc.record({ kind: fc.constant('type' as const), packetType: fc.constantFrom(1, 2, 3, 4, 16, 17, 18, 19) }),
);

function mutated(octets: Uint8Array, mutation: Mutation): Uint8Array {
  const copy = octets.slice();
  switch (mutation.kind) {
    case 'flip':
      copy[mutation.at % copy.length]! ^= 1 << mutation.bit;
      return copy;
    case 'cut':
      return copy.subarray(0, Math.max(40, copy.length - 8 * mutation.words));
    case 'append': {
      const length = Math.max(0, Math.min(mutation.length, hipPacketLengthMax - copy.length - 8));
      const longer = new Uint8Array(copy.length + 8 * Math.ceil((4 + length) / 8));
      longer.set(copy);
      new DataView(longer.buffer).setUint32(copy.length, (mutation.parameterType << 16) | length);
      return longer;
    }
    case 'type':
      copy[2] = mutation.packetType;
      return copy;
  }
}

function send(hosts: TwoHosts, transit: Transit, mutations: readonly Mutation[]): void {
  const { path } = transit;
  let { octets } = transit;
  for (const one of mutations) octets = mutated(octets, one);
  octets[1] = octets.length / 8 - 1;
  writeHipChecksum(octets, addressesOf(path.local.address, path.remote.address));
  hosts.deliver({ ...transit, octets });
}

const actions = ['call', 'rekey', 'check'] as const;

const anyStep = fc.record({ action: fc.constantFrom(...actions), moon: fc.boolean() });

/** What is done to the copies that come before a packet; the next packet gets the next ones. */
const anyMutations = fc.array(fc.array(anyMutation, { minLength: 1, maxLength: 2 }), {
  minLength: 24,
  maxLength: 24,
});
const copiesOfEach = 3;

function act(hosts: TwoHosts, host: TestHost, action: (typeof actions)[number]): void {
  const local = host.hit;
  const remote = hosts.other(host).hit;
  if (action === 'call') hosts.call(host);
  else if (action === 'rekey')
    host.give(hosts.now, { kind: 'command', command: { kind: action, local, remote } });
  else host.give(hosts.now, { kind: 'command', command: { kind: action, local, remote, reason: 'a test' } });
}

test('hosts that hear any mutations of what they send each other before it comes understand each other all the same', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 4 }), anyMutations, (steps, mutations) => {
      const hosts = new TwoHosts();
      const { moon, sun } = hosts;
      let next = 0;
      for (const { action, moon: byMoon } of [{ action: 'call', moon: true } as const, ...steps]) {
        act(hosts, byMoon ? moon : sun, action);
        hosts.wait(5_000, (transit) => {
          for (let i = 0; i < copiesOfEach; i++) send(hosts, transit, mutations[next++ % mutations.length]!);
          return true;
        });
      }
      hosts.wait(100_000);
      assert.equal(moon.state(sun.hit), 'ESTABLISHED');
      assert.equal(sun.state(moon.hit), 'ESTABLISHED');
      for (const host of [moon, sun]) hosts.sendEsp(host);
      hosts.assertKeysAgree();
      for (const host of [moon, sun]) assert.equal(host.inbound.size, 1);
    }),
    { numRuns: 60 },
  );
});
