// Sizes of IKE fragments (RFC 7383 2.5.1).
import type { PacketCipher } from '#crypto';

const todo = (): never => {
  throw new Error('not written yet');
};

/** How large the IP packets of a message may be. */
export interface FragmentLimits {
  /** Octets of the whole IP packet (`fragment_size`). */
  readonly packetBytes: number;
  readonly ipv6: boolean;
  /** A non-ESP marker precedes the message (port 4500). */
  readonly marker: boolean;
}

/** Octets of an IKE message that fit: without IP and UDP headers and non-ESP marker. */
export function messageBytesMax(_limits: FragmentLimits): number {
  return todo();
}

/** Octets of plaintext payloads per SKF message; at least 1. */
export function fragmentTextBytes(_limits: FragmentLimits, _cipher: PacketCipher): number {
  return todo();
}
