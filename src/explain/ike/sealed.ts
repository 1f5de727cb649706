// Opening SK and SKF payloads with keys from a file (RFC 7296 3.14, RFC 7383 2.5).
import type { PacketCipher } from '#crypto';
import { decodePayloads, type IkeMessage, type Payload, type SkfPayload, WireError } from '#wire';
import { explainLimits } from '../limits.ts';

/**
 * - `opened`: the ICV is right, and these are the payloads
 * - `partial`: a fragment whose ICV is right; others have to come
 * - `forged`: the ICV is wrong
 * - `unreadable`: the ICV is right, and what it covers makes no sense
 */
export type Opened =
  | { readonly kind: 'opened'; readonly payloads: readonly Payload[] }
  | { readonly kind: 'partial' | 'forged' | 'unreadable' };

/** The text of one message that comes in fragments. */
export class FragmentTexts {
  readonly #texts = new Map<number, Uint8Array>();
  #total = 0;
  #bytes = 0;
  #firstPayload = 0;

  /** The whole text once the last fragment is here. */
  add(fragment: SkfPayload, text: Uint8Array): { firstPayload: number; text: Uint8Array } | undefined {
    // RFC 7383 2.6: a sender that learns of a smaller MTU begins anew with more fragments.
    if (fragment.totalFragments > this.#total) {
      this.#texts.clear();
      this.#bytes = 0;
      this.#total = fragment.totalFragments;
    }
    if (fragment.totalFragments < this.#total || this.#texts.has(fragment.fragmentNumber)) return undefined;
    this.#bytes += text.length;
    if (this.#bytes > explainLimits.ikeMessageBytes || this.#texts.size >= explainLimits.fragments) {
      return undefined;
    }
    this.#texts.set(fragment.fragmentNumber, text);
    if (fragment.fragmentNumber === 1) this.#firstPayload = fragment.firstPayload;
    if (this.#texts.size < this.#total) return undefined;
    const whole = new Uint8Array(this.#bytes);
    let at = 0;
    for (let number = 1; number <= this.#total; number++) {
      const piece = this.#texts.get(number)!;
      whole.set(piece, at);
      at += piece.length;
    }
    this.#texts.clear();
    return { firstPayload: this.#firstPayload, text: whole };
  }
}

/** Does not change `message.octets`. */
export function openSealed(message: IkeMessage, cipher: PacketCipher, fragments: FragmentTexts): Opened {
  const sealed = message.payloads.at(-1);
  if (sealed?.type !== 'SK' && sealed?.type !== 'SKF') return { kind: 'unreadable' };
  const { body } = sealed;
  const textBytes = body.length - cipher.ivBytes - cipher.icvBytes;
  if (textBytes < 1 || textBytes % cipher.blockBytes !== 0) return { kind: 'forged' };
  const copy = body.slice();
  const text = copy.subarray(cipher.ivBytes, copy.length - cipher.icvBytes);
  const fields = {
    aad: message.octets.subarray(0, message.octets.length - body.length),
    iv: copy.subarray(0, cipher.ivBytes),
    text,
    icv: copy.subarray(copy.length - cipher.icvBytes),
  };
  if (!cipher.open(fields)) return { kind: 'forged' };
  const padding = text[textBytes - 1]!;
  if (padding >= textBytes) return { kind: 'unreadable' };
  const plain = text.subarray(0, textBytes - 1 - padding);
  if (sealed.type === 'SK') return payloadsOf(sealed.firstPayload, plain);
  const whole = fragments.add(sealed, plain);
  return whole === undefined ? { kind: 'partial' } : payloadsOf(whole.firstPayload, whole.text);
}

function payloadsOf(firstPayload: number, text: Uint8Array): Opened {
  try {
    return { kind: 'opened', payloads: decodePayloads(firstPayload, text) };
  } catch (error) {
    if (error instanceof WireError) return { kind: 'unreadable' };
    throw error;
  }
}
