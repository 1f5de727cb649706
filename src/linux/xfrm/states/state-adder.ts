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

export interface StateAdderOptions {
  readonly socket: Pick<XfrmSocket, 'request' | 'requestIfThere'>;
  /** Whether the kernel made it because traffic asked for an SA of ours. */
  readonly isLarval: (state: XfrmState) => boolean;
  /** What is not to stay although the kernel has it: nobody else knows of it. */
  readonly takeBack: (added: KernelState) => void;
}

export class StateAdder {
  readonly #socket: StateAdderOptions['socket'];
  readonly #isLarval: StateAdderOptions['isLarval'];
  readonly #takeBack: StateAdderOptions['takeBack'];

  constructor({ socket, isLarval, takeBack }: StateAdderOptions) {
    this.#socket = socket;
    this.#isLarval = isLarval;
    this.#takeBack = takeBack;
  }

  /** @param packets whether `auto` may hand all of the SA to a device */
  add(wanted: KernelState, { direction, hardwareOffload }: OffloadWish, packets: boolean): AddedState {
    let refusal: Refusal | undefined;
    for (const kind of offloadAttempts(hardwareOffload, packets)) {
      refusal = this.#tryToGive(withOffload(wanted, direction, kind), kind);
      if (refusal === undefined)
        return kind === undefined ? { device: undefined } : this.#taken(wanted, kind, hardwareOffload);
      if (refusal.code === 'exists') break;
    }
    return { refusal: refusal! };
  }

  #tryToGive(state: KernelState, kind: OffloadKind | undefined): Refusal | undefined {
    try {
      this.#give(state);
      return undefined;
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      return refusalOf(error, kind);
    }
  }

  /** What has become of an SA that a device was asked to take. Not as wanted, or without a word about it, it goes again. */
  #taken(added: KernelState, kind: OffloadKind, wanted: HardwareOffload | undefined): AddedState {
    try {
      const device = this.#deviceOf(added);
      if (wanted === 'auto' || device?.kind === kind) return { device };
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      this.#takeBack(added);
      return { refusal: refuse('failed', error.message) };
    }
    this.#takeBack(added);
    const detail = `hw_offload = ${kind}: the device on the way to the peer does not do that`;
    return { refusal: refuse('unsupported', detail) };
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
}

function refusalOf(error: SystemCallError, kind: OffloadKind | undefined): Refusal {
  if (error.code === 'EEXIST') return refuse('exists', error.message);
  if (kind !== undefined && !ofTheSa.has(error.code))
    return refuse('unsupported', `hw_offload = ${kind}: ${error.message}`);
  // EPROTONOSUPPORT, and ENOSYS for an algorithm that this kernel was built without.
  const unsupported = ['EPROTONOSUPPORT', 'ENOSYS', 'ENOENT', 'EOPNOTSUPP'].includes(error.code);
  return refuse(unsupported ? 'unsupported' : 'failed', error.message);
}
