// The ICV of an Authentication Header (RFC 4302 3.3.3): over the headers as covered, the payload, and the ESN's high word.
import type { CipherFields } from '#crypto';
import { writeU32 } from '#wire';
import { ahFixedBytes } from './layout.ts';

const nothing = new Uint8Array(0);

/** Where a packet with its Authentication Header lies. */
export interface AuthenticatedPacket {
  readonly ahAt: number;
  readonly headerBytes: number;
  readonly icvBytes: number;
  readonly end: number;
}

/**
 * What the NULL cipher with the SA's integrity algorithm is to seal or open.
 * @param sequenceHigh counted behind the payload, without being sent, if the SA has ESN (RFC 4302 3.3.3.2.2)
 */
export function integrityFields(
  octets: Uint8Array,
  covered: Uint8Array,
  packet: AuthenticatedPacket,
  esn: boolean,
  sequenceHigh: number,
): CipherFields {
  const icvAt = packet.ahAt + ahFixedBytes;
  const fields = {
    aad: covered,
    iv: nothing,
    text: octets.subarray(packet.ahAt + packet.headerBytes, packet.end),
    icv: octets.subarray(icvAt, icvAt + packet.icvBytes),
  };
  if (!esn) return fields;
  const authTail = new Uint8Array(4);
  writeU32(authTail, 0, sequenceHigh);
  return { ...fields, authTail };
}
