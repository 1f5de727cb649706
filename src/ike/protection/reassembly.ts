// Collecting the fragments of one message (RFC 7383 2.6). Only authenticated fragments are kept, in bounded memory.
import type { PacketCipher } from '#crypto';
import {
  type IkeHeader,
  type IkeMessage,
  type Payload,
  PayloadType,
  type SkfPayload,
  WireError,
} from '#wire';
import { openBody } from './sealed-body.ts';
import { decodeProtected, paddingError } from './sealed-message.ts';

/**
 * - `complete`: the payloads of the whole message
 * - `dropped`: no reaction, and nothing changed
 * - `malformed`: authentic, but not readable: INVALID_SYNTAX
 */
export type ReassemblyStep =
  | { readonly kind: 'complete'; readonly payloads: readonly Payload[] }
  | { readonly kind: 'incomplete' }
  | {
      readonly kind: 'dropped';
      /** `late`: the message was complete already; `limit`: larger than we are willing to hold. */
      readonly reason: 'forged' | 'duplicate' | 'inconsistent' | 'limit' | 'late';
    }
  | { readonly kind: 'malformed'; readonly error: WireError };

export interface ReassemblyLimits {
  readonly fragmentsMax: number;
  readonly messageBytesMax: number;
}

export const defaultReassemblyLimits: ReassemblyLimits = { fragmentsMax: 64, messageBytesMax: 65_535 };

/** Of anybody who can finish a key exchange: room for a chain of certificates, thousands of times. */
export const unauthenticatedReassemblyLimits: ReassemblyLimits = {
  fragmentsMax: 64,
  messageBytesMax: 32_768,
};

/** Reassembles one message: the fragments of one message ID in one direction. Make a new one for the next. */
export class Reassembly {
  readonly #messageId: number;
  readonly #limits: ReassemblyLimits;
  #chunks = new Map<number, Uint8Array>();
  #total = 0;
  #firstPayload: number = PayloadType.none;
  #header: IkeHeader | undefined;
  #complete = false;

  constructor(messageId: number, limits: ReassemblyLimits = defaultReassemblyLimits) {
    this.#messageId = messageId;
    this.#limits = limits;
  }

  /** Takes a message whose last payload is SKF. */
  add(message: IkeMessage, cipher: PacketCipher): ReassemblyStep {
    const fragment = message.payloads.at(-1);
    if (fragment?.type !== 'SKF') return { kind: 'dropped', reason: 'inconsistent' };
    // Before the costly check of the ICV, in the order of RFC 7383 2.6.
    const refusal = this.#refuse(message.header, fragment);
    if (refusal !== undefined) return { kind: 'dropped', reason: refusal };
    const text = openBody(cipher, message.octets, fragment.body);
    if (text === 'forged') return { kind: 'dropped', reason: 'forged' };
    if (text === 'padding') return { kind: 'malformed', error: paddingError(message) };
    return this.#store(message.header, fragment, text);
  }

  /** Only fragment 1 of a request seen before makes us repeat the response (RFC 7383 2.6.1). */
  static isFirst(message: IkeMessage): boolean {
    const fragment = message.payloads.at(-1);
    return fragment?.type === 'SKF' && fragment.fragmentNumber === 1;
  }

  #refuse(
    header: IkeHeader,
    fragment: SkfPayload,
  ): 'late' | 'limit' | 'inconsistent' | 'duplicate' | undefined {
    const { fragmentNumber, totalFragments } = fragment;
    if (this.#complete) return 'late';
    if (fragmentNumber < 1 || fragmentNumber > totalFragments) return 'inconsistent';
    if (totalFragments > this.#limits.fragmentsMax) return 'limit';
    if (header.messageId !== this.#messageId) return 'inconsistent';
    if (this.#header !== undefined && !sameExchange(this.#header, header)) return 'inconsistent';
    if (totalFragments < this.#total) return 'inconsistent';
    const stored = totalFragments === this.#total && this.#chunks.has(fragmentNumber);
    return stored ? 'duplicate' : undefined;
  }

  #store(header: IkeHeader, fragment: SkfPayload, text: Uint8Array): ReassemblyStep {
    const { fragmentNumber, totalFragments, firstPayload } = fragment;
    const larger = totalFragments > this.#total;
    const held = larger ? 0 : [...this.#chunks.values()].reduce((sum, chunk) => sum + chunk.length, 0);
    if (held + text.length > this.#limits.messageBytesMax) return { kind: 'dropped', reason: 'limit' };
    if (larger) {
      // RFC 7383 2.5.2: the peer has cut the message anew, into smaller pieces.
      this.#chunks = new Map();
      this.#total = totalFragments;
    }
    this.#header = header;
    this.#chunks.set(fragmentNumber, text);
    if (fragmentNumber === 1) this.#firstPayload = firstPayload;
    if (this.#chunks.size < this.#total) return { kind: 'incomplete' };
    const octets = this.#join(held + text.length);
    this.#chunks = new Map();
    this.#complete = true;
    const decoded = decodeProtected(this.#firstPayload, octets);
    return decoded instanceof WireError
      ? { kind: 'malformed', error: decoded }
      : { kind: 'complete', payloads: decoded };
  }

  #join(lengthBytes: number): Uint8Array {
    const octets = new Uint8Array(lengthBytes);
    let at = 0;
    for (let number = 1; number <= this.#total; number++) {
      const chunk = this.#chunks.get(number)!;
      octets.set(chunk, at);
      at += chunk.length;
    }
    return octets;
  }
}

function sameExchange(a: IkeHeader, b: IkeHeader): boolean {
  return (
    a.exchangeType === b.exchangeType &&
    a.response === b.response &&
    a.initiator === b.initiator &&
    a.initiatorSpi === b.initiatorSpi &&
    a.responderSpi === b.responderSpi
  );
}
