// Packets of trap policies, kept until their SA exists (RFC 4301 5.1, step 3b), and how often an SA is asked for.

export interface HoldLimits {
  readonly packetsPerPolicyMax: number;
  readonly holdMs: number;
  readonly acquireIntervalMs: number;
}

interface Held {
  readonly packet: Uint8Array;
  readonly until: number;
}

interface Waiting {
  packets: Held[];
  /** When the next packet may ask again. */
  askAgainAt: number;
}

export class HeldPackets {
  readonly #limits: HoldLimits;
  readonly #byPolicy = new Map<number, Waiting>();
  #dropped = 0;

  constructor(limits: HoldLimits) {
    this.#limits = limits;
  }

  /** Packets given up, because there were too many or no SA came in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Keeps a copy of the packet. True if an SA should be asked for now. */
  hold(policyId: number, packet: Uint8Array, at: number): boolean {
    const waiting = this.#byPolicy.get(policyId) ?? { packets: [], askAgainAt: Number.NEGATIVE_INFINITY };
    this.#byPolicy.set(policyId, waiting);
    if (waiting.packets.length < this.#limits.packetsPerPolicyMax) {
      waiting.packets.push({ packet: packet.slice(), until: at + this.#limits.holdMs });
    } else {
      this.#dropped++;
    }
    if (at < waiting.askAgainAt) return false;
    waiting.askAgainAt = at + this.#limits.acquireIntervalMs;
    return true;
  }

  /** Offers every packet, oldest first within its policy; those which are taken are kept no longer. */
  release(take: (packet: Uint8Array) => boolean): void {
    for (const [policyId, waiting] of this.#byPolicy) {
      const rest = waiting.packets.filter((held) => !take(held.packet));
      // What was asked for is there. If it goes again, the next packet must not wait for the interval to pass.
      if (rest.length === 0 && waiting.packets.length > 0) this.#byPolicy.delete(policyId);
      waiting.packets = rest;
    }
  }

  /** Gives up packets that have waited too long, and forgets policies about which nothing is left to know. */
  expire(at: number): void {
    for (const [policyId, waiting] of this.#byPolicy) {
      const rest = waiting.packets.filter((held) => held.until > at);
      this.#dropped += waiting.packets.length - rest.length;
      waiting.packets = rest;
      if (rest.length === 0 && waiting.askAgainAt <= at) this.#byPolicy.delete(policyId);
    }
  }

  /** Monotonic milliseconds at which `expire` has something to do; infinite if never. */
  get expiresAt(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { packets } of this.#byPolicy.values()) {
      for (const held of packets) earliest = Math.min(earliest, held.until);
    }
    return earliest;
  }
}
