// A bounded cache of decisions per flow, so that the data path rarely walks the SPD (RFC 4301 4.4.1, SPD caches).
import { opaque } from '#wire';
import type { PacketFields } from '../packet/packet-fields.ts';

const keyBytes = 44;

/**
 * Direct-mapped: a flow has one place, and a newer flow takes it over. A full comparison of the key makes collisions
 * cost time but never decide.
 */
export class FlowCache<T> {
  readonly #mask: number;
  readonly #keys: Uint8Array;
  readonly #values: (T | undefined)[];
  readonly #probe = new Uint8Array(keyBytes);
  #probeSlot = 0;

  /** @param flows rounded up to a power of two */
  constructor(flows = 1024) {
    let size = 1;
    while (size < flows) size *= 2;
    this.#mask = size - 1;
    this.#keys = new Uint8Array(size * keyBytes);
    this.#values = new Array<T | undefined>(size).fill(undefined);
  }

  /** @param tag what else than the packet the decision depends on, for example the SA it came through */
  find(tag: number, bytes: Uint8Array, fields: PacketFields): T | undefined {
    this.#prepare(tag, bytes, fields);
    const value = this.#values[this.#probeSlot];
    if (value === undefined) return undefined;
    const at = this.#probeSlot * keyBytes;
    for (let i = 0; i < keyBytes; i++) {
      if (this.#keys[at + i] !== this.#probe[i]) return undefined;
    }
    return value;
  }

  /** Stores the decision about the packet that `find` was last asked about. */
  storeLast(value: T): void {
    this.#keys.set(this.#probe, this.#probeSlot * keyBytes);
    this.#values[this.#probeSlot] = value;
  }

  clear(): void {
    this.#values.fill(undefined);
  }

  #prepare(tag: number, bytes: Uint8Array, fields: PacketFields): void {
    const probe = this.#probe;
    probe.fill(0);
    probe[0] = tag >>> 24;
    probe[1] = tag >>> 16;
    probe[2] = tag >>> 8;
    probe[3] = tag;
    probe[4] = fields.version;
    probe[5] = fields.protocol;
    // OPAQUE is -1, whose low octets a real value can share.
    probe[6] = Number(fields.portsOpaque) | (Number(fields.protocol === opaque) << 1);
    probe[8] = fields.sourcePort >>> 8;
    probe[9] = fields.sourcePort;
    probe[10] = fields.destinationPort >>> 8;
    probe[11] = fields.destinationPort;
    for (let i = 0; i < fields.addressLength; i++) {
      probe[12 + i] = bytes[fields.sourceOffset + i]!;
      probe[28 + i] = bytes[fields.destinationOffset + i]!;
    }
    // FNV-1a
    let hash = 0x811c_9dc5;
    for (let i = 0; i < keyBytes; i++) hash = Math.imul(hash ^ probe[i]!, 0x0100_0193);
    hash ^= hash >>> 15;
    this.#probeSlot = hash & this.#mask;
  }
}
