// The Encrypted payload: sealing and opening whole messages (RFC 7296 3.14, RFC 5282).
import type { PacketCipher, Randomness } from '#crypto';
import {
  decodePayloads,
  encodePayloads,
  encodeSealedMessage,
  type IkeHeader,
  type IkeMessage,
  ikeHeaderLength,
  type Payload,
  type SealedMessageShape,
  WireError,
} from '#wire';
import { type FragmentLimits, fragmentTextBytes, messageBytesMax } from './fragments.ts';
import { IvSource, openBody, sealBody, sealedBodyBytes } from './sealed-body.ts';

/** RFC 7296 3.2 */
const skHeaderBytes = 4;

/** One sending direction of one IKE SA: the cipher and the IVs it has used. Retransmit the octets, never seal again. */
export class MessageSealer {
  readonly #cipher: PacketCipher;
  readonly #ivs: IvSource;

  /** @param firstIv the counter the IVs of counter modes start from: above every one ever used with this key */
  constructor(cipher: PacketCipher, randomness: Randomness, firstIv = 0n) {
    this.#cipher = cipher;
    this.#ivs = new IvSource(cipher, randomness, firstIv);
  }

  /** The next IV of a counter mode. */
  get nextIv(): bigint {
    return this.#ivs.counter;
  }

  /**
   * One message with a single SK payload.
   * @param bytesMin padding makes the message this long, as far as its 255 octets go (RFC 7296 3.14)
   */
  seal(header: IkeHeader, payloads: readonly Payload[], bytesMin = 0): Uint8Array {
    const { firstPayload, octets } = encodePayloads(payloads);
    return this.#sealText({ header, firstPayload, fragment: undefined }, octets, bytesMin);
  }

  /** One message with SK if it fits the limits, else several with SKF (RFC 7383 2.5). */
  sealFragmented(header: IkeHeader, payloads: readonly Payload[], limits: FragmentLimits): Uint8Array[] {
    const { firstPayload, octets } = encodePayloads(payloads);
    const whole = ikeHeaderLength + skHeaderBytes + sealedBodyBytes(this.#cipher, octets.length);
    if (whole <= messageBytesMax(limits)) {
      return [this.#sealText({ header, firstPayload, fragment: undefined }, octets)];
    }
    const size = fragmentTextBytes(limits, this.#cipher);
    const totalFragments = Math.ceil(octets.length / size);
    return Array.from({ length: totalFragments }, (_, index) => {
      const fragment = { fragmentNumber: index + 1, totalFragments };
      const chunk = octets.subarray(index * size, (index + 1) * size);
      return this.#sealText({ header, firstPayload, fragment }, chunk);
    });
  }

  #sealText(
    { header, firstPayload, fragment }: Omit<SealedMessageShape, 'bodyBytes'>,
    plaintext: Uint8Array,
    bytesMin = 0,
  ): Uint8Array {
    const least = ikeHeaderLength + skHeaderBytes + sealedBodyBytes(this.#cipher, plaintext.length);
    const { blockBytes } = this.#cipher;
    // Whole blocks; Pad Length is one octet, and the last block of the text is padded already.
    const blocksMax = Math.floor((256 - blockBytes) / blockBytes);
    const blocks = Math.min(blocksMax, Math.max(0, Math.ceil((bytesMin - least) / blockBytes)));
    const bodyBytes = sealedBodyBytes(this.#cipher, plaintext.length) + blocks * blockBytes;
    const { octets, aad, body } = encodeSealedMessage({ header, firstPayload, fragment, bodyBytes });
    sealBody(this.#cipher, aad, body, this.#ivs.next(), plaintext);
    return octets;
  }

  /** Wipes the key. */
  destroy(): void {
    this.#cipher.destroy();
  }
}

/**
 * - `opened`: `payloads` were protected, `unprotected` stood before SK and is not to be trusted
 * - `forged`: the ICV does not match, or there is no room for IV and ICV; drop silently
 * - `malformed`: authentic, but not readable: INVALID_SYNTAX
 */
export type Opening =
  | {
      readonly kind: 'opened';
      readonly payloads: readonly Payload[];
      readonly unprotected: readonly Payload[];
    }
  | { readonly kind: 'forged' }
  | { readonly kind: 'malformed'; readonly error: WireError };

/** Opens a message whose last payload is SK. A message without SK is `forged`. Does not change `message.octets`. */
export function openMessage(message: IkeMessage, cipher: PacketCipher): Opening {
  const sealed = message.payloads.at(-1);
  if (sealed?.type !== 'SK') return { kind: 'forged' };
  const text = openBody(cipher, message.octets, sealed.body);
  if (text === 'forged') return { kind: 'forged' };
  if (text === 'padding') return { kind: 'malformed', error: paddingError(message) };
  const decoded = decodeProtected(sealed.firstPayload, text);
  if (decoded instanceof WireError) return { kind: 'malformed', error: decoded };
  return { kind: 'opened', payloads: decoded, unprotected: message.payloads.slice(0, -1) };
}

/** For the last octet of the message that padding could fill. */
export function paddingError(message: IkeMessage): WireError {
  return new WireError('length', message.octets.length, 'SK.padLength');
}

/** Authentic octets may still be nonsense: that is data here, not an exception. */
export function decodeProtected(firstPayload: number, octets: Uint8Array): readonly Payload[] | WireError {
  try {
    return decodePayloads(firstPayload, octets);
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}
