// The last packets and messages that belong to no SA, for people: the same again is only counted.
import type { EngineEvent } from '#engine';
import { formatEndpoint, formatSpi } from '#sa';
import type { SpiOwner, UnknownSpi } from '../api/index.ts';

type StrayEvent = Extract<EngineEvent, { kind: 'unknown-spi' | 'unknown-ike-message' }>;
type Row = Omit<UnknownSpi, 'id' | 'host' | 'atMs' | 'lastAtMs' | 'count'>;

/** Two rings, so that strangers cannot push out what happened to our own connections. */
const rowsMax = 64;
/** Flows that take turns are told apart as long as there are not more than this. */
const interleavedMax = 8;

export class UnknownSpiFeed {
  readonly #host: string;
  readonly #rings = { known: [] as UnknownSpi[], strangers: [] as UnknownSpi[] };
  #next = 1;

  constructor(host: string) {
    this.#host = host;
  }

  add(atMs: number, event: StrayEvent, incident: string | undefined): UnknownSpi {
    const row = rowOf(event, incident);
    const count = event.kind === 'unknown-spi' ? event.count : 1;
    const ring = this.#rings[isKnown(event) ? 'known' : 'strangers'];
    let index = ring.length - 1;
    const last = Math.max(0, ring.length - interleavedMax);
    while (index >= last && !isSame(ring[index]!, row)) index--;
    const before = index >= last ? ring[index] : undefined;
    if (before !== undefined) {
      const again = { ...before, ...row, count: before.count + count, lastAtMs: atMs };
      ring.splice(index, 1);
      ring.push(again);
      return again;
    }
    const fresh = {
      id: `${this.#host}-${this.#next++}`,
      host: this.#host,
      atMs,
      lastAtMs: atMs,
      count,
      ...row,
    };
    ring.push(fresh);
    if (ring.length > rowsMax) ring.shift();
    return fresh;
  }

  /** The newest first. */
  all(): readonly UnknownSpi[] {
    return [...this.#rings.known, ...this.#rings.strangers].sort((a, b) => b.lastAtMs - a.lastAtMs);
  }
}

function isKnown(event: StrayEvent): boolean {
  return event.kind === 'unknown-spi' ? event.owner !== undefined : event.connection !== undefined;
}

function isSame(a: Row, b: Row): boolean {
  return (
    a.spi === b.spi &&
    a.remote === b.remote &&
    a.outcome === b.outcome &&
    a.reason === b.reason &&
    a.verdict === b.verdict &&
    a.incident === b.incident
  );
}

function rowOf(event: StrayEvent, incident: string | undefined): Row {
  const { remote, verdict, outcome } = event;
  const common = {
    remote: formatEndpoint(remote),
    verdict: verdict.kind,
    reason: 'because' in verdict ? `${verdict.reason}: ${verdict.because}` : verdict.reason,
    outcome,
    ...(incident === undefined ? {} : { incident }),
  };
  if (event.kind === 'unknown-ike-message')
    return { protocol: 'ike', spi: `${event.initiatorSpi}_${event.responderSpi}`, ...common };
  const owner = ownerOf(event);
  return {
    protocol: event.evidence.protocol,
    spi: formatSpi(event.spi),
    ...common,
    ...(owner === undefined ? {} : { owner }),
  };
}

function ownerOf({ owner }: Extract<StrayEvent, { kind: 'unknown-spi' }>): SpiOwner | undefined {
  if (owner === undefined) return undefined;
  const { connection, child, remoteIdentity, ended } = owner;
  return { connection, child, remoteIdentity, ...(ended === undefined ? {} : { ended }) };
}
