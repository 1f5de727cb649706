// Outbound AH processing (RFC 4302 3.3): from an IP packet and its SA to a whole IP packet with AH, in place.
import { addressBytes } from '#sa';
import { FragmentPosition, IpProtocol, readU16, writeIpv4Checksum, writeU16, writeU32 } from '#wire';
import {
  countUse,
  type EncapsulationContext,
  hasEnded,
  oversized,
  spendSequenceNumber,
  tunnelHopLimit,
  tunnelNextHeader,
} from '../outbound-processing.ts';
import { outerTrafficClass } from '../packet/congestion.ts';
import { decrementHopLimit } from '../packet/header-edit.ts';
import type { PacketFields } from '../packet/packet-fields.ts';
import type { PacketSlot } from '../packet-slot.ts';
import type { OutboundSa } from '../security-association.ts';
import { Verdict, type VerdictCode } from '../verdicts.ts';
import { CoveredHeaders } from './covered-headers.ts';
import { HeaderPosition } from './header-chain.ts';
import { integrityFields } from './integrity.ts';
import { ahBytes } from './layout.ts';

/** Outbound AH; keeps scratch space, so one for each data path. */
export class AhEncapsulation {
  readonly #covered = new CoveredHeaders();
  readonly #place = new HeaderPosition();
  readonly #context: EncapsulationContext;

  constructor(context: EncapsulationContext) {
    this.#context = context;
  }

