// SAs whose ends are elsewhere from now on, and their policies with them.
import type { SaCommand, SaResult } from '#sa';
import type { PairPolicies } from '../policies/pair-policies.ts';
import { refuse } from '../refusal.ts';
import type { XfrmSocket } from '../xfrm-socket.ts';
import { carriedOut } from './device-offload.ts';
import { stateId } from './kernel-state.ts';
import { moveState } from './move-state.ts';
import type { SaPairs } from './sa-pairs.ts';
import type { SaRemoval } from './sa-removal.ts';
import type { StateAdder } from './state-adder.ts';

export interface SaMovesOptions {
  readonly socket: XfrmSocket;
  readonly sas: SaPairs;
  readonly states: StateAdder;
  readonly policies: PairPolicies;
  readonly removal: SaRemoval;
}

export class SaMoves {
  readonly #of: SaMovesOptions;

  constructor(of: SaMovesOptions) {
    this.#of = of;
  }

  /** @throws SystemCallError */
  move(command: Extract<SaCommand, { readonly kind: 'update-addresses' }>): SaResult {
    const { socket, sas, states, policies, removal } = this.#of;
    const { direction, local, remote, encapsulated, childId } = command;
    const sa = sas.find(command);
    if (sa === undefined) return refuse('missing', `the pair has no such ${direction} SA`);
    if (sa.protocol === 'ah' && encapsulated) return refuse('unsupported', 'AH in UDP');
    if (command.unverified) return refuse('unsupported', 'the kernel counts no credit');
    if (sa.isAt(command)) return { ok: true };
    const holder = sas.at(stateId({ ...command, local: local.address, remote: remote.address }));
    if (holder !== undefined && holder !== sa)
      return refuse('exists', `the ${direction} SPI is taken at the new address`);
    if (sa.ended || sa.isNumberedByDevice) {
      removal.end(sa);
      sas.rename(sa, () => Object.assign(sa, { local, remote, encapsulated }));
      return policies.refresh(childId);
    }
    const moved = moveState(socket, states, sa, { local, remote, encapsulated });
    if ('refused' in moved) return moved.refused;
    if ('lost' in moved) {
      // Where it was there may soon be another.
      removal.forget(sa);
      return moved.lost;
    }
    const { device } = moved;
    sas.rename(sa, () => Object.assign(sa, { local, remote, encapsulated, device }));
    const result = policies.refresh(childId);
    return result.ok ? carriedOut(sa.device) : result;
  }
}
