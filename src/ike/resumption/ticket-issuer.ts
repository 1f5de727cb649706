// A gateway's tickets: made, looked at, used once, revoked, and what of that is to outlive the process (RFC 5723 6, 9).
import { type Randomness, wipe } from '#crypto';
import { unlessMalformed, WireError } from '#wire';
import type { IkeSpis } from '../phase.ts';
import { decodeTicketContent, encodeTicketContent, type TicketContent } from './ticket-content.ts';
import { type TicketKeyPolicy, TicketKeys } from './ticket-keys.ts';
import type { TicketPort, TicketVerdict } from './ticket-port.ts';
import { decodeVoidEntry, encodeVoidEntry, type VoidEntry, VoidTickets } from './void-tickets.ts';

export interface TicketIssuerOptions extends TicketKeyPolicy {
  readonly randomness: Randomness;
  /** `value`: all state is in the ticket. `reference`: it stays here, and a restart ends all tickets. */
  readonly form: 'value' | 'reference';
  /**
   * Whether `takeRecords` is stored: no ticket is then sealed with a key before `confirmKeys` says that the key is. False:
   * all tickets end with this process.
   */
  readonly durable: boolean;
  /** Tickets by reference, and IKE SAs whose tickets are void, that are remembered at once. */
  readonly ticketsMax?: number;
}

/** To be stored under encryption in the order given; without `octets`, to be removed. */
export interface TicketRecord {
  readonly key: string;
  readonly octets?: Uint8Array;
}

const keysRecord = 'ticket-keys';
const floorRecord = 'ticket-floor';
const voidPrefix = 'ticket-void/';

/** Whether `restore` wants a record of this key back. */
export function isTicketRecord(key: string): boolean {
  return key === keysRecord || key === floorRecord || key.startsWith(voidPrefix);
}

/** A ticket from the future was made by a clock that was set back since: its age is anybody's guess. */
const clockSkewMsMax = 300_000;

const ticketsMaxDefault = 8192;
const referenceBytes = 16;

const Kind = { VALUE: 1, REFERENCE: 2 } as const;

export class TicketIssuer implements TicketPort {
  readonly #options: TicketIssuerOptions;
  readonly #keys: TicketKeys;
  readonly #void: VoidTickets;
  readonly #ticketsMax: number;
  /** Encoded contents of tickets by reference and whose they are, the oldest first. */
  readonly #byReference = new Map<string, { readonly owner: string; readonly text: Uint8Array }>();
  readonly #records: TicketRecord[] = [];
  #keysConfirmed: boolean;

  constructor(options: TicketIssuerOptions) {
    this.#options = options;
    this.#keys = new TicketKeys(options.randomness, options);
    this.#ticketsMax = options.ticketsMax ?? ticketsMaxDefault;
    this.#void = new VoidTickets(this.#ticketsMax);
    this.#keysConfirmed = !options.durable;
  }

  /** What is to be stored since the last call. */
  takeRecords(): readonly TicketRecord[] {
    return this.#records.splice(0);
  }

  /** The newest key record is durable: tickets may be made with it. */
  confirmKeys(): void {
    this.#keysConfirmed = true;
  }

  /**
   * Takes over what an earlier process stored. If a record cannot be read, the old keys are not used, and all old tickets
   * end: what it said about one of them is unknown.
   */
  restore(records: ReadonlyMap<string, Uint8Array>): void {
    let damaged = false;
    for (const [key, octets] of records) {
      if (!isTicketRecord(key)) continue;
      try {
        this.#restoreRecord(key, octets);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        damaged = true;
      }
    }
    if (damaged) this.#keys.destroy();
  }

