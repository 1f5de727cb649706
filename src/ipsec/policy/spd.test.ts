import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PacketFields } from '../packet/packet-fields.ts';
import { flows, modelDecision, packetOf, parametersOf, policies } from '../testing/naive-policies.ts';
import { FlowCache } from './flow-cache.ts';
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
