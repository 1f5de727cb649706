// What MACs and signatures cover: a packet up to a parameter, with some fields zeroed (RFC 7401 6.4).
import { writeU16 } from '../octets.ts';
import { Reader } from '../reader.ts';
import { type Hit, hitBytes, hitLength } from './hit.ts';
import { HipParameterType } from './numbers.ts';
import { hipChecksumAt, hipParameterSpans, hipReceiverAt, writeHipLength } from './packet.ts';
import type { HipParameterName } from './parameters.ts';

/** Of the contents of PUZZLE: Opaque and #I behind #K and Lifetime. */
const puzzleOpaqueAt = 2;
const puzzleRandomAt = 4;

interface Place {
  /** Offset of the Type field. */
  readonly start: number;
  readonly contentsAt: number;
  readonly contentsEnd: number;
  /** Behind the padding. */
  readonly end: number;
}

function placeOf(octets: Uint8Array, name: HipParameterName): Place | undefined {
  for (const { parameterType, start, contents, end } of hipParameterSpans(octets)) {
    if (parameterType !== HipParameterType[name]) continue;
    return { start, contentsAt: contents.offset, contentsEnd: contents.offset + contents.remaining, end };
  }
  return undefined;
}

/** The packet without the first parameter of this or a higher type and all that follow, with other octets in their place. */
function upTo(octets: Uint8Array, name: HipParameterName, appended: Uint8Array): Uint8Array {
  let end = octets.length;
  for (const { parameterType, start } of hipParameterSpans(octets)) {
    if (parameterType < HipParameterType[name]) continue;
    end = start;
    break;
  }
  const covered = new Uint8Array(end + appended.length);
  covered.set(octets.subarray(0, end));
  covered.set(appended, end);
  writeU16(covered, hipChecksumAt, 0);
  writeHipLength(covered);
  return covered;
}

const nothing: Uint8Array = new Uint8Array(0);

/**
 * The octets that HIP_MAC, RVS_HMAC or RELAY_HMAC covers, of a packet with or without that parameter (RFC 7401 5.2.12,
 * 6.4.1, RFC 8004 4.2.1). `octets` is a packet as `decodeHipPacket` kept it or `encodeHipPacket` wrote it, here and below.
 */
export function hipMacOctets(octets: Uint8Array, name: 'HIP_MAC' | 'RVS_HMAC' | 'RELAY_HMAC'): Uint8Array {
  return upTo(octets, name, nothing);
}

/**
 * The octets that HIP_MAC_2 of an R2 covers (RFC 7401 5.2.13, 6.4.1).
 * @param hostId the HOST_ID parameter of the R1 exactly as it stood there, padding included: see `hipParameterOctets`
 * @throws WireError `limit` if both are longer together than Header Length can say
 */
export function hipMac2Octets(octets: Uint8Array, hostId: Uint8Array): Uint8Array {
  return upTo(octets, 'HIP_MAC_2', hostId);
}

/** The octets that HIP_SIGNATURE covers (RFC 7401 5.2.14, 6.4.2). */
export function hipSignatureOctets(octets: Uint8Array): Uint8Array {
  return upTo(octets, 'HIP_SIGNATURE', nothing);
}

/** The octets that HIP_SIGNATURE_2 covers: nothing of an R1 that depends on the Initiator (RFC 7401 5.2.15, 6.4.2). */
export function hipSignature2Octets(octets: Uint8Array): Uint8Array {
  const covered = upTo(octets, 'HIP_SIGNATURE_2', nothing);
  covered.fill(0, hipReceiverAt, hipReceiverAt + hitLength);
  const puzzle = placeOf(covered, 'PUZZLE');
  if (puzzle !== undefined) covered.fill(0, puzzle.contentsAt + puzzleOpaqueAt, puzzle.contentsEnd);
  return covered;
}

/** The first parameter of a type exactly as it stands in a packet, from Type to padding: not a copy. */
export function hipParameterOctets(octets: Uint8Array, name: HipParameterName): Uint8Array | undefined {
  const place = placeOf(octets, name);
  return place && octets.subarray(place.start, place.end);
}

/**
 * A copy of an R1 made and signed beforehand, for one Initiator: its HIT, Opaque and #I, none of which the signature
 * covers (RFC 7401 5.3.2). The checksum is zero.
 * Throws `WireError('length')` if the R1 has no PUZZLE with an #I of this length.
 */
export function addressHipR1(
  octets: Uint8Array,
  to: { readonly receiver: Hit; readonly opaque: number; readonly random: Uint8Array },
): Uint8Array {
  const packet = octets.slice();
  const puzzle = placeOf(packet, 'PUZZLE');
  if (puzzle === undefined || puzzle.contentsEnd - puzzle.contentsAt - puzzleRandomAt !== to.random.length) {
    throw new Reader(packet).fail('length', 'PUZZLE.#I', `no room for ${to.random.length} octets`);
  }
  packet.set(hitBytes(to.receiver), hipReceiverAt);
  writeU16(packet, puzzle.contentsAt + puzzleOpaqueAt, to.opaque);
  packet.set(to.random, puzzle.contentsAt + puzzleRandomAt);
  writeU16(packet, hipChecksumAt, 0);
  return packet;
}
