// Trap policies: traffic that matches one brings its Child SA up (swanctl.conf `start_action = trap`).
import type { ChildConfiguration, ConnectionConfiguration } from '#ike';
import type { PolicyParameters, SaCommand, TrafficSelector } from '#sa';

/** Policy numbers of traps lie above those of Child SAs, which count from 1. */
const firstTrapPolicyId = 0x4000_0000;

/** Traps give way to the policy of an established Child SA with the same selectors. */
const trapPriority = 0x7000_0000;

export interface Trap {
  readonly policyId: number;
  readonly connection: ConnectionConfiguration;
  readonly child: ChildConfiguration;
}

function fixedSelectors(selectors: ChildConfiguration['localSelectors']): TrafficSelector[] {
  return selectors.filter((selector): selector is TrafficSelector => !('dynamic' in selector));
}

/** Which traps are installed. */
export class TrapPolicies {
  readonly #byPolicy = new Map<number, Trap>();
  #nextPolicyId = firstTrapPolicyId;

  /** The command that installs a trap, or `undefined` if it stands or cannot match anything yet. */
  install(connection: ConnectionConfiguration, child: ChildConfiguration): SaCommand | undefined {
    if (this.#find(connection.name, child.name) !== undefined) return undefined;
    const selectors = {
      local: fixedSelectors(child.localSelectors),
      remote: fixedSelectors(child.remoteSelectors),
    };
    if (selectors.local.length === 0 || selectors.remote.length === 0) return undefined;
    const policyId = this.#nextPolicyId++;
    this.#byPolicy.set(policyId, { policyId, connection, child });
    const policy: PolicyParameters = {
      policyId,
      action: 'trap',
      selectors,
      priority: trapPriority,
      mode: child.mode,
    };
    return { kind: 'install-policy', policy };
  }

  remove(connection: string, child: string): SaCommand | undefined {
    const trap = this.#find(connection, child);
    if (trap === undefined) return undefined;
    this.#byPolicy.delete(trap.policyId);
    return { kind: 'remove-policy', policyId: trap.policyId };
  }

  byPolicy(policyId: number): Trap | undefined {
    return this.#byPolicy.get(policyId);
  }

  all(): readonly Trap[] {
    return [...this.#byPolicy.values()];
  }

  #find(connection: string, child: string): Trap | undefined {
    return this.all().find((trap) => trap.connection.name === connection && trap.child.name === child);
  }
}
