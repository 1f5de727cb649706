// From counters that only grow to rates, over a short sliding window.

export interface Totals {
  readonly bytes: number;
  readonly packets: number;
}

export interface Rates {
  readonly bytesPerSecond: number;
  readonly packetsPerSecond: number;
}

const nothing: Rates = { bytesPerSecond: 0, packetsPerSecond: 0 };

/** Sampled at even times; remembers no more than one window. */
export class RateMeter {
  readonly #window: { readonly at: number; readonly totals: Totals }[] = [];
  readonly #windowMs: number;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @param at monotonic milliseconds */
  sample(at: number, totals: Totals): Rates {
    const window = this.#window;
    // The caller goes on counting.
    window.push({ at, totals: { bytes: totals.bytes, packets: totals.packets } });
    // The oldest one that is a whole window away is where counting begins.
    while (window.length > 2 && window[1]!.at <= at - this.#windowMs) window.shift();
    const first = window[0]!;
    const seconds = (at - first.at) / 1000;
    if (seconds <= 0) return nothing;
    return {
      bytesPerSecond: Math.max(0, (totals.bytes - first.totals.bytes) / seconds),
      packetsPerSecond: Math.max(0, (totals.packets - first.totals.packets) / seconds),
    };
  }
}
