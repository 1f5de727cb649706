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
  readonly #byPolicy = new Map<number, HipTrap>();
  #next = firstPolicyId;

  byPolicy(policyId: number): HipTrap | undefined {
    return this.#byPolicy.get(policyId);
  }

  get size(): number {
    return this.#byPolicy.size;
  }

  /** Sets and removes traps until they are those of the configuration. */
  follow(state: EngineState, configuration: HipConfiguration): void {
    const wanted = new Map(
      configuration.peers.flatMap((peer) => trapsOf(configuration, peer).map((trap) => [keyOf(trap), trap])),
    );
    for (const trap of [...this.#byPolicy.values()]) {
      const current = wanted.get(keyOf(trap));
      wanted.delete(keyOf(trap));
      const { policyId } = trap;
      // A peer may have another address now.
      if (current !== undefined) this.#byPolicy.set(policyId, { ...current, policyId });
      else {
        this.#byPolicy.delete(policyId);
        state.command({ kind: 'remove-policy', policyId });
      }
    }
    for (const trap of wanted.values()) {
      const fresh: HipTrap = { ...trap, policyId: this.#next++ };
      this.#byPolicy.set(fresh.policyId, fresh);
      state.command({ kind: 'install-policy', policy: policyOf(fresh) });
    }
  }
}

function keyOf({ local, remote }: Pick<HipTrap, 'local' | 'remote'>): string {
  return `${local} ${remote}`;
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
