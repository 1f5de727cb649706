// Inbound ESP processing (RFC 4303 3.4, RFC 4301 5.2): from an ESP packet to the IP packet inside, in place.
import { addressBytes, type DataPlaneEvent, formatEndpoint } from '#sa';
import { FragmentPosition, IpProtocol, readU16, readU32, writeIpv4Checksum, writeU16 } from '#wire';
import { innerTrafficClass } from '../packet/congestion.ts';
import { decrementHopLimit, setTrafficClass } from '../packet/header-edit.ts';
import type { PacketFields } from '../packet/packet-fields.ts';
import { recomputeTransportChecksum } from '../packet/transport-checksum.ts';
import type { PacketSlot } from '../packet-slot.ts';
import { expiryEvent, pairEvent } from '../sa-events.ts';
import type { Sad } from '../sad.ts';
import type { InboundSa } from '../security-association.ts';
import { Verdict, type VerdictCode } from '../verdicts.ts';
import { alignmentBytes, espHeaderBytes } from './layout.ts';
import { openInPlace, payloadBytesOf } from './packet-protection.ts';

/** What decapsulation needs besides the packet. */
export interface DecapsulationContext {
  readonly sad: Sad;
  /** Whether we are the router that forwards out of the tunnel (RFC 4301 5.1.2.1, note 2). */
  readonly decrementHopLimit: boolean;
  /** Scratch space for the inner packet's fields, which the caller finds filled after `OPENED`. */
  readonly fields: PacketFields;
  /** Whether the SPD lets a packet through that came by an SA of this pair. */
  permits(buffer: Uint8Array, fields: PacketFields, childId: number): boolean;
  /** Where events go. */
  readonly events: DataPlaneEvent[];
}

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
  const textBytes = slot.length - espHeaderBytes - sa.cipher.ivBytes - sa.cipher.icvBytes;
  const verdict = unpack(context, slot, sa);
  if (verdict !== Verdict.OPENED && verdict !== Verdict.DUMMY) sa.usage.malformed++;
  const bytes = verdict === Verdict.OPENED ? openedBytes(slot, sa) : textBytes;
  if (sa.usage.expireByVolume(bytes)) {
    context.events.push(expiryEvent('hard-expired', sa));
    return Verdict.EXPIRED;
  }
  const change = sa.usage.record(bytes, at);
  if (change !== 'none') context.events.push(expiryEvent(`${change}-expired`, sa));
  return verdict;
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
  const { buffer, start, length } = slot;
  const { cipher, window } = sa;
  if (sa.usage.expireByTime(at)) context.events.push(expiryEvent('hard-expired', sa));
  if (sa.usage.expired) return Verdict.EXPIRED;
  const textBytes = length - espHeaderBytes - cipher.ivBytes - cipher.icvBytes;
  if (textBytes < 2 || textBytes % alignmentBytes(cipher) !== 0) return Verdict.BAD_LENGTH;
  const high = window.inferHigh(slot.sequence);
  const check = window.check(high, slot.sequence);
  if (check !== 'new') {
    sa.usage.replays++;
    return check === 'seen' ? Verdict.REPLAYED : Verdict.LEFT_OF_WINDOW;
  }
  if (!openInPlace(sa, buffer, start, length, high)) {
    sa.usage.integrityFailures++;
    return Verdict.NOT_AUTHENTIC;
  }
  const newest = window.accept(high, slot.sequence);
  if (!sa.used) context.events.push(pairEvent('first-inbound', sa));
  sa.used = true;
  if (newest) reportMapping(context, slot, sa);
  return undefined;
}

/**
 * RFC 7296 2.23: behind a NAT, the peer is where its newest authentic packet came from. A packet that did not advance
 * the window may be an old one that somebody delayed and sends from elsewhere.
 */
function reportMapping(context: DecapsulationContext, slot: PacketSlot, sa: InboundSa): void {
  if (!sa.encapsulated || !slot.encapsulated || slot.remote === undefined) return;
  const { remote } = slot;
  if (remote.address === sa.remote.address && remote.port === sa.remote.port) {
    sa.reportedRemote = undefined;
    return;
  }
  const reported = sa.reportedRemote;
  if (reported !== undefined && formatEndpoint(reported) === formatEndpoint(remote)) return;
  sa.reportedRemote = remote;
  const { protocol, spi, childId } = sa.parameters;
  context.events.push({ kind: 'mapping-changed', protocol, spi, childId, remote });
}

/** From decrypted text to a packet that the SA's selectors and the SPD allow. */
function unpack(context: DecapsulationContext, slot: PacketSlot, sa: InboundSa): VerdictCode {
  const { buffer } = slot;
  const textAt = slot.start + espHeaderBytes + sa.cipher.ivBytes;
  const textEnd = slot.start + slot.length - sa.cipher.icvBytes;
  const payloadBytes = payloadBytesOf(buffer.subarray(textAt, textEnd));
  if (payloadBytes < 0) return Verdict.BAD_PADDING;
  const nextHeader = buffer[textEnd - 1]!;
  if (nextHeader === IpProtocol.NO_NEXT_HEADER) return Verdict.DUMMY;
  slot.start = textAt;
  slot.length = payloadBytes;
  return sa.parameters.mode === 'tunnel'
    ? unpackTunnel(context, slot, sa, nextHeader)
    : unpackHeaderless(context, slot, sa, nextHeader);
}

function unpackTunnel(
  context: DecapsulationContext,
  slot: PacketSlot,
  sa: InboundSa,
  nextHeader: number,
): VerdictCode {
  const { fields } = context;
  const { buffer } = slot;
  if (!fields.read(buffer, slot.start, slot.length)) return Verdict.BAD_INNER;
  if (nextHeader !== (fields.version === 4 ? IpProtocol.IPV4 : IpProtocol.IPV6)) return Verdict.BAD_INNER;
  // RFC 4303 2.7: what lies behind the packet's own length is TFC padding.
  slot.length = fields.lengthBytes;
  const refusal = admit(context, slot, sa);
  if (refusal !== undefined) return refusal;
  const trafficClass = innerTrafficClass(fields.trafficClass, slot.trafficClass, sa.parameters.copyDscp);
  if (trafficClass < 0) return Verdict.CONGESTION;
  if (context.decrementHopLimit && fields.hopLimit <= 1) return Verdict.HOP_LIMIT;
  if (trafficClass !== fields.trafficClass) setTrafficClass(buffer, slot.start, trafficClass);
  if (context.decrementHopLimit) decrementHopLimit(buffer, slot.start);
  return Verdict.OPENED;
}

/**
 * Transport and BEET mode: the outer header, without ESP, becomes the header of the packet (RFC 4301 4.1); in BEET
 * mode with other addresses, perhaps of the other family (RFC 7402 B.1.6).
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
  return admit(context, slot, sa) ?? Verdict.OPENED;
}

/** RFC 4301 5.2, steps 4 and 5: the packet must be one for which this SA was made. */
function admit(context: DecapsulationContext, slot: PacketSlot, sa: InboundSa): VerdictCode | undefined {
  if (!sa.matcher.matches(slot.buffer, context.fields, 'inbound')) return Verdict.OUTSIDE_SELECTORS;
  return context.permits(slot.buffer, context.fields, sa.parameters.childId) ? undefined : Verdict.NO_POLICY;
}
