// The ESP packet itself (RFC 4303 2, 2.2, 2.3, 2.5, 2.8): header, IV, padding, trailer and ICV around a payload, in place.
import type { PacketCipher } from '#crypto';
import { writeU32 } from '#wire';
import type { EspPacketCipher } from '../security-association.ts';
import { espHeaderBytes, espTrailerBytes, paddedTextBytes } from './layout.ts';

// Scratch space of one call each: nothing is allocated for a packet, and no cipher keeps what it is given.
const esnHeader = new Uint8Array(12);
const highWord: { readonly authTail: Uint8Array } = { authTail: new Uint8Array(4) };
const noHighWord = {};

/** What distinguishes one packet of an SA from all others. */
export interface SealFields {
  readonly cipher: PacketCipher;
  readonly espCipher?: EspPacketCipher | undefined;
  readonly spi: number;
  readonly esn: boolean;
  readonly sequenceHigh: number;
  readonly sequenceLow: number;
  readonly nextHeader: number;
}

/**
 * RFC 4303 3.3.2, 3.3.2.1, 3.3.2.2: the cipher hides whether it is of combined mode.
 *
 * Turns `payloadBytes` octets at `payloadAt` into an ESP packet that starts before them, at the returned offset. The IV
 * must already stand in front of the payload.
 * @returns offset and length of the packet; the caller has made sure that there is room around the payload
 */
export function sealInPlace(
  fields: SealFields,
  buffer: Uint8Array,
  payloadAt: number,
  payloadBytes: number,
): { readonly start: number; readonly length: number } {
  const { cipher } = fields;
  const ivAt = payloadAt - cipher.ivBytes;
  const start = ivAt - espHeaderBytes;
  const textBytes = paddedTextBytes(cipher, payloadBytes);
  const icvAt = payloadAt + textBytes;
  const padLength = textBytes - payloadBytes - espTrailerBytes;
  let at = payloadAt + payloadBytes;
  for (let i = 1; i <= padLength; i++) buffer[at++] = i;
  buffer[at++] = padLength;
  buffer[at] = fields.nextHeader;
  writeU32(buffer, start, fields.spi);
  writeU32(buffer, start + 4, fields.sequenceLow);
  const length = icvAt + cipher.icvBytes - start;
  if (fields.espCipher !== undefined) {
    fields.espCipher.sealEsp(buffer, start, textBytes, fields.esn ? fields.sequenceHigh : -1);
    return { start, length };
  }
  const icv = buffer.subarray(icvAt, icvAt + cipher.icvBytes);
  const iv = buffer.subarray(ivAt, payloadAt);
  const text = buffer.subarray(payloadAt, icvAt);
  cipher.seal({
    aad: associatedData(fields, buffer, start, fields.sequenceHigh),
    iv,
    text,
    icv,
    ...highWordTail(fields, fields.sequenceHigh),
  });
  return { start, length };
}

/**
 * RFC 4303 3.4.4, 3.4.4.1, 3.4.4.2: nothing is decrypted that is not authentic.
 *
 * Checks the ICV of the packet at `start` and decrypts it in place.
 * @param sequenceHigh the inferred high word; ignored without ESN
 */
export function openInPlace(
  sa: {
    readonly cipher: PacketCipher;
    readonly espCipher?: EspPacketCipher | undefined;
    readonly esn: boolean;
  },
  buffer: Uint8Array,
  start: number,
  length: number,
  sequenceHigh: number,
): boolean {
  const { cipher } = sa;
  const ivAt = start + espHeaderBytes;
  const textAt = ivAt + cipher.ivBytes;
  const icvAt = start + length - cipher.icvBytes;
  if (sa.espCipher !== undefined) {
    return sa.espCipher.openEsp(buffer, start, icvAt - textAt, sa.esn ? sequenceHigh : -1);
  }
  return cipher.open({
    aad: associatedData(sa, buffer, start, sequenceHigh),
    iv: buffer.subarray(ivAt, textAt),
    text: buffer.subarray(textAt, icvAt),
    icv: buffer.subarray(icvAt, start + length),
    ...highWordTail(sa, sequenceHigh),
  });
}

/** RFC 4106 5: with ESN a combined mode authenticates SPI and all 64 bits; otherwise the header as it is sent. */
function associatedData(
  sa: { readonly cipher: PacketCipher; readonly esn: boolean },
  buffer: Uint8Array,
  start: number,
  sequenceHigh: number,
): Uint8Array {
  const header = buffer.subarray(start, start + espHeaderBytes);
  if (!sa.esn || !sa.cipher.combined) return header;
  esnHeader.set(header.subarray(0, 4));
  writeU32(esnHeader, 4, sequenceHigh);
  esnHeader.set(header.subarray(4), 8);
  return esnHeader;
}

/** RFC 4303 2.2.1: a separate integrity algorithm covers the high word behind the trailer. */
function highWordTail(
  sa: { readonly cipher: PacketCipher; readonly esn: boolean },
  sequenceHigh: number,
): { readonly authTail?: Uint8Array } {
  if (!sa.esn || sa.cipher.combined) return noHighWord;
  writeU32(highWord.authTail, 0, sequenceHigh);
  return highWord;
}

/**
 * RFC 4303 2.4: reads the trailer of the decrypted text from `textAt` to `end` and verifies its padding.
 * @returns the payload's length, or -1 if the padding is not 1, 2, 3..
 */
export function payloadBytesOf(buffer: Uint8Array, textAt: number, end: number): number {
  const padLength = buffer[end - 2]!;
  const payloadBytes = end - textAt - espTrailerBytes - padLength;
  if (payloadBytes < 0) return -1;
  for (let i = 0; i < padLength; i++) {
    if (buffer[textAt + payloadBytes + i] !== i + 1) return -1;
  }
  return payloadBytes;
}
