// Sizes of IKE fragments (RFC 7383 2.5.1).
import type { PacketCipher } from '#crypto';
import { ikeHeaderLength } from '#wire';
import { sealedTextBytes } from './sealed-body.ts';

/** How large the IP packets of a message may be. */
export interface FragmentLimits {
  /** Octets of the whole IP packet (`fragment_size`). */
  readonly packetBytes: number;
  readonly ipv6: boolean;
  /** A non-ESP marker precedes the message (port 4500). */
  readonly marker: boolean;
}

const udpHeaderBytes = 8;
const markerBytes = 4;
/** RFC 7383 2.5: the generic payload header, Fragment Number and Total Fragments. */
const skfHeaderBytes = 8;

/** Octets of an IKE message that fit: without IP and UDP headers and non-ESP marker. */
export function messageBytesMax(limits: FragmentLimits): number {
  const ipHeaderBytes = limits.ipv6 ? 40 : 20;
  return limits.packetBytes - ipHeaderBytes - udpHeaderBytes - (limits.marker ? markerBytes : 0);
}

/** Octets of plaintext payloads per SKF message; at least 1, however small the limit. */
export function fragmentTextBytes(limits: FragmentLimits, cipher: PacketCipher): number {
  const bodyBytes = messageBytesMax(limits) - ikeHeaderLength - skfHeaderBytes;
  return Math.max(1, sealedTextBytes(cipher, bodyBytes));
}
