// A host's disk: records that survive crashes once they are acknowledged; before that a crash loses, tears or keeps them.
import type { Prng } from './prng.ts';

interface PendingWrite {
  readonly key: string;
  readonly octets: Uint8Array;
}

/** Records by key, and the writes that are under way. */
export class LabDisk {
  readonly #prng: Prng;
  readonly #records = new Map<string, Uint8Array>();
  readonly #pending = new Set<PendingWrite>();

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** What a restarted host finds. */
  get records(): ReadonlyMap<string, Uint8Array> {
    return new Map(this.#records);
  }

  /** Begins a write. @returns what makes it durable; does nothing after a crash */
  write(key: string, octets: Uint8Array): () => void {
    const write = { key, octets: octets.slice() };
    this.#pending.add(write);
    return () => {
      if (this.#pending.delete(write)) this.#records.set(key, write.octets);
    };
  }

  /** The power goes: writes under way reach the disk in any order, whole, in part, or not at all. */
  crash(): void {
    const writes = [...this.#pending];
    this.#pending.clear();
    while (writes.length > 0) {
      const [write] = writes.splice(this.#prng.below(writes.length), 1);
      if (write === undefined) return;
      const { key, octets } = write;
      const fate = this.#prng.below(3);
      if (fate === 1) this.#records.set(key, octets);
      if (fate === 2) this.#records.set(key, octets.slice(0, this.#prng.below(octets.length + 1)));
    }
  }
}
