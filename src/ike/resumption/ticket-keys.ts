// The keys that seal tickets: one makes them, older ones still open theirs (RFC 5723 6.2, 9.5).
import {
  equalConstantTime,
  openRecord,
  pseudorandomFunction,
  type Randomness,
  sealKeyBytes,
  sealRecord,
  wipe,
} from '#crypto';
import { Prf } from '#sa';
import { Reader, WireError, Writer } from '#wire';
import { readMs, writeMs } from '../stored-fields.ts';

const keyIdBytes = 8;

/** One key. Wall-clock milliseconds. */
interface TicketKey {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
  readonly madeAtMs: number;
}

export interface TicketKeyPolicy {
  /** How long one key makes tickets. */
  readonly keyLifetimeMs: number;
  /** How much longer it opens them: at least the longest lifetime of a ticket. */
  readonly ticketLifetimeMsMax: number;
}

/** Keys of this many generations are kept, whatever the policy says. */
const generationsMax = 16;

const storageVersion = 2;

/** Of the key that marks are made with: one for all generations, since marks are compared over them. */
const markKeyBytes = 32;

/** Version, three reserved octets and the key's identity: what a ticket shows to everybody (RFC 5723 A.1). */
const ticketVersion = 1;
const headerBytes = 4 + keyIdBytes;

export class TicketKeys {
  readonly #randomness: Randomness;
  readonly #policy: TicketKeyPolicy;
  /** The newest last. */
  #keys: TicketKey[] = [];
  #markKey: Uint8Array | undefined;

  constructor(randomness: Randomness, policy: TicketKeyPolicy) {
    this.#randomness = randomness;
    this.#policy = policy;
  }

  /** Makes a new key if there is none that may make tickets now. True: the keys have changed and are to be stored. */
  rotate(nowMs: number): boolean {
    const newest = this.#keys.at(-1);
    const { keyLifetimeMs, ticketLifetimeMsMax } = this.#policy;
    // A clock that was set back must not make one key last for ever.
    const usable = newest !== undefined && Math.abs(nowMs - newest.madeAtMs) < keyLifetimeMs;
    if (usable) return false;
    const outdated = ({ madeAtMs }: TicketKey): boolean =>
      nowMs - madeAtMs >= keyLifetimeMs + ticketLifetimeMsMax;
    const surplus = this.#keys.length - (generationsMax - 1);
    this.#keys = this.#keys.filter((key, i) => {
      if (!outdated(key) && i >= surplus) return true;
      wipe(key.key);
      return false;
    });
    this.#keys.push({
      id: this.#randomness.bytes(keyIdBytes),
      key: this.#randomness.bytes(sealKeyBytes),
      madeAtMs: nowMs,
    });
    return true;
  }

  /** Depends on a key that goes into records with all others. */
  mark(parts: readonly Uint8Array[]): Uint8Array {
    this.#markKey ??= this.#randomness.bytes(markKeyBytes);
    return pseudorandomFunction(Prf.HMAC_SHA2_256).compute(this.#markKey, ...parts);
  }

  /** A ticket. `rotate` was called before. */
  seal(text: Uint8Array): Uint8Array {
    const newest = this.#keys.at(-1);
    if (newest === undefined) throw new Error('a ticket was to be sealed without a key');
    const header = new Uint8Array(headerBytes);
    header[0] = ticketVersion;
    header.set(newest.id, 4);
    const sealed = sealRecord(this.#randomness, newest.key, header, text);
    const ticket = new Uint8Array(headerBytes + sealed.length);
    ticket.set(header);
    ticket.set(sealed, headerBytes);
    return ticket;
  }

  /** What was sealed, or why it cannot be read. The reason is for logs: the client is told the same for all of them. */
  open(
    ticket: Uint8Array,
  ): { readonly ok: true; readonly text: Uint8Array } | { readonly ok: false; readonly reason: string } {
    const refused = (reason: string): { readonly ok: false; readonly reason: string } => ({
      ok: false,
      reason,
    });
    if (ticket.length < headerBytes) return refused('the ticket is too short');
    if (ticket[0] !== ticketVersion) return refused('the ticket has an unknown format');
    const header = ticket.subarray(0, headerBytes);
    const id = header.subarray(4);
    const key = this.#keys.find((candidate) => equalConstantTime(candidate.id, id));
    if (key === undefined) return refused('the ticket was sealed with a key that we do not have');
    const text = openRecord(key.key, header, ticket.subarray(headerBytes));
    return text === undefined ? refused('the ticket was changed') : { ok: true, text };
  }

  /** All keys, to be kept under encryption. */
  export(): Uint8Array {
    this.#markKey ??= this.#randomness.bytes(markKeyBytes);
    const writer = new Writer()
      .u8(storageVersion, 'ticket-keys.version')
      .bytes(this.#markKey)
      .u8(this.#keys.length, 'ticket-keys.count');
    for (const { id, key, madeAtMs } of this.#keys) {
      writer.bytes(id).bytes(key);
      writeMs(writer, madeAtMs);
    }
    return writer.finish();
  }

  /**
   * Takes over what `export` gave.
   * @throws WireError whatever the octets are; no key has changed then
   */
  restore(octets: Uint8Array): void {
    const reader = new Reader(octets);
    if (reader.u8('ticket-keys.version') !== storageVersion) {
      throw new WireError('version', 0, 'ticket-keys.version');
    }
    const markKey = reader.bytes(markKeyBytes, 'ticket-keys.mark').slice();
    const { offset } = reader;
    const count = reader.u8('ticket-keys.count');
    if (count > generationsMax) throw new WireError('limit', offset, 'ticket-keys.count');
    const keys = Array.from({ length: count }, () => ({
      id: reader.bytes(keyIdBytes, 'ticket-keys.id').slice(),
      key: reader.bytes(sealKeyBytes, 'ticket-keys.key').slice(),
      madeAtMs: readMs(reader),
    }));
    reader.end('ticket-keys');
    this.destroy();
    this.#keys = keys;
    this.#markKey = markKey;
  }

  destroy(): void {
    for (const { key } of this.#keys) wipe(key);
    this.#keys = [];
    if (this.#markKey !== undefined) wipe(this.#markKey);
    this.#markKey = undefined;
  }
}
