// Inbound ESP processing (RFC 4303 3.4, RFC 4301 5.2): from an ESP packet to the IP packet inside, in place.
import { addressBytes } from '#sa';
import { FragmentPosition, IpProtocol, readU16, readU32, writeIpv4Checksum, writeU16 } from '#wire';
import {
  acceptAuthentic,
  countUse,
  type DecapsulationContext,
  refuseBeforeIntegrity,
  unpackTunnel,
} from '../inbound-processing.ts';
import { recomputeTransportChecksum } from '../packet/transport-checksum.ts';
import type { PacketSlot } from '../packet-slot.ts';
import type { InboundSa } from '../security-association.ts';
import { Verdict, type VerdictCode } from '../verdicts.ts';
import { alignmentBytes, espHeaderBytes } from './layout.ts';
import { openInPlace, payloadBytesOf } from './packet-protection.ts';

/** Opens the ESP packet (or UDP payload, if `slot.encapsulated`) in `slot`. */
export function decapsulate(context: DecapsulationContext, slot: PacketSlot, at: number): VerdictCode {
  const { buffer, start, length } = slot;
  if (slot.encapsulated && length === 1 && buffer[start] === 0xff) return Verdict.KEEPALIVE;
  if (length < espHeaderBytes) return Verdict.BAD_LENGTH;
  slot.spi = readU32(buffer, start);
  slot.sequence = readU32(buffer, start + 4);
  if (slot.spi === 0) return Verdict.NOT_ESP;
  const sa = context.sad.findInbound('esp', slot.spi);
  if (sa === undefined) return Verdict.UNKNOWN_SPI;
  slot.inboundSa = sa;
  const refusal = authenticate(context, slot, sa, at);
  if (refusal !== undefined) return refusal;
  sa.credit?.add(length, at);
  const textBytes = slot.length - espHeaderBytes - sa.cipher.ivBytes - sa.cipher.icvBytes;
  const verdict = unpack(context, slot, sa);
  const bytes = verdict === Verdict.OPENED ? openedBytes(slot, sa) : textBytes;
  return countUse(context, sa, verdict, bytes, at);
}

/** What the peer protected of the packet in the slot: in transport mode, all behind the IP header. */
function openedBytes(slot: PacketSlot, sa: InboundSa): number {
  if (sa.parameters.mode === 'tunnel') return slot.length;
  return slot.length - (slot.buffer[slot.start]! >>> 4 === 4 ? 20 : 40);
}

/** Replay check, ICV, and what an authentic packet tells of its SA. Decrypts the text; `undefined` if all is well. */
function authenticate(
  context: DecapsulationContext,
  slot: PacketSlot,
  sa: InboundSa,
  at: number,
): VerdictCode | undefined {
  const { cipher } = sa;
  const textBytes = slot.length - espHeaderBytes - cipher.ivBytes - cipher.icvBytes;
  if (textBytes < 2 || textBytes % alignmentBytes(cipher) !== 0) return Verdict.BAD_LENGTH;
  const high = sa.window.inferHigh(slot.sequence);
  const refusal = refuseBeforeIntegrity(context, slot, sa, high, at);
  if (refusal !== undefined) return refusal;
  if (!openInPlace(sa, slot.buffer, slot.start, slot.length, high)) {
    sa.usage.integrityFailures++;
    return Verdict.NOT_AUTHENTIC;
  }
  return acceptAuthentic(context, slot, sa, high);
}

/** From decrypted text to a packet that the SA's selectors and the SPD allow. */
function unpack(context: DecapsulationContext, slot: PacketSlot, sa: InboundSa): VerdictCode {
  const { buffer } = slot;
  const textAt = slot.start + espHeaderBytes + sa.cipher.ivBytes;
  const textEnd = slot.start + slot.length - sa.cipher.icvBytes;
  const payloadBytes = payloadBytesOf(buffer, textAt, textEnd);
  if (payloadBytes < 0) return Verdict.BAD_PADDING;
  const nextHeader = buffer[textEnd - 1]!;
  if (nextHeader === IpProtocol.NO_NEXT_HEADER) return Verdict.DUMMY;
  slot.start = textAt;
  slot.length = payloadBytes;
  return sa.parameters.mode === 'tunnel'
    ? unpackTunnel(context, slot, sa, nextHeader)
    : unpackHeaderless(context, slot, sa, nextHeader);
}

/**
 * Transport and BEET mode: the outer header, without ESP, becomes the header of the packet (RFC 4301 4.1); in BEET
 * mode with other addresses, perhaps of the other family (RFC 7401 6.2, RFC 7402 6.2, B.1.4, B.1.6). The transport
 * checksum is computed anew behind a NAT (RFC 3948 3.1.2, 3.3).
 */
function unpackHeaderless(
  context: DecapsulationContext,
  slot: PacketSlot,
  sa: InboundSa,
  nextHeader: number,
): VerdictCode {
  const { fields } = context;
  const { buffer } = slot;
  if (slot.local === undefined || slot.remote === undefined) return Verdict.MALFORMED;
  const beet = sa.parameters.mode === 'beet';
  const source = addressBytes(beet ? sa.innerRemote : slot.remote.address);
  const destination = addressBytes(beet ? sa.innerLocal : slot.local.address);
  if (source.length !== destination.length) return Verdict.MALFORMED;
  const headerBytes = source.length === 4 ? 20 : 40;
  const header = slot.start - headerBytes;
  if (header < 0) return Verdict.NO_ROOM;
  if (nextHeader === IpProtocol.UDP && slot.length >= 8) {
    // RFC 4303 2.7: UDP tells its length, so that it may be followed by TFC padding.
    const udpBytes = readU16(buffer, slot.start + 4);
    if (udpBytes >= 8 && udpBytes < slot.length) slot.length = udpBytes;
  }
  if (slot.length + headerBytes > 0xffff) return Verdict.BAD_INNER;
  buffer.fill(0, header, slot.start);
  if (headerBytes === 20) {
    buffer[header] = 0x45;
    buffer[header + 1] = slot.trafficClass;
    writeU16(buffer, header + 2, 20 + slot.length);
    writeU16(buffer, header + 6, 0x4000);
    buffer[header + 8] = slot.hopLimit;
    buffer[header + 9] = nextHeader;
    buffer.set(source, header + 12);
    buffer.set(destination, header + 16);
    writeIpv4Checksum(buffer, header, 20);
  } else {
    buffer[header] = 0x60 | (slot.trafficClass >>> 4);
    buffer[header + 1] = (slot.trafficClass & 0x0f) << 4;
    writeU16(buffer, header + 4, slot.length);
    buffer[header + 6] = nextHeader;
    buffer[header + 7] = slot.hopLimit;
    buffer.set(source, header + 8);
    buffer.set(destination, header + 24);
  }
  slot.start = header;
  slot.length += headerBytes;
  if (!fields.read(buffer, slot.start, slot.length) || fields.fragment !== FragmentPosition.whole)
    return Verdict.BAD_INNER;
  // In BEET mode the addresses that the checksum covers never were on the wire.
  if (slot.encapsulated && !beet && !recomputeTransportChecksum(buffer, fields)) return Verdict.BAD_INNER;
  return context.refusal(buffer, fields, sa) ?? Verdict.OPENED;
}
