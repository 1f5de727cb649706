// An application's first packet to a HIT starts the base exchange (RFC 7401 6.1, RFC 7402 6.1): a trap policy for each peer.
import type { HipConfiguration, HipPeer } from '#hip';
import { hitAddress, type PolicyParameters, selectorOfPrefix } from '#sa';
import type { Hit } from '#wire';
import type { EngineState } from '../engine-state.ts';

/** Above the traps of Child SAs. */
const firstPolicyId = 0x6000_0000;
const trapPriority = 0x7000_0000;

interface HipTrap {
  readonly policyId: number;
  readonly local: Hit;
  readonly remote: Hit;
  readonly peer: HipPeer;
}

export class HipTraps {
  #traps: readonly HipTrap[] = [];
  #next = firstPolicyId;

  byPolicy(policyId: number): HipTrap | undefined {
    return this.#traps.find((trap) => trap.policyId === policyId);
  }

  get size(): number {
    return this.#traps.length;
  }

  /** Sets and removes traps until they are those of the configuration. */
  follow(state: EngineState, configuration: HipConfiguration): void {
    const wanted = configuration.peers.flatMap((peer) => trapsOf(configuration, peer));
    const kept = this.#traps.filter((trap) =>
      wanted.some(({ local, remote }) => local === trap.local && remote === trap.remote),
    );
    for (const trap of this.#traps) {
      if (!kept.includes(trap)) state.command({ kind: 'remove-policy', policyId: trap.policyId });
    }
    const fresh = wanted
      .filter(({ local, remote }) => !kept.some((trap) => trap.local === local && trap.remote === remote))
      .map((trap) => ({ ...trap, policyId: this.#next++ }));
    for (const trap of fresh) state.command({ kind: 'install-policy', policy: policyOf(trap) });
    // A peer may have another address now.
    const current = kept.map((trap) => ({
      ...trap,
      peer: configuration.peers.find(({ hit }) => hit === trap.remote)!,
    }));
    this.#traps = [...current, ...fresh];
  }
}

function trapsOf({ identities }: HipConfiguration, peer: HipPeer): Omit<HipTrap, 'policyId'>[] {
  const { hit, addresses, localHit } = peer;
  if (hit === undefined || addresses.length === 0) return [];
  return identities
    .map(({ identity }) => identity.hit)
    .filter((own) => localHit === undefined || own === localHit)
    .map((own) => ({ local: own, remote: hit, peer }));
}

function policyOf({ policyId, local, remote }: HipTrap): PolicyParameters {
  const only = (hit: Hit): PolicyParameters['selectors']['local'] => [selectorOfPrefix(hitAddress(hit))!];
  return {
    policyId,
    action: 'trap',
    selectors: { local: only(local), remote: only(remote) },
    priority: trapPriority,
    mode: 'beet',
  };
}
