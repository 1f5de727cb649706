// IP fragments become datagrams again (RFC 791 3.2, RFC 8200 4.5), within bounds.
import { explainLimits } from '../limits.ts';
import type { Sighting } from '../story.ts';

/** Microseconds that the pieces may take; RFC 8200 4.5 gives them 60 seconds. */
const lifetimeUs = 60_000_000;
const datagramBytesMax = 65_535;

export interface Fragment {
  /** Addresses, protocol and identification. */
  readonly key: string;
  readonly offset: number;
  readonly more: boolean;
  readonly octets: Uint8Array;
}

interface Pieces {
  readonly first: Sighting;
  readonly parts: { readonly offset: number; readonly octets: Uint8Array }[];
  bytes: number;
  /** Known once the last piece is there. */
  length: number | undefined;
}

/** A datagram of which pieces never came. */
export interface Incomplete {
  readonly key: string;
  readonly first: Sighting;
  readonly pieces: number;
  /** The piece with the headers, if that is there. */
  readonly head: Uint8Array | undefined;
}

export class Reassembly {
  readonly #pending = new Map<string, Pieces>();
  readonly #incomplete: (what: Incomplete) => void;
  #bytes = 0;

  constructor(incomplete: (what: Incomplete) => void) {
    this.#incomplete = incomplete;
  }

  /** The whole payload and how many pieces it came in, once the last of them is here. */
  add(
    at: Sighting,
    fragment: Fragment,
  ): { readonly octets: Uint8Array; readonly pieces: number } | undefined {
    this.#expire(at.atUs);
    const { key, offset, more, octets } = fragment;
    const end = offset + octets.length;
    if (end > datagramBytesMax) return undefined;
    let pieces = this.#pending.get(key);
    if (pieces === undefined) {
      pieces = { first: { frame: at.frame, atUs: at.atUs }, parts: [], bytes: 0, length: undefined };
      this.#pending.set(key, pieces);
    }
    // A piece that came twice is no second one; RFC 5722 gives up a datagram whose pieces overlap otherwise.
    if (pieces.parts.some((part) => part.offset === offset && part.octets.length === octets.length)) {
      return undefined;
    }
    const overlaps = pieces.parts.some(
      (part) => part.offset < end && offset < part.offset + part.octets.length,
    );
    if (overlaps || pieces.parts.length === explainLimits.fragments) {
      this.#drop(key);
      return undefined;
    }
    pieces.parts.push({ offset, octets: octets.slice() });
    pieces.bytes += octets.length;
    this.#bytes += octets.length;
    if (!more) pieces.length = end;
    if (pieces.length === pieces.bytes) return this.#join(key, pieces);
    while (this.#pending.size > explainLimits.reassemblies || this.#bytes > explainLimits.reassemblyBytes) {
      this.#giveUpOldest();
    }
    return undefined;
  }

  /** The capture is over: what is left will not be completed. */
  end(): void {
    while (this.#pending.size > 0) this.#giveUpOldest();
  }

  #join(key: string, pieces: Pieces): { readonly octets: Uint8Array; readonly pieces: number } | undefined {
    const whole = new Uint8Array(pieces.bytes);
    for (const { offset, octets } of pieces.parts) {
      if (offset + octets.length > whole.length) {
        this.#drop(key);
        return undefined;
      }
      whole.set(octets, offset);
    }
    this.#drop(key);
    return { octets: whole, pieces: pieces.parts.length };
  }

  #drop(key: string): void {
    this.#bytes -= this.#pending.get(key)?.bytes ?? 0;
    this.#pending.delete(key);
  }

  #expire(nowUs: number): void {
    for (const { first } of this.#pending.values()) {
      if (nowUs - first.atUs <= lifetimeUs) return;
      this.#giveUpOldest();
    }
  }

  #giveUpOldest(): void {
    const [oldest] = this.#pending;
    if (oldest === undefined) return;
    const [key, { first, parts }] = oldest;
    this.#drop(key);
    const head = parts.find(({ offset }) => offset === 0)?.octets;
    this.#incomplete({ key, first, pieces: parts.length, head });
  }
}
