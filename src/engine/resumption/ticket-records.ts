// Tickets that outlive the process: ticket keys, the list of void tickets, and tickets of our own (RFC 5723 6).
//
// Whoever can read them can open what these tickets protect, so they are stored only sealed under a key from outside the
// records. Without such a key nothing is stored, and a restart ends all tickets: resuming is off then, not insecure.
import { openRecord, type Randomness, sealRecord } from '#crypto';
import { type ClientTicket, decodeClientTicket, encodeClientTicket, isTicketRecord } from '#ike';
import { WireError } from '#wire';
import type { EngineState } from '../engine-state.ts';
import type { IkeEntry } from '../ike-sas/ike-sa-registry.ts';

const clientPrefix = 'client-ticket/';

/** The name is part of what is sealed: a record cannot be put in another one's place. */
function associated(key: string): Uint8Array {
  const octets = new Uint8Array(2 * key.length);
  for (let i = 0; i < key.length; i++) {
    octets[2 * i] = key.charCodeAt(i) >>> 8;
    octets[2 * i + 1] = key.charCodeAt(i);
  }
  return octets;
}

/** What a former process stored, opened. What cannot be opened is left out: it was changed, or sealed by another key. */
export function openTicketRecords(
  recordKey: Uint8Array | undefined,
  stored: ReadonlyMap<string, Uint8Array> | undefined,
): { readonly gateway: ReadonlyMap<string, Uint8Array>; readonly client: readonly ClientTicket[] } {
  const gateway = new Map<string, Uint8Array>();
  const client: ClientTicket[] = [];
  if (recordKey === undefined) return { gateway, client };
  for (const [key, sealed] of stored ?? []) {
    const own = key.startsWith(clientPrefix);
    // Of no octets: it was removed.
    if (sealed.length === 0 || (!own && !isTicketRecord(key))) continue;
    const octets = openRecord(recordKey, associated(key), sealed);
    if (!own) {
      // A gap in the list of void tickets would make used ones good: the issuer has to know of it.
      gateway.set(key, octets ?? new Uint8Array(0));
      continue;
    }
    try {
      if (octets !== undefined) client.push(decodeClientTicket(octets));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }
  return { gateway, client };
}

/** Gives the records that have changed to the driver, and knows who waits for them. */
export class TicketRecords {
  readonly #randomness: Randomness;
  readonly #recordKey: Uint8Array | undefined;
  #keysVersion = 0;
  /** IKE SAs that were resumed in this input. */
  readonly #waiting: IkeEntry[] = [];

  constructor(randomness: Randomness, recordKey: Uint8Array | undefined) {
    this.#randomness = randomness;
    this.#recordKey = recordKey;
  }

  get durable(): boolean {
    return this.#recordKey !== undefined;
  }

  /** What the IKE SA says from now on waits until it is stored that its ticket was used. */
  withhold(entry: IkeEntry): void {
    if (!this.durable) return;
    entry.withheld = [];
    this.#waiting.push(entry);
  }

  storeClientTicket(state: EngineState, ticket: ClientTicket): void {
    if (this.durable) this.#store(state, clientPrefix + ticket.connection, encodeClientTicket(ticket));
  }

  removeClientTicket(state: EngineState, connection: string): void {
    if (this.durable) this.#store(state, clientPrefix + connection, undefined);
  }

  /** At the end of each input. */
  flush(state: EngineState): void {
    const records = state.tickets.takeRecords();
    const waiting = this.#waiting.splice(0);
    if (!this.durable) return;
    let missing = records.length;
    const version = records.some(({ key }) => key === 'ticket-keys') ? ++this.#keysVersion : undefined;
    for (const { key, octets } of records) {
      const then = (): void => {
        if (version !== undefined && version === this.#keysVersion && key === 'ticket-keys') {
          state.tickets.confirmKeys();
        }
        if (--missing === 0) for (const entry of waiting) release(state, entry);
      };
      // A flush of the disk before each answer would be most of a recovery. If the machine stops before it comes, a ticket may
      // be good once more: to its owner, and with fresh keys (RFC 5723 9.8).
      this.#store(state, key, octets, then, key === 'ticket-keys' ? undefined : 'flushBehind');
    }
  }

  #store(
    state: EngineState,
    key: string,
    octets: Uint8Array | undefined,
    then?: () => void,
    less?: 'flushBehind',
  ): void {
    if (this.#recordKey === undefined) return;
    const sealed =
      octets === undefined
        ? new Uint8Array(0)
        : sealRecord(this.#randomness, this.#recordKey, associated(key), octets);
    octets?.fill(0);
    state.store(key, sealed, then, less);
  }
}

function release(state: EngineState, entry: IkeEntry): void {
  const { withheld } = entry;
  entry.withheld = undefined;
  for (const { local, remote, octets } of withheld ?? []) {
    if (!state.checkpoint.hold(entry, { kind: 'transmit', local, remote, octets })) {
      state.transmit(local, remote, octets);
    }
  }
}