  /**
   * Protects the packet in `slot`, whose fields were read. Afterwards the slot holds an IP packet with its outer header,
   * which must reach the wire without any change to what AH covers: also with its IPv4 identification.
   */
  encapsulate(slot: PacketSlot, fields: PacketFields, sa: OutboundSa, at: number): VerdictCode {
    const context = this.#context;
    if (hasEnded(context, sa, at)) return Verdict.EXPIRED;
    const tunnel = sa.parameters.mode === 'tunnel';
    const family = tunnel ? (sa.outerHeaderBytes === 20 ? 4 : 6) : fields.version === 4 ? 4 : 6;
    const headerBytes = ahBytes(sa.cipher.icvBytes, family);
    const addedBytes = headerBytes + (tunnel ? sa.outerHeaderBytes : 0);
    if (!tunnel) {
      const refusal = this.#transportRefusal(slot, fields, sa);
      if (refusal !== undefined) return refusal;
    }
    const largest = (sa.pathMtuBytes ?? context.pathMtuBytes) - addedBytes;
    const fits = fields.lengthBytes <= largest;
    if (!fits) {
      const verdict = oversized(slot, fields, sa, largest);
      if (verdict !== undefined) return verdict;
    }
    if (fields.lengthBytes + addedBytes > 0xffff) return Verdict.TOO_BIG;
    if (fields.start < addedBytes) return Verdict.NO_ROOM;
    if (tunnel && context.decrementHopLimit && fields.hopLimit <= 1) return Verdict.HOP_LIMIT;
    const payloadBytes = tunnel ? fields.lengthBytes : fields.end - this.#place.at;
    const refusal = spendSequenceNumber(context, sa, payloadBytes);
    if (refusal !== undefined) return refusal;
    slot.trafficClass = tunnel
      ? outerTrafficClass(fields.trafficClass, sa.parameters.copyDscp)
      : fields.trafficClass;
    slot.dontFragment = fits && fields.dontFragment && (!tunnel || sa.parameters.copyDf) && !sa.fragmentable;
    slot.hopLimit = tunnel ? tunnelHopLimit : fields.hopLimit;
    const start = fields.start - addedBytes;
    if (tunnel) {
      if (context.decrementHopLimit) decrementHopLimit(slot.buffer, fields.start);
      writeOuterHeader(slot, start, sa, headerBytes + fields.lengthBytes);
    } else {
      makeRoom(slot.buffer, fields, this.#place, headerBytes, sa.sequence.low);
      // RFC 4302 3.3.3.1.1.1: AH does not cover it.
      if (family === 4 && !slot.dontFragment) slot.buffer[start + 6] = slot.buffer[start + 6]! & ~0x40;
    }
    const ahAt = tunnel ? fields.start - headerBytes : this.#place.at - headerBytes;
    const nextHeader = tunnel ? tunnelNextHeader(fields) : this.#takeNextHeader(slot.buffer, headerBytes);
    writeAuthenticationHeader(slot.buffer, ahAt, headerBytes, nextHeader, sa);
    if (family === 4) writeIpv4Checksum(slot.buffer, start, (slot.buffer[start]! & 0x0f) * 4);
    const { cipher } = sa;
    // `#transportRefusal` has seen that they can be covered.
    this.#covered.cover(slot.buffer, start, ahAt, headerBytes, cipher.icvBytes);
    const packet = { ahAt, headerBytes, icvBytes: cipher.icvBytes, end: fields.end };
    cipher.seal(integrityFields(slot.buffer, this.#covered.octets, packet, sa.esn, sa.sequence.high));
    slot.protocol = 'ah';
    slot.start = start;
    slot.length = fields.end - start;
    slot.local = sa.local;
    slot.remote = sa.remote;
    slot.encapsulated = false;
    countUse(context, sa, payloadBytes, at);
    return Verdict.SEALED;
  }

  /** What transport mode cannot carry. Finds the place for the header. */
  #transportRefusal(slot: PacketSlot, fields: PacketFields, sa: OutboundSa): VerdictCode | undefined {
    const { buffer } = slot;
    if (fields.fragment !== FragmentPosition.whole) return Verdict.UNSUPPORTED;
    if (!isAt(buffer, fields, sa.local.address, fields.sourceOffset)) return Verdict.OUTSIDE_SA;
    if (!isAt(buffer, fields, sa.remote.address, fields.destinationOffset)) return Verdict.OUTSIDE_SA;
    if (!this.#place.findPlace(buffer, fields.start, fields.lengthBytes)) return Verdict.MALFORMED;
    // Tried before a sequence number is spent; the header itself is not there yet.
    return this.#covered.cover(buffer, fields.start, this.#place.at, 0, 0) ? undefined : Verdict.UNSUPPORTED;
  }

  /** Puts AH into the chain, and gives what it stands before. */
  #takeNextHeader(buffer: Uint8Array, headerBytes: number): number {
    const announcedAt = this.#place.announcedAt - headerBytes;
    const nextHeader = buffer[announcedAt]!;
    buffer[announcedAt] = IpProtocol.AH;
    return nextHeader;
  }
}

function isAt(
  buffer: Uint8Array,
  fields: PacketFields,
  address: OutboundSa['local']['address'],
  at: number,
): boolean {
  const octets = addressBytes(address);
  return octets.length === fields.addressLength && octets.every((octet, i) => octet === buffer[at + i]);
}

function writeAuthenticationHeader(
  buffer: Uint8Array,
  ahAt: number,
  headerBytes: number,
  nextHeader: number,
  sa: OutboundSa,
): void {
  buffer.fill(0, ahAt, ahAt + headerBytes);
  buffer[ahAt] = nextHeader;
  buffer[ahAt + 1] = headerBytes / 4 - 2;
  writeU32(buffer, ahAt + 4, sa.spi);
  writeU32(buffer, ahAt + 8, sa.sequence.low);
}

/**
 * The identification of an IPv4 packet is covered, so it must be chosen here and not by whoever sends the packet. Raw
 * sockets of Linux replace 0 only.
 */
function identificationOf(sequenceLow: number): number {
  return (sequenceLow & 0xffff) === 0 ? 0xffff : sequenceLow & 0xffff;
}

function writeOuterHeader(slot: PacketSlot, start: number, sa: OutboundSa, payloadBytes: number): void {
  const { buffer } = slot;
  const source = addressBytes(sa.local.address);
  const destination = addressBytes(sa.remote.address);
  if (source.length === 4) {
    buffer.fill(0, start, start + 20);
    buffer[start] = 0x45;
    buffer[start + 1] = slot.trafficClass;
    writeU16(buffer, start + 2, 20 + payloadBytes);
    writeU16(buffer, start + 4, identificationOf(sa.sequence.low));
    writeU16(buffer, start + 6, slot.dontFragment ? 0x4000 : 0);
    buffer[start + 8] = slot.hopLimit;
    buffer[start + 9] = IpProtocol.AH;
    buffer.set(source, start + 12);
    buffer.set(destination, start + 16);
    return;
  }
  buffer.fill(0, start, start + 40);
  buffer[start] = 0x60 | (slot.trafficClass >>> 4);
  buffer[start + 1] = (slot.trafficClass & 0x0f) << 4;
  writeU16(buffer, start + 4, payloadBytes);
  buffer[start + 6] = IpProtocol.AH;
  buffer[start + 7] = slot.hopLimit;
  buffer.set(source, start + 8);
  buffer.set(destination, start + 24);
}

/** Moves the headers before the place of AH forward, with the packet's length as it will be. */
function makeRoom(
  buffer: Uint8Array,
  fields: PacketFields,
  place: HeaderPosition,
  headerBytes: number,
  sequenceLow: number,
): void {
  const start = fields.start - headerBytes;
  buffer.copyWithin(start, fields.start, place.at);
  if (fields.version === 4) {
    writeU16(buffer, start + 2, fields.lengthBytes + headerBytes);
    if (readU16(buffer, start + 4) === 0) writeU16(buffer, start + 4, identificationOf(sequenceLow));
  } else {
    writeU16(buffer, start + 4, fields.lengthBytes - 40 + headerBytes);
  }
}
