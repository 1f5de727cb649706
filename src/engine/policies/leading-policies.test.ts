// Policies that give way to those of newer IKE SAs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyParameters } from '#sa';
import { LeadingPolicies } from './leading-policies.ts';

const policy = (policyId: number, childId: number): PolicyParameters => ({
  policyId,
  childId,
  priority: 1000,
  action: 'protect',
  mode: 'tunnel',
  selectors: { local: [], remote: [] },
});

test('given two Child SAs, when one yields, then its policies are lowered once and the other still leads', () => {
  const leading = new LeadingPolicies();
  leading.add(policy(1, 10));
  leading.add(policy(2, 10));
  leading.add(policy(3, 11));
  assert.deepEqual(
    leading.yield(10).map(({ policyId, priority }) => [policyId, priority]),
    [
      [1, 1001],
      [2, 1001],
    ],
  );
  assert.deepEqual(leading.yield(10), []);
  assert.equal(leading.yield(11).length, 1);
});

test('given a policy that is removed or belongs to no Child SA, then there is nothing to lower', () => {
  const leading = new LeadingPolicies();
  leading.add(policy(1, 10));
  leading.remove(1);
  leading.remove(2);
  assert.deepEqual(leading.yield(10), []);
});

test('given a policy that yielded, when it is installed anew, then it leads again', () => {
  const leading = new LeadingPolicies();
  leading.add(policy(1, 10));
  leading.yield(10);
  leading.add(policy(1, 10));
  assert.equal(leading.yield(10).length, 1);
});
