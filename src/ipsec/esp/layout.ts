// Lengths of ESP packets (RFC 4303 2): how much a cipher adds, and how much still fits.
import type { PacketCipher } from '#crypto';

/** SPI and sequence number. */
export const espHeaderBytes = 8;
/** Pad length and next header. */
export const espTrailerBytes = 2;

/** The part of a packet cipher that lengths depend on. */
export type CipherShape = Pick<PacketCipher, 'ivBytes' | 'icvBytes' | 'blockBytes'>;

/** RFC 4303 2.4: the ciphertext is a multiple of the block and of four octets. */
export function alignmentBytes(cipher: CipherShape): number {
  return Math.max(4, cipher.blockBytes);
}

/** Octets of plaintext with trailer for this much payload. */
export function paddedTextBytes(cipher: CipherShape, payloadBytes: number): number {
  const alignment = alignmentBytes(cipher);
  return Math.ceil((payloadBytes + espTrailerBytes) / alignment) * alignment;
}

/** The largest payload of an ESP packet of at most this many octets. */
export function payloadBytesMax(cipher: CipherShape, packetBytes: number): number {
  const alignment = alignmentBytes(cipher);
  const text = packetBytes - espHeaderBytes - cipher.ivBytes - cipher.icvBytes;
  return Math.floor(text / alignment) * alignment - espTrailerBytes;
}
