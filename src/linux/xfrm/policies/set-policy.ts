// The policies of a pair are with its SAs: a device that does all of their work has the policies as well, or none of it.
import type { SaResult } from '#sa';
import { refuse } from '../refusal.ts';
import type { Pair } from '../states/sa-pairs.ts';
import type { TablePolicy } from './policy-message.ts';
import type { PolicyTable } from './policy-table.ts';
import { softwareTemplates } from './policy-templates.ts';

/** @param pair what protects; its `packetOffload` is over if its device does not take the policy and need not */
export function setPolicy(table: PolicyTable, policy: TablePolicy, pair: Pair | undefined): SaResult {
  const { parameters, templates } = policy;
  if (pair === undefined || Object.keys(templates?.devices ?? {}).length === 0) return table.set(policy);
  if ([...pair.sas].some(({ hardwareOffload }) => hardwareOffload === 'packet')) {
    const result = table.set(policy);
    if (result.ok || result.code === 'exists') return result;
    return refuse('unsupported', `hw_offload = packet: ${result.detail}`);
  }
  const software = { parameters, templates: templates && softwareTemplates(templates) };
  const result = table.set(policy, software);
  if (table.get(parameters.policyId) === software) pair.packetOffload = false;
  return result;
}
