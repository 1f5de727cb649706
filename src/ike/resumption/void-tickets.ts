// Which tickets must not be accepted any more: their IKE SA was resumed, rekeyed or closed (RFC 5723 4.3.1, 6.2, 9.8).
import { Reader, WireError, Writer } from '#wire';
import type { IkeSpis } from '../phase.ts';
import { readMs, readSpi, writeMs, writeSpi } from '../stored-fields.ts';

/** All tickets of one IKE SA are void at once. Wall-clock milliseconds. */
export interface VoidEntry {
  readonly spis: IkeSpis;
  /** No ticket of this IKE SA was made later. */
  readonly issuedUntilMs: number;
  /** From then on every such ticket has expired, and the entry is of no use. */
  readonly expiresAtMs: number;
}

function keyOf({ initiator, responder }: IkeSpis): string {
  return `${initiator} ${responder}`;
}

/**
 * A bounded set. When it is full, the oldest entries go, and with them the right to use any ticket as old as theirs:
 * forgetting never makes a used ticket good again.
 */
export class VoidTickets {
  readonly #entriesMax: number;
  readonly #entries = new Map<string, VoidEntry>();
  /** No ticket that was made at this time or before is accepted. */
  #issuedAfterMs = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  get issuedAfterMs(): number {
    return this.#issuedAfterMs;
  }

  /** @returns entries that are no longer kept: they expired, or there was no room for them */
  add(nowMs: number, entry: VoidEntry): readonly VoidEntry[] {
    const dropped: VoidEntry[] = [];
    if (!this.#entries.has(keyOf(entry.spis)) && this.#entries.size >= this.#entriesMax) {
      for (const [key, known] of this.#entries) {
        if (known.expiresAtMs > nowMs) continue;
        this.#entries.delete(key);
        dropped.push(known);
      }
      if (this.#entries.size >= this.#entriesMax) dropped.push(...this.#dropOldest());
    }
    this.#entries.set(keyOf(entry.spis), entry);
    return dropped;
  }

  /** An eighth at once, so that a full set is not sorted for each entry. */
  #dropOldest(): VoidEntry[] {
    const sorted = [...this.#entries.values()].sort((a, b) => a.issuedUntilMs - b.issuedUntilMs);
    const oldest = sorted.slice(0, Math.max(1, Math.floor(this.#entriesMax / 8)));
    for (const entry of oldest) {
      this.#entries.delete(keyOf(entry.spis));
      this.#issuedAfterMs = Math.max(this.#issuedAfterMs, entry.issuedUntilMs);
    }
    return oldest;
  }

  has(spis: IkeSpis, issuedAtMs: number): boolean {
    return issuedAtMs <= this.#issuedAfterMs || this.#entries.has(keyOf(spis));
  }

  /** After a restart. */
  refuseIssuedUntil(timeMs: number): void {
    this.#issuedAfterMs = Math.max(this.#issuedAfterMs, timeMs);
  }
}

/** For an entry that is to outlive the process. */
export function encodeVoidEntry(entry: VoidEntry): Uint8Array {
  const writer = new Writer(32);
  writeSpi(writer, entry.spis.initiator);
  writeSpi(writer, entry.spis.responder);
  writeMs(writer, entry.issuedUntilMs);
  writeMs(writer, entry.expiresAtMs);
  return writer.finish();
}

/** @throws WireError whatever the octets are */
export function decodeVoidEntry(octets: Uint8Array): VoidEntry {
  const reader = new Reader(octets);
  const spis = { initiator: readSpi(reader), responder: readSpi(reader) };
  const issuedUntilMs = readMs(reader);
  const expiresAtMs = readMs(reader);
  reader.end('void-ticket');
  if (expiresAtMs < issuedUntilMs) throw new WireError('value', 24, 'void-ticket.expiry');
  return { spis, issuedUntilMs, expiresAtMs };
}
