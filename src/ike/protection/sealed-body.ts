// The body of SK and SKF payloads: IV, ciphertext with padding, ICV (RFC 7296 3.14, RFC 5282 3, RFC 7383 2.5).
import type { CipherFields, PacketCipher, Randomness } from '#crypto';

/** Octets of the body for so much plaintext, with the least padding. */
export function sealedBodyBytes(cipher: PacketCipher, textBytes: number): number {
  return cipher.ivBytes + paddedBytes(cipher, textBytes) + cipher.icvBytes;
}

/** Plaintext, padding and the Pad Length octet together fill blocks. */
function paddedBytes(cipher: PacketCipher, textBytes: number): number {
  return Math.ceil((textBytes + 1) / cipher.blockBytes) * cipher.blockBytes;
}

/** The most plaintext that fits a body of so many octets; may be negative. */
export function sealedTextBytes(cipher: PacketCipher, bodyBytes: number): number {
  const room = bodyBytes - cipher.ivBytes - cipher.icvBytes;
  return Math.floor(room / cipher.blockBytes) * cipher.blockBytes - 1;
}

/**
 * Fills a body laid out by the codec.
 * @param aad all octets of the message before the body
 * @param body as long as `sealedBodyBytes` says for this plaintext
 */
export function sealBody(
  cipher: PacketCipher,
  aad: Uint8Array,
  body: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
): void {
  const fields = bodyFields(cipher, aad, body);
  fields.iv.set(iv);
  fields.text.set(plaintext);
  fields.text[fields.text.length - 1] = fields.text.length - 1 - plaintext.length;
  cipher.seal(fields);
}

function bodyFields(cipher: PacketCipher, aad: Uint8Array, body: Uint8Array): CipherFields {
  const icvAt = body.length - cipher.icvBytes;
  return {
    aad,
    iv: body.subarray(0, cipher.ivBytes),
    text: body.subarray(cipher.ivBytes, icvAt),
    icv: body.subarray(icvAt),
  };
}

/**
 * The plaintext of the body that ends `message`, in memory of its own. `forged`: not from the peer; `padding`: from the
 * peer, but it claims more padding than there is.
 */
export function openBody(
  cipher: PacketCipher,
  message: Uint8Array,
  body: Uint8Array,
): Uint8Array | 'forged' | 'padding' {
  const textBytes = body.length - cipher.ivBytes - cipher.icvBytes;
  if (textBytes < 1 || textBytes % cipher.blockBytes !== 0) return 'forged';
  const aad = message.subarray(0, message.length - body.length);
  // A copy, because a cipher works in place and the received octets are kept.
  const fields = bodyFields(cipher, aad, body.slice());
  if (!cipher.open(fields)) return 'forged';
  const padding = fields.text[textBytes - 1]!;
  return padding < textBytes ? fields.text.subarray(0, textBytes - 1 - padding) : 'padding';
}

/** The IVs of one key: counted where they must not repeat, drawn where they must not be foreseen. */
export class IvSource {
  readonly #cipher: PacketCipher;
  readonly #randomness: Randomness;
  #counter: bigint;

  constructor(cipher: PacketCipher, randomness: Randomness, first: bigint) {
    this.#cipher = cipher;
    this.#randomness = randomness;
    this.#counter = first;
  }

  /** The counter of the next IV. */
  get counter(): bigint {
    return this.#counter;
  }

  next(): Uint8Array {
    const { ivBytes, ivKind } = this.#cipher;
    switch (ivKind) {
      case 'none':
        return new Uint8Array();
      case 'random':
        return this.#randomness.bytes(ivBytes);
      case 'counter': {
        if (this.#counter >= 1n << BigInt(8 * ivBytes)) throw new Error('all IVs of this key are spent');
        const octets = new Uint8Array(ivBytes);
        new DataView(octets.buffer).setBigUint64(ivBytes - 8, this.#counter);
        this.#counter += 1n;
        return octets;
      }
    }
  }
}
