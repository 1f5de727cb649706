// What a simulation met: how often each fault, each collision and each turn of an SA's life occurred.
import type { LabEvent, Observer } from '../events.ts';

/** Counts by name. */
export type Counts = Record<string, number>;

export class Coverage implements Observer {
  readonly faults: Counts = {};
  readonly collisions: Counts = {};
  /** Handshakes, rekeyings, moves and the like. */
  readonly turns: Counts = {};

  observe(event: LabEvent): void {
    if (event.kind === 'fault') {
      count(this.faults, event.fault);
      return;
    }
    if (event.kind !== 'engine' || event.output.kind !== 'event') return;
    const outer = event.output.event;
    switch (outer.kind) {
      case 'duplicate-ike-sa':
      case 'cookie-demanded':
      case 'unknown-spi':
        count(this.turns, outer.kind);
        return;
      case 'ike': {
        const inner = outer.event;
        if (inner.kind === 'collision') count(this.collisions, `${inner.of}: ${inner.outcome}`);
        else if (inner.kind !== 'message-rejected' && inner.kind !== 'notify-received') {
          count(this.turns, inner.kind);
        }
        return;
      }
      case 'hip':
        if (outer.event.kind !== 'rejected' && outer.event.kind !== 'state')
          count(this.turns, `hip-${outer.event.kind}`);
        return;
      default:
        return;
    }
  }
}

export function count(counts: Counts, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}

/** Adds `more` to `sum`. */
export function addCounts(sum: Counts, more: Readonly<Counts>): void {
  for (const [name, by] of Object.entries(more)) count(sum, name, by);
}
