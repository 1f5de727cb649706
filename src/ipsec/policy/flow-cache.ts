// A bounded cache of decisions per flow, so that the data path rarely walks the SPD (RFC 4301 4.4.1, SPD caches).
import type { PacketFields } from '../packet/packet-fields.ts';

/** Tag, version and address length, protocol, ports, and two addresses of up to four words. */
const keyWords = 13;
const addressesAt = 5;

/**
 * Direct-mapped: a flow has one place, and a newer flow takes it over. A full comparison of the key makes collisions
 * cost time but never decide. Packets of one flow come in runs, so the last decision is looked at first.
 */
export class FlowCache<T> {
  readonly #mask: number;
  readonly #keys: Int32Array;
  readonly #values: (T | undefined)[];
  readonly #probe = new Int32Array(keyWords);
  readonly #probeOctets = new Uint8Array(this.#probe.buffer);
  #probeSlot = 0;
  #lastValue: T | undefined;

  /** @param flows rounded up to a power of two */
  constructor(flows = 1024) {
    let size = 1;
    while (size < flows) size *= 2;
    this.#mask = size - 1;
    this.#keys = new Int32Array(size * keyWords);
    this.#values = new Array<T | undefined>(size).fill(undefined);
  }

  /** @param tag what else than the packet the decision depends on, for example the SA it came through */
  find(tag: number, bytes: Uint8Array, fields: PacketFields): T | undefined {
    if (this.#lastValue !== undefined && this.#isLast(tag, bytes, fields)) return this.#lastValue;
    this.#prepare(tag, bytes, fields);
    this.#lastValue = this.#lookUp();
    return this.#lastValue;
  }

  #isLast(tag: number, bytes: Uint8Array, fields: PacketFields): boolean {
    const probe = this.#probe;
    const { addressLength, sourceOffset, destinationOffset } = fields;
    if (
      probe[0] !== (tag | 0) ||
      probe[1] !== addressLength ||
      probe[2] !== fields.protocol ||
      probe[3] !== fields.sourcePort ||
      probe[4] !== fields.destinationPort
    ) {
      return false;
    }
    const octets = this.#probeOctets;
    const at = addressesAt * 4;
    for (let i = 0; i < addressLength; i++) {
      if (octets[at + i] !== bytes[sourceOffset + i]) return false;
      if (octets[at + 16 + i] !== bytes[destinationOffset + i]) return false;
    }
    return true;
  }

  #lookUp(): T | undefined {
    const value = this.#values[this.#probeSlot];
    if (value === undefined) return undefined;
    const at = this.#probeSlot * keyWords;
    for (let i = 0; i < keyWords; i++) {
      if (this.#keys[at + i] !== this.#probe[i]) return undefined;
    }
    return value;
  }

  /** Stores the decision about the packet that `find` was last asked about. */
  storeLast(value: T): void {
    this.#keys.set(this.#probe, this.#probeSlot * keyWords);
    this.#values[this.#probeSlot] = value;
    this.#lastValue = value;
  }

  clear(): void {
    this.#values.fill(undefined);
    this.#lastValue = undefined;
  }

  #prepare(tag: number, bytes: Uint8Array, fields: PacketFields): void {
    const probe = this.#probe;
    const octets = this.#probeOctets;
    const { addressLength, sourceOffset, destinationOffset } = fields;
    probe.fill(0);
    probe[0] = tag;
    // Tells the versions apart.
    probe[1] = addressLength;
    // OPAQUE is -1, which no real value is.
    probe[2] = fields.protocol;
    probe[3] = fields.sourcePort;
    probe[4] = fields.destinationPort;
    const at = addressesAt * 4;
    for (let i = 0; i < addressLength; i++) {
      octets[at + i] = bytes[sourceOffset + i]!;
      octets[at + 16 + i] = bytes[destinationOffset + i]!;
    }
    // FNV-1a, by words.
    let hash = 0x811c_9dc5;
    for (let i = 0; i < keyWords; i++) {
      hash = Math.imul(hash ^ probe[i]!, 0x0100_0193);
      hash ^= hash >>> 15;
    }
    this.#probeSlot = hash & this.#mask;
  }
}
