// Policies of the engine: each asks for the SAs that its pair has now, and a trap for one that nobody has yet.
import type { PolicyParameters, SaResult } from '#sa';
import { refuse } from '../refusal.ts';
import type { RequestIds } from '../request-ids.ts';
import type { SaPairs } from '../states/sa-pairs.ts';
import type { SaRemoval } from '../states/sa-removal.ts';
import type { PolicyTemplates } from './policy-message.ts';
import type { PolicyTable } from './policy-table.ts';
import { pairTemplates, trapTemplates } from './policy-templates.ts';
import { setPolicy } from './set-policy.ts';

const done: SaResult = { ok: true };

export interface PairPoliciesOptions {
  readonly table: PolicyTable;
  readonly ids: RequestIds;
  readonly sas: SaPairs;
  /** Request IDs of trap policies, which have no pair yet. */
  readonly traps: Map<number, number>;
  readonly removal: SaRemoval;
}

export class PairPolicies {
  readonly #of: PairPoliciesOptions;

  constructor(of: PairPoliciesOptions) {
    this.#of = of;
  }

  install(parameters: PolicyParameters): SaResult {
    const { action, childId, policyId } = parameters;
    const { traps, ids } = this.#of;
    if (action === 'protect' && childId === undefined)
      return refuse('failed', 'a protect policy names the pair that protects');
    if (action === 'trap' && !traps.has(policyId)) traps.set(policyId, ids.take());
    const templates = this.#templatesOf(parameters);
    if (templates === undefined && (action === 'protect' || action === 'trap'))
      return refuse('missing', 'the pair has no SAs');
    return this.#set(parameters, templates);
  }

  remove(policyId: number): SaResult {
    const { table, traps, ids, removal } = this.#of;
    if (!table.remove(policyId)) return refuse('missing', `no policy ${policyId}`);
    const requestId = traps.get(policyId);
    if (requestId !== undefined) ids.give(requestId);
    traps.delete(policyId);
    removal.releaseIfUnused(policyId);
    return done;
  }

  /** The SAs of a pair are others than before, or elsewhere. */
  refresh(childId: number): SaResult {
    for (const { parameters } of this.#of.table.ofChild(childId)) {
      const templates = this.#templatesOf(parameters);
      if (templates === undefined) continue;
      const result = this.#set(parameters, templates);
      if (!result.ok) return result;
    }
    return done;
  }

  #set(parameters: PolicyParameters, templates: PolicyTemplates | undefined): SaResult {
    const { table, sas, removal } = this.#of;
    const pair = parameters.childId === undefined ? undefined : sas.pair(parameters.childId);
    const result = setPolicy(table, { parameters, templates }, pair);
    // Packets of a device's SA pass by policies that are not the device's.
    if (pair?.packetOffload === false) for (const sa of pair.sas) if (sa.isNumberedByDevice) removal.end(sa);
    return result;
  }

  #templatesOf(parameters: PolicyParameters): PolicyTemplates | undefined {
    const { action, policyId, childId } = parameters;
    if (action === 'trap') return trapTemplates(parameters, this.#of.traps.get(policyId)!);
    const pair = childId === undefined ? undefined : this.#of.sas.pair(childId);
    return pair && pairTemplates(pair);
  }
}
