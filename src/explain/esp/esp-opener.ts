// Whether an ESP packet is what its key says, and what is inside (RFC 4303 3.4.4).
import type { PacketCipher } from '#crypto';
import { readU32 } from '#wire';

const headerBytes = 8;

/** What a packet that opened holds. */
export interface EspContent {
  readonly nextHeader: number;
  readonly text: Uint8Array;
}

/** One SPI. Extended sequence numbers are found out by the first packet that only they open. */
export class EspOpener {
  readonly #cipher: PacketCipher;
  #esn: boolean | undefined;
  #high = 0;
  #lastLow = 0;

  constructor(cipher: PacketCipher) {
    this.#cipher = cipher;
  }

  /** Undefined: the ICV is wrong. */
  open(packet: Uint8Array): EspContent | undefined {
    const { ivBytes, icvBytes, blockBytes } = this.#cipher;
    const textBytes = packet.length - headerBytes - ivBytes - icvBytes;
    if (textBytes < 2 || textBytes % blockBytes !== 0) return undefined;
    const low = readU32(packet, 4);
    if (this.#esn !== true) {
      const content = this.#try(packet, undefined);
      if (content !== undefined || this.#esn === false) {
        if (content !== undefined) this.#esn = false;
        return content;
      }
    }
    // RFC 4303 A2.2: the high half is that of the last packet, or the next one where the low half has wrapped.
    const wrapped = this.#lastLow > 0xc000_0000 && low < 0x4000_0000;
    for (const high of wrapped ? [this.#high + 1, this.#high] : [this.#high]) {
      const content = this.#try(packet, high);
      if (content === undefined) continue;
      this.#esn = true;
      this.#high = high;
      this.#lastLow = low;
      return content;
    }
    return undefined;
  }

  #try(packet: Uint8Array, high: number | undefined): EspContent | undefined {
    const cipher = this.#cipher;
    const copy = packet.slice(headerBytes);
    const icvAt = copy.length - cipher.icvBytes;
    const text = copy.subarray(cipher.ivBytes, icvAt);
    const highOctets =
      high === undefined ? undefined : Uint8Array.of(high >>> 24, high >>> 16, high >>> 8, high);
    let aad = packet.subarray(0, headerBytes);
    if (highOctets !== undefined && cipher.combined) {
      // RFC 4106 5: SPI, then the number of 64 bits.
      aad = new Uint8Array(12);
      aad.set(packet.subarray(0, 4));
      aad.set(highOctets, 4);
      aad.set(packet.subarray(4, headerBytes), 8);
    }
    const tail = highOctets !== undefined && !cipher.combined ? { authTail: highOctets } : {};
    const fields = { aad, iv: copy.subarray(0, cipher.ivBytes), text, icv: copy.subarray(icvAt), ...tail };
    if (!cipher.open(fields)) return undefined;
    const padding = text[text.length - 2]!;
    if (padding + 2 > text.length) return undefined;
    return { nextHeader: text[text.length - 1]!, text: text.subarray(0, text.length - 2 - padding) };
  }
}
