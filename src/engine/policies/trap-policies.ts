// Trap policies: traffic that matches one brings its Child SA up (swanctl.conf `start_action = trap`).
import { type ChildConfiguration, type ConnectionConfiguration, kernelTiesOfPolicy } from '#ike';
import type { PolicyParameters, SaSelectors, TrafficSelector } from '#sa';

/** Policy numbers of traps lie above those of Child SAs, which count from 1. */
const firstTrapPolicyId = 0x4000_0000;

/** Traps give way to the policy of an established Child SA with the same selectors. */
const trapPriority = 0x7000_0000;

export interface Trap {
  readonly policyId: number;
  readonly connection: ConnectionConfiguration;
  readonly child: ChildConfiguration;
  readonly selectors: SaSelectors;
  /** By a command: stays whatever `start_action` says. */
  readonly onRequest: boolean;
}

function fixedSelectors(selectors: ChildConfiguration['localSelectors']): TrafficSelector[] {
  return selectors.filter((selector): selector is TrafficSelector => !('dynamic' in selector));
}

/** The policy of a trap. */
export function trapPolicy({ policyId, child, selectors }: Trap): PolicyParameters {
  const kernelTies = kernelTiesOfPolicy(child, policyId);
  return {
    ...{ policyId, action: 'trap', selectors, priority: trapPriority, mode: child.mode },
    ...(kernelTies !== undefined && { kernelTies }),
  };
}

/** Which traps are installed. */
export class TrapPolicies {
  readonly #byPolicy = new Map<number, Trap>();
  #nextPolicyId = firstTrapPolicyId;

  /** A trap to install, or `undefined` if it stands or cannot match anything yet. */
  add(connection: ConnectionConfiguration, child: ChildConfiguration, onRequest: boolean): Trap | undefined {
    if (this.#find(connection.name, child.name) !== undefined) return undefined;
    const selectors = {
      local: fixedSelectors(child.localSelectors),
      remote: fixedSelectors(child.remoteSelectors),
    };
    if (selectors.local.length === 0 || selectors.remote.length === 0) return undefined;
    const trap: Trap = { policyId: this.#nextPolicyId++, connection, child, selectors, onRequest };
    this.#byPolicy.set(trap.policyId, trap);
    return trap;
  }

  remove(trap: Trap): void {
    this.#byPolicy.delete(trap.policyId);
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