  #restoreRecord(key: string, octets: Uint8Array): void {
    if (key === keysRecord) {
      this.#keys.restore(octets);
      // They come from where they are to be kept.
      this.#keysConfirmed = true;
      return;
    }
    const entry = decodeVoidEntry(octets);
    if (key === floorRecord) this.#void.refuseIssuedUntil(entry.issuedUntilMs);
    // What has expired meanwhile goes when there is no room for it.
    else this.#addVoid(0, entry, false);
  }

  /** Makes a key if one is due, so that it is stored by the time that it is needed. */
  prepare(nowMs: number): void {
    if (!this.#keys.rotate(nowMs)) return;
    this.#records.push({ key: keysRecord, octets: this.#keys.export() });
    if (this.#options.durable) this.#keysConfirmed = false;
  }

  mark(parts: readonly Uint8Array[]): Uint8Array {
    return this.#keys.mark(parts);
  }

  issue(nowMs: number, content: TicketContent): Uint8Array | undefined {
    this.prepare(nowMs);
    if (!this.#keysConfirmed) return undefined;
    const text = encodeTicketContent(content);
    if (this.#options.form === 'reference')
      return this.#keys.seal(this.#remember(ownerOf(content.spis), text));
    const tagged = withKind(Kind.VALUE, text);
    const ticket = this.#keys.seal(tagged);
    wipe(text, tagged);
    return ticket;
  }

  #remember(owner: string, text: Uint8Array): Uint8Array {
    const reference = this.#options.randomness.bytes(referenceBytes);
    for (const [oldest, forgotten] of this.#byReference) {
      if (this.#byReference.size < this.#ticketsMax) break;
      wipe(forgotten.text);
      this.#byReference.delete(oldest);
    }
    this.#byReference.set(digits(reference), { owner, text });
    return withKind(Kind.REFERENCE, reference);
  }

  inspect(nowMs: number, ticket: Uint8Array): TicketVerdict {
    const refused = (reason: string): TicketVerdict => ({ ok: false, reason });
    const opened = this.#keys.open(ticket);
    if (!opened.ok) return refused(opened.reason);
    const content = this.#contentOf(opened.text);
    wipe(opened.text);
    if (content === undefined) return refused('the ticket stands for nothing that we know');
    const reason = this.#objection(nowMs, content);
    if (reason === undefined) return { ok: true, content };
    wipe(content.skD);
    return refused(reason);
  }

  #contentOf(text: Uint8Array): TicketContent | undefined {
    const body = text.subarray(1);
    const encoded = text[0] === Kind.REFERENCE ? this.#byReference.get(digits(body))?.text : body;
    if (encoded === undefined) return undefined;
    // Sealed by us, but perhaps by a version of us with another format.
    return unlessMalformed(() => decodeTicketContent(encoded));
  }

  #objection(nowMs: number, content: TicketContent): string | undefined {
    if (content.expiresAtMs <= nowMs) return 'the ticket has expired';
    if (content.issuedAtMs > nowMs + clockSkewMsMax) return 'the ticket comes from the future';
    if (this.#void.has(content.spis, content.issuedAtMs)) {
      return 'the ticket was used, or its IKE SA was rekeyed or closed';
    }
    return undefined;
  }

  spend(nowMs: number, content: TicketContent): boolean {
    if (this.#objection(nowMs, content) !== undefined) return false;
    this.revoke(nowMs, content.spis);
    return true;
  }

  revoke(nowMs: number, spis: IkeSpis): void {
    const expiresAtMs = nowMs + this.#options.ticketLifetimeMsMax;
    this.#addVoid(nowMs, { spis, issuedUntilMs: nowMs, expiresAtMs }, true);
    this.#forgetReferences(spis);
  }

  #forgetReferences(spis: IkeSpis): void {
    const owner = ownerOf(spis);
    for (const [reference, known] of this.#byReference) {
      if (known.owner !== owner) continue;
      wipe(known.text);
      this.#byReference.delete(reference);
    }
  }

  #addVoid(nowMs: number, entry: VoidEntry, store: boolean): void {
    const floor = this.#void.issuedAfterMs;
    const dropped = this.#void.add(nowMs, entry);
    if (store) this.#records.push({ key: voidRecord(entry.spis), octets: encodeVoidEntry(entry) });
    if (this.#void.issuedAfterMs !== floor) {
      // In front of the removals that it stands for.
      const issuedUntilMs = this.#void.issuedAfterMs;
      const octets = encodeVoidEntry({ ...entry, issuedUntilMs, expiresAtMs: issuedUntilMs });
      this.#records.push({ key: floorRecord, octets });
    }
    for (const { spis } of dropped) this.#records.push({ key: voidRecord(spis) });
  }

  /** Forgets all keys and all state of clients. */
  destroy(): void {
    this.#keys.destroy();
    for (const { text } of this.#byReference.values()) wipe(text);
    this.#byReference.clear();
  }
}

function ownerOf({ initiator, responder }: IkeSpis): string {
  return `${initiator}-${responder}`;
}

function voidRecord(spis: IkeSpis): string {
  return voidPrefix + ownerOf(spis);
}

function withKind(kind: number, body: Uint8Array): Uint8Array {
  const text = new Uint8Array(1 + body.length);
  text[0] = kind;
  text.set(body, 1);
  return text;
}

function digits(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}
