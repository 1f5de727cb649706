// Gives SAs to the kernel, with a device that does their work or without one.
import type { HardwareOffload, OffloadKind, SaDirection } from '#sa';
import type { XfrmState } from '#wire';
import { SystemCallError } from '../../libc/errno.ts';
import { lookupAttributesOf } from '../kernel-ties.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { XfrmSocket } from '../xfrm-socket.ts';
import { type DeviceOffload, deviceOf, offloadAttempts, withOffload } from './device-offload.ts';
import { type KernelState, wipeKeys } from './kernel-state.ts';

export type AddedState = { readonly device: DeviceOffload | undefined } | { readonly refusal: Refusal };

interface OffloadWish {
  readonly direction: SaDirection;
  readonly hardwareOffload?: HardwareOffload | undefined;
}

/** The kernel cannot have such an SA, whoever does its work. */
const ofTheSa = new Set(['EEXIST', 'ENOSYS', 'EPROTONOSUPPORT']);

export class StateAdder {
  readonly #socket: Pick<XfrmSocket, 'request' | 'requestIfThere'>;
  readonly #isLarval: (state: XfrmState) => boolean;

  /** @param isLarval whether the kernel made it because traffic asked for an SA of ours */
  constructor(
    socket: Pick<XfrmSocket, 'request' | 'requestIfThere'>,
    isLarval: (state: XfrmState) => boolean,
  ) {
    this.#socket = socket;
    this.#isLarval = isLarval;
  }

  /** @param packets whether `auto` may hand all of the SA to a device */
  add(wanted: KernelState, { direction, hardwareOffload }: OffloadWish, packets: boolean): AddedState {
    const [first, ...others] = offloadAttempts(hardwareOffload, packets);
    let added = this.#attempt(wanted, direction, first);
    for (const kind of others) {
      if ('device' in added || added.refusal.code === 'exists') break;
      added = this.#attempt(wanted, direction, kind);
    }
    if (hardwareOffload === undefined || hardwareOffload === 'auto' || 'refusal' in added) return added;
    if (added.device?.kind === hardwareOffload) return added;
    this.#remove(wanted);
    return {
      refusal: refuse(
        'unsupported',
        `hw_offload = ${hardwareOffload}: the device on the way to the peer does not do that`,
      ),
    };
  }

  #attempt(wanted: KernelState, direction: SaDirection, kind: OffloadKind | undefined): AddedState {
    try {
      this.#give(withOffload(wanted, direction, kind));
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      return { refusal: refusalOf(error, kind) };
    }
    return { device: kind === undefined ? undefined : this.#deviceOf(wanted) };
  }

  /**
   * Policies name the SPI of their SA. A packet that finds none, while an SA moves, makes the kernel put a larval state in its
   * place, which keeps new ones out for half a minute, and gives way to an update.
   */
  #give(state: KernelState): void {
    try {
      this.#socket.request({ kind: 'new-sa', ...state });
    } catch (error) {
      if (!(error instanceof SystemCallError && error.code === 'EEXIST' && this.#isLarvalAt(state)))
        throw error;
      this.#socket.request({ kind: 'update-sa', ...state });
    }
  }

  #isLarvalAt(wanted: KernelState): boolean {
    const told = this.#told(wanted);
    if (told === undefined) return false;
    wipeKeys(told.attributes);
    const { aead, encryption, authentication } = told.attributes;
    const hasKeys = aead !== undefined || encryption !== undefined || authentication !== undefined;
    return !hasKeys && this.#isLarval(told.state);
  }

  #deviceOf(added: KernelState): DeviceOffload | undefined {
    const told = this.#told(added);
    if (told === undefined) return undefined;
    wipeKeys(told.attributes);
    return deviceOf(told.attributes);
  }

  #told({ state, attributes }: KernelState): KernelState | undefined {
    const lookup = lookupAttributesOf(attributes);
    const [told] = this.#socket.requestIfThere({ kind: 'get-sa', id: state, attributes: lookup }) ?? [];
    return told?.kind === 'new-sa' ? told : undefined;
  }

  #remove({ state, attributes }: KernelState): void {
    const lookup = lookupAttributesOf(attributes);
    this.#socket.requestIfThere({ kind: 'delete-sa', id: state, attributes: lookup });
  }
}

function refusalOf(error: SystemCallError, kind: OffloadKind | undefined): Refusal {
  if (error.code === 'EEXIST') return refuse('exists', error.message);
  if (kind !== undefined && !ofTheSa.has(error.code))
    return refuse('unsupported', `hw_offload = ${kind}: ${error.message}`);
  // EPROTONOSUPPORT, and ENOSYS for an algorithm that this kernel was built without.
  const unsupported = ['EPROTONOSUPPORT', 'ENOSYS', 'ENOENT', 'EOPNOTSUPP'].includes(error.code);
  return refuse(unsupported ? 'unsupported' : 'failed', error.message);
}
