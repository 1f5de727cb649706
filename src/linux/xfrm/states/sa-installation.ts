// SAs that the engine installs: new ones, and those that the kernel still has from a process before us.
import { isNegotiableSpi, type SaParameters, type SaResult } from '#sa';
import type { XfrmStateId } from '#wire';
import { lookupAttributes, lookupAttributesOf } from '../kernel-ties.ts';
import { refuse, unlessRefused } from '../refusal.ts';
import type { RequestIds } from '../request-ids.ts';
import type { XfrmSocket } from '../xfrm-socket.ts';
import { carriedOut, deviceOf } from './device-offload.ts';
import { KernelSa } from './kernel-sa.ts';
import {
  isSameState,
  type KernelState,
  kernelState,
  replayWindowPacketsMax,
  stateId,
  wipeKeys,
} from './kernel-state.ts';
import type { SaPairs } from './sa-pairs.ts';
import type { SaRemoval } from './sa-removal.ts';
import { usageOf } from './sa-usage.ts';
import type { AddedState, StateAdder } from './state-adder.ts';
import type { ToldStates } from './told-states.ts';

export interface SaInstallationOptions {
  readonly socket: XfrmSocket;
  readonly ids: RequestIds;
  readonly sas: SaPairs;
  readonly told: ToldStates;
  readonly states: StateAdder;
  readonly removal: SaRemoval;
}

export class SaInstallation {
  readonly #of: SaInstallationOptions;

  constructor(of: SaInstallationOptions) {
    this.#of = of;
  }

  /** @throws SystemCallError */
  install(sa: SaParameters): SaResult {
    const { encryption, integrity } = sa;
    try {
      return this.#install(sa);
    } finally {
      // The kernel has them now, or nobody.
      encryption?.key.fill(0);
      integrity?.key.fill(0);
    }
  }

  #install(sa: SaParameters): SaResult {
    const { socket, ids, sas, told, removal } = this.#of;
    const { protocol, spi, replayWindow, childId } = sa;
    if (!isNegotiableSpi(spi)) return refuse('failed', `SPI ${spi} is reserved`);
    if (replayWindow > replayWindowPacketsMax)
      return refuse('unsupported', `a replay window of more than ${replayWindowPacketsMax} packets`);
    if (protocol === 'ah' && sa.encapsulation !== undefined) return refuse('unsupported', 'AH in UDP');
    const id = stateId(sa);
    if (sa.direction === 'inbound') removal.endLingering(protocol, spi);
    if (sas.at(id) !== undefined || sas.find(sa) !== undefined)
      return refuse('exists', `the ${sa.direction} SPI is taken`);
    const there = told.at(id, lookupAttributes(sa.kernelTies));
    if (there !== undefined && !ids.isOurState(there.state)) {
      wipeKeys(there.attributes);
      return refuse('exists', `the ${sa.direction} SPI is another key manager's`);
    }
    const pair = sas.pair(childId);
    const known = pair?.requestId ?? this.#requestIdLike(there);
    const requestId = known ?? ids.take();
    let added: (AddedState & { readonly goesOn?: boolean }) | undefined;
    try {
      added = this.#add(sa, id, requestId, there);
    } finally {
      if (there !== undefined) wipeKeys(there.attributes);
      const stands = added !== undefined && 'device' in added;
      if (!stands && known === undefined) ids.give(requestId);
    }
    if ('refusal' in added) return added.refusal;
    const { device, goesOn = false } = added;
    const installed = new KernelSa(sa, requestId);
    installed.device = device;
    if (goesOn) {
      // What is not told now is in the first report.
      const used = unlessRefused(() => usageOf(socket, installed), undefined);
      installed.packets = Number(used?.packets ?? 0n);
      installed.bytes = Number(used?.bytes ?? 0n);
    }
    sas.add(installed);
    return carriedOut(device);
  }

  /** @param there what the kernel has in its place, from a process before us */
  #add(
    sa: SaParameters,
    id: XfrmStateId,
    requestId: number,
    there: KernelState | undefined,
  ): AddedState & { readonly goesOn?: boolean } {
    const { socket, ids, sas, states } = this.#of;
    const wanted = kernelState(sa, requestId, ids.stateTag);
    if (wanted === undefined)
      return { refusal: refuse('unsupported', 'an algorithm that the kernel has no name for') };
    if (there !== undefined && there.state.requestId === requestId && isSameState(there, wanted))
      return { device: deviceOf(there.attributes), goesOn: true };
    // Numbers that may have been used are the kernel's to know, and it has forgotten them.
    if (isBehind(sa)) return { refusal: refuse('missing', 'the kernel has no SA that could go on') };
    if (there !== undefined)
      socket.requestIfThere({ kind: 'delete-sa', id, attributes: lookupAttributesOf(there.attributes) });
    return states.add(wanted, sa, sas.pair(sa.childId)?.packetOffload ?? true);
  }

  /** SAs of a process before us keep the number of their pair, so that its policies go on to fit. */
  #requestIdLike(there: KernelState | undefined): number | undefined {
    const { ids, sas } = this.#of;
    const requestId = there?.state.requestId;
    if (requestId === undefined || sas.hasRequestId(requestId)) return undefined;
    ids.keep(requestId);
    return requestId;
  }
}

/** Whether numbers were used before this process. */
function isBehind({ reservation }: SaParameters): boolean {
  return reservation !== undefined && (reservation.last.high !== 0 || reservation.last.low !== 0);
}
