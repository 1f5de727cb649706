import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { selectorOfPrefix } from '#sa';
import { PacketFields } from '../packet/packet-fields.ts';
import { ipPacket } from '../testing/fixtures.ts';
import {
  flows,
  type ModelPolicy,
  modelDecision,
  packetOf,
  parametersOf,
  policies,
} from '../testing/naive-policies.ts';
import { FlowCache } from './flow-cache.ts';
import { SelectorMatcher } from './selector-match.ts';
import { Spd } from './spd.ts';

// RFC 4301 4.4.1
test('the SPD decides like a list searched by hand, through a cache or not', () => {
  fc.assert(
    fc.property(policies, fc.array(flows, { minLength: 1, maxLength: 30 }), (all, packets) => {
      const spd = new Spd();
      for (const [i, policy] of all.entries()) spd.install(parametersOf(policy, i));
      // A cache of four flows: most of them fight for a place.
      const caches = { outbound: new FlowCache<number>(4), inbound: new FlowCache<number>(4) };
      const fields = new PacketFields();
      for (const flow of [...packets, ...packets]) {
        const packet = packetOf(flow);
        assert.ok(fields.read(packet, 0, packet.length));
        for (const crossing of ['outbound', 'inbound'] as const) {
          const expected = modelDecision(all, flow, crossing);
          assert.equal(spd.find(packet, fields, crossing)?.policyId, expected);
          const cached = caches[crossing].find(9, packet, fields);
          if (cached !== undefined) assert.equal(cached, expected ?? -1);
          else caches[crossing].storeLast(expected ?? -1);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a packet through a pair is permitted by its protect policy unless a discard policy comes first', () => {
  fc.assert(
    fc.property(policies, flows, fc.integer({ min: 0, max: 5 }), (all, flow, childId) => {
      const spd = new Spd();
      for (const [i, policy] of all.entries()) spd.install(parametersOf(policy, i));
      const relevant = all.map((policy, i) =>
        policy.action === 'discard' || (policy.action === 'protect' && i === childId)
          ? policy
          : { ...policy, local: [] },
      );
      const first = modelDecision(relevant, flow, 'inbound');
      const expected = first !== undefined && all[first]!.action === 'protect';
      const packet = packetOf(flow);
      const fields = new PacketFields();
      fields.read(packet, 0, packet.length);
      assert.equal(spd.permitsProtected(packet, fields, childId), expected);
    }),
    { numRuns: 300 },
  );
});

test('given any policies installed, replaced and removed, the SPD decides like a list of what is left', () => {
  const step = fc.record({
    policyId: fc.nat(5),
    policy: fc.option(
      policies.filter(({ length }) => length > 0).map(([first]) => first!),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.array(flows, { minLength: 1 }), (steps, packets) => {
      const spd = new Spd();
      // A map keeps the place of what is replaced, as the SPD does.
      const left = new Map<number, ModelPolicy>();
      for (const { policyId, policy } of steps) {
        if (policy === undefined) assert.equal(spd.remove(policyId), left.delete(policyId));
        else {
          spd.install(parametersOf(policy, policyId));
          left.set(policyId, policy);
        }
      }
      const [ids, all] = [[...left.keys()], [...left.values()]];
      const fields = new PacketFields();
      for (const flow of packets) {
        const packet = packetOf(flow);
        fields.read(packet, 0, packet.length);
        for (const crossing of ['outbound', 'inbound'] as const) {
          const expected = modelDecision(all, flow, crossing);
          const found = spd.find(packet, fields, crossing)?.policyId;
          assert.equal(found, expected === undefined ? undefined : ids[expected]);
        }
      }
      for (const policyId of ids) spd.remove(policyId);
      assert.deepEqual(spd.policies(), []);
    }),
    { numRuns: 300 },
  );
});

for (const [family, network, stranger] of [
  ['IPv4', (i: number) => `10.${i >>> 8}.${i & 0xff}.0/24`, '192.0.2.1'],
  ['IPv6', (i: number) => `2001:db8:${i.toString(16)}::/48`, '2001:db9::1'],
] as const) {
  test(`among 1,000 policies of ${family} a packet is compared with its own`, () => {
    const spd = new Spd();
    let compared = 0;
    const { matches } = SelectorMatcher.prototype;
    mock.method(SelectorMatcher.prototype, 'matches', function (this: SelectorMatcher, ...what) {
      compared++;
      return matches.apply(this, what);
    } satisfies typeof matches);
    try {
      const base = { action: 'protect', mode: 'tunnel', priority: 1 } as const;
      const local = [selectorOfPrefix(family === 'IPv4' ? '10.200.0.0/16' : '2001:db8:ffff::/48')!];
      for (let i = 0; i < 1_000; i++) {
        const selectors = { local, remote: [selectorOfPrefix(network(i))!] };
        spd.install({ ...base, policyId: i, childId: i, selectors });
      }
      const inside = network(700)
        .replace(/0\/24$/, '9')
        .replace(/:\/48$/, ':9');
      const source = family === 'IPv4' ? '10.200.0.1' : '2001:db8:ffff::1';
      const find = (destination: string): number | undefined => {
        const packet = ipPacket({ source, destination });
        const fields = new PacketFields();
        fields.read(packet, 0, packet.length);
        return spd.find(packet, fields, 'outbound')?.policyId;
      };
      assert.equal(find(inside), 700);
      assert.equal(find(stranger), undefined);
      assert.equal(compared, 1);
    } finally {
      mock.restoreAll();
    }
  });
}

test('a policy that is replaced keeps its place among those of its priority', () => {
  const any = { v6: false, first: 1, last: 6, protocol: 0, startPort: 0, endPort: 65535 };
  const base = { priority: 5, local: [any], remote: [any] };
  const spd = new Spd();
  spd.install(parametersOf({ ...base, action: 'trap' }, 1));
  spd.install(parametersOf({ ...base, action: 'discard' }, 2));
  spd.install(parametersOf({ ...base, action: 'protect' }, 1));
  assert.deepEqual(
    spd.policies().map((policy) => [policy.policyId, policy.action]),
    [
      [1, 'protect'],
      [2, 'discard'],
    ],
  );
  assert.equal(spd.remove(1), true);
  assert.equal(spd.remove(1), false);
});
