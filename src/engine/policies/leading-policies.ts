// Policies of Child SAs that no newer IKE SA has gone before: each gives way once, with a command, and is then forgotten.
import type { PolicyParameters } from '#sa';

export class LeadingPolicies {
  readonly #ofChild = new Map<number, Map<number, PolicyParameters>>();
  readonly #childOf = new Map<number, number>();

  /** As the IKE SA installed it. */
  add(policy: PolicyParameters): void {
    const { policyId, childId } = policy;
    if (childId === undefined) return;
    const known = this.#ofChild.get(childId);
    if (known === undefined) this.#ofChild.set(childId, new Map([[policyId, policy]]));
    else known.set(policyId, policy);
    this.#childOf.set(policyId, childId);
  }

  remove(policyId: number): void {
    const childId = this.#childOf.get(policyId);
    if (childId === undefined) return;
    this.#childOf.delete(policyId);
    const known = this.#ofChild.get(childId);
    known?.delete(policyId);
    if (known?.size === 0) this.#ofChild.delete(childId);
  }

  /** Those of a Child SA that others come before from now on, as they are to be installed for that. */
  yield(childId: number): readonly PolicyParameters[] {
    const policies = [...(this.#ofChild.get(childId)?.values() ?? [])];
    for (const { policyId } of policies) this.remove(policyId);
    return policies.map((policy) => ({ ...policy, priority: policy.priority + 1 }));
  }
}
