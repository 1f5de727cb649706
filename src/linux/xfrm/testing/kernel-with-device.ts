// A kernel in memory that answers for its device as Linux 6.18 does: what it takes, what it lets pass, what it refuses.
import { constants } from 'node:os';
import {
  type XfrmAttributes,
  XfrmDirection,
  type XfrmMessage,
  XfrmOffloadFlag,
  type XfrmPolicy,
  type XfrmState,
} from '#wire';
import { SystemCallError } from '../../libc/errno.ts';
import { stateKey } from '../states/kernel-sa.ts';
import type { XfrmMessageOf, XfrmSocket } from '../xfrm-socket.ts';

export const deviceIndex = 3;

/** What the device can do. */
interface Abilities {
  readonly crypto?: boolean;
  readonly packet?: boolean;
  readonly policies?: boolean;
}

interface Sa {
  readonly kind: 'new-sa';
  readonly state: XfrmState;
  readonly attributes: XfrmAttributes;
}

interface Policy {
  readonly kind: 'new-policy';
  readonly policy: XfrmPolicy;
  readonly attributes: XfrmAttributes;
}

function refused(what: string, text: string, errno = constants.errno.EINVAL): SystemCallError {
  return new SystemCallError(`xfrm ${what}`, errno, text);
}

export class KernelWithDevice {
  /** By what tells them apart. */
  readonly sas: Map<string, Sa> = new Map();
  readonly policies: Map<string, Policy> = new Map();
  /** Flags of what was asked for, in order; undefined: no device. */
  readonly asked: (number | undefined)[] = [];
  /** SAs that were deleted. */
  deletions = 0;
  /** Times at which a place had no policy after it had one. */
  gaps = 0;
  /** For want of memory, requests of these kinds. */
  readonly refusing: Set<XfrmMessage['kind']> = new Set();
  abilities: Abilities;

  constructor(abilities: Abilities) {
    this.abilities = abilities;
  }

  get socket(): XfrmSocket {
    return this as unknown as XfrmSocket;
  }

  close(): void {}

  request(message: XfrmMessage): XfrmMessage[] {
    if (this.refusing.has(message.kind)) throw refused(message.kind, '', constants.errno.ENOBUFS);
    switch (message.kind) {
      case 'new-sa':
        if (this.sas.has(stateKey(message.state))) throw refused(message.kind, '', constants.errno.EEXIST);
        this.#addSa(structuredClone(message) as Sa);
        return [];
      case 'update-sa':
        this.#updateSa(structuredClone(message));
        return [];
      case 'get-sa':
      case 'delete-sa': {
        const key = stateKey((message as XfrmMessageOf<'get-sa'>).id);
        const sa = this.sas.get(key);
        if (sa === undefined) throw refused(message.kind, '', constants.errno.ESRCH);
        if (message.kind === 'get-sa') return [structuredClone(sa)];
        this.sas.delete(key);
        this.deletions++;
        return [];
      }
      case 'dump-sas':
        return [...this.sas.values()].map((sa) => structuredClone(sa));
      case 'new-policy':
      case 'update-policy':
        this.#addPolicy({ ...message, kind: 'new-policy' } as Policy);
        return [];
      case 'get-policy':
      case 'delete-policy': {
        const { selector, direction } = (message as XfrmMessageOf<'delete-policy'>).id;
        const place = placeOf(direction, selector.destination);
        const policy = this.policies.get(place);
        if (policy === undefined) throw refused(message.kind, '', constants.errno.ENOENT);
        if (message.kind === 'get-policy') return [structuredClone(policy)];
        this.policies.delete(place);
        this.gaps++;
        return [];
      }
      default:
        return [];
    }
  }

  requestIfThere(message: XfrmMessage): XfrmMessage[] | undefined {
    try {
      return this.request(message);
    } catch (error) {
      if (error instanceof SystemCallError && (error.code === 'ESRCH' || error.code === 'ENOENT'))
        return undefined;
      throw error;
    }
  }

  /** The first with this SPI. */
  sa(spi: number): Sa | undefined {
    return [...this.sas.values()].find(({ state }) => state.spi === spi);
  }

  /** Of the policies of one direction. */
  policyDevice(direction: keyof typeof XfrmDirection): number | undefined {
    const all = [...this.policies.values()].filter(
      ({ policy }) => policy.direction === XfrmDirection[direction],
    );
    return all[0]?.attributes.offload?.interfaceIndex;
  }

  #addSa({ kind, state, attributes: { offload, ...attributes } }: Sa): void {
    const flags = offload?.flags;
    this.asked.push(flags);
    const packet = flags !== undefined && (flags & XfrmOffloadFlag.PACKET) !== 0;
    const crypto = flags !== undefined && !packet;
    if (crypto && attributes.encapsulation !== undefined)
      throw refused(kind, "Encapsulation can't be offloaded");
    if (packet && this.abilities.packet !== true) throw refused(kind, 'Device failed to offload this state');
    // A device that has no cryptography is passed over in silence.
    const taken = packet || (crypto && this.abilities.crypto === true);
    const offloaded = taken ? { offload: { interfaceIndex: deviceIndex, flags: flags! } } : {};
    this.sas.set(stateKey(state), { kind, state, attributes: { ...attributes, ...offloaded } });
  }

  /** As Linux does: what is there and has no keys gives way, and of an SA the ports of its encapsulation change. */
  #updateSa({ state, attributes }: XfrmMessageOf<'update-sa'>): void {
    const key = stateKey(state);
    const there = this.sas.get(key);
    if (there === undefined) throw refused('update-sa', '', constants.errno.ESRCH);
    if (there.attributes.aead === undefined) this.#addSa({ kind: 'new-sa', state, attributes });
    else {
      const { encapsulation } = attributes;
      if ((encapsulation === undefined) !== (there.attributes.encapsulation === undefined))
        throw refused('update-sa', '');
      const changed = encapsulation === undefined ? {} : { encapsulation };
      this.sas.set(key, { ...there, attributes: { ...there.attributes, ...changed } });
    }
  }

  #addPolicy(policy: Policy): void {
    const { offload } = policy.attributes;
    if (offload !== undefined && (this.abilities.policies !== true || offload.interfaceIndex !== deviceIndex))
      throw refused(policy.kind, 'Policy offload is not supported');
    const { direction, selector } = policy.policy;
    this.policies.set(placeOf(direction, selector.destination), policy);
  }
}

function placeOf(direction: number, destination: Uint8Array): string {
  return `${direction} ${destination}`;
}
