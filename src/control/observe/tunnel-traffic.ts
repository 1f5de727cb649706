// What tunnels have carried, over their rekeyings: the data plane counts each SA by itself, and forgets those that end.
import type { SaCounters, SaDirection } from '#sa';
import type { Flow, TrafficHistory } from '../api/index.ts';
import { RateMeter, type Rates } from './rate-meter.ts';

/** The latest counters of one SA. */
export interface CounterReport {
  readonly direction: SaDirection;
  readonly spi: number;
  readonly childId: number;
  readonly counters: SaCounters;
}

interface SpiPair {
  readonly inboundSpi: number;
  readonly outboundSpi: number;
}

interface Count {
  bytes: number;
  packets: number;
  refused: number;
}

interface Side {
  readonly total: Count;
  readonly meter: RateMeter;
  rates: Rates;
}

/** Which of the configured tunnels a Child SA is one of. */
export interface TunnelName {
  readonly connection: string;
  readonly child: string;
}

/** Counts by configured names, for what must not grow with the number of peers. */
export interface NamedCount extends TunnelName {
  readonly direction: SaDirection;
  readonly bytes: number;
  readonly packets: number;
  readonly refused: number;
}

const historySamples = 240;
const idle: Rates = { bytesPerSecond: 0, packetsPerSecond: 0 };

export class TunnelTraffic {
  readonly #windowMs: number;
  readonly #sampleMs: number;
  /** The last report of each SA that lives, or lived until the last rekeying. */
  readonly #last = new Map<string, Count>();
  readonly #retired = new Map<number, SpiPair>();
  readonly #children = new Map<
    number,
    { readonly name: TunnelName; readonly sides: Record<SaDirection, Side> }
  >();
  readonly #named = new Map<string, { readonly name: TunnelName; readonly direction: SaDirection } & Count>();
  readonly #history = { inbound: [] as number[], outbound: [] as number[] };
  readonly #host: Record<SaDirection, Side>;

  /** @param sampleMs how often `sample` is called @param windowMs over how long a rate is taken */
  constructor(sampleMs: number, windowMs: number) {
    this.#sampleMs = sampleMs;
    this.#windowMs = windowMs;
    this.#host = { inbound: this.#side(), outbound: this.#side() };
  }

  #side(): Side {
    return {
      total: { bytes: 0, packets: 0, refused: 0 },
      meter: new RateMeter(this.#windowMs),
      rates: idle,
    };
  }

  childUp(childId: number, name: TunnelName): void {
    if (this.#children.has(childId)) return;
    this.#children.set(childId, { name, sides: { inbound: this.#side(), outbound: this.#side() } });
  }

  childDown(childId: number, pair: SpiPair): void {
    this.#children.delete(childId);
    this.#forget(this.#retired.get(childId));
    this.#forget(pair);
    this.#retired.delete(childId);
  }

  /** What was replaced still receives for a moment: its counters are of use until the next time. */
  rekeyed(childId: number, replaced: SpiPair): void {
    this.#forget(this.#retired.get(childId));
    this.#retired.set(childId, replaced);
  }

  #forget(pair: SpiPair | undefined): void {
    if (pair === undefined) return;
    this.#last.delete(`inbound ${pair.inboundSpi}`);
    this.#last.delete(`outbound ${pair.outboundSpi}`);
  }

  reports(reports: readonly CounterReport[]): void {
    for (const { direction, spi, childId, counters } of reports) {
      const key = `${direction} ${spi}`;
      const now = {
        bytes: counters.bytes,
        packets: counters.packets,
        refused: counters.integrityFailures + counters.replays + counters.malformed,
      };
      const before = this.#last.get(key);
      this.#last.set(key, now);
      // An SPI that came up again counts from the beginning.
      const from =
        before === undefined || now.packets < before.packets ? { bytes: 0, packets: 0, refused: 0 } : before;
      const more = {
        bytes: now.bytes - from.bytes,
        packets: now.packets - from.packets,
        refused: now.refused - from.refused,
      };
      add(this.#host[direction].total, more);
      const child = this.#children.get(childId);
      if (child === undefined) continue;
      add(child.sides[direction].total, more);
      add(this.#namedCount(child.name, direction), more);
    }
  }

  #namedCount(name: TunnelName, direction: SaDirection): Count {
    const key = `${direction} ${name.connection} ${name.child}`;
    const known = this.#named.get(key);
    if (known !== undefined) return known;
    const count = { name, direction, bytes: 0, packets: 0, refused: 0 };
    this.#named.set(key, count);
    return count;
  }

  /** Takes rates. Called at even times. */
  sample(at: number): void {
    for (const { sides } of this.#children.values()) {
      for (const side of [sides.inbound, sides.outbound]) side.rates = side.meter.sample(at, side.total);
    }
    for (const direction of ['inbound', 'outbound'] as const) {
      const side = this.#host[direction];
      side.rates = side.meter.sample(at, side.total);
      const history = this.#history[direction];
      history.push(Math.round(side.rates.bytesPerSecond));
      if (history.length > historySamples) history.shift();
    }
  }

  flow(childId: number, direction: SaDirection): Flow {
    const side = this.#children.get(childId)?.sides[direction];
    if (side === undefined) return { bytes: 0, packets: 0, refused: 0, ...idle };
    return { ...side.total, ...side.rates };
  }

  /** @param endMs wall clock of the last sample */
  history(endMs: number): TrafficHistory {
    return {
      sampleMs: this.#sampleMs,
      endMs,
      inboundBytesPerSecond: [...this.#history.inbound],
      outboundBytesPerSecond: [...this.#history.outbound],
    };
  }

  named(): readonly NamedCount[] {
    return [...this.#named.values()].map(({ name, direction, bytes, packets, refused }) => ({
      ...name,
      direction,
      bytes,
      packets,
      refused,
    }));
  }
}

function add(to: Count, more: Count): void {
  to.bytes += more.bytes;
  to.packets += more.packets;
  to.refused += more.refused;
}
