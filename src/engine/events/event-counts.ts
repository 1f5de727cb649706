// How often each thing happened that strangers can cause: for status and metrics, as logs leave most of it out.
import type { EngineEvent } from '../interface.ts';

/** A bounded set of words: kinds and reasons, never what a stranger sent. */
function wordsFor(event: EngineEvent): string | undefined {
  switch (event.kind) {
    case 'datagram-ignored':
      return `datagram-ignored ${event.reason}`;
    case 'cookie-demanded':
      return event.kind;
    case 'guess-braked':
      return `guess-braked ${event.by} ${event.outcome}`;
    case 'unknown-spi':
    case 'unknown-ike-message':
      return `${event.kind} ${event.verdict.reason} ${event.outcome}`;
    case 'hip':
      if (event.event.kind === 'relayed') return 'hip-relayed';
      return event.event.kind === 'rejected' ? `hip-rejected ${event.event.reason}` : undefined;
    case 'hip-problem':
      return `hip-problem ${event.reason} ${event.outcome}`;
    case 'hint':
      return `hint ${event.hint} ${event.outcome}`;
    case 'path-mtu':
      return `path-mtu ${event.pathMtuBytes === undefined ? 'fragmentable' : 'smaller'}`;
    default:
      return undefined;
  }
}

export class EventCounts {
  readonly #counts = new Map<string, number>();

  add(event: EngineEvent): void {
    const words = wordsFor(event);
    if (words === undefined) return;
    const times = event.kind === 'unknown-spi' ? event.count : 1;
    this.#counts.set(words, (this.#counts.get(words) ?? 0) + times);
  }

  all(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
