// Outbound ESP processing (RFC 4303 3.3, RFC 4301 5.1, RFC 7402 6.1, B.1.2, B.1.3): from an IP packet and its SA to an ESP
// packet in place.
import { addressBytes } from '#sa';
import { FragmentPosition, IpProtocol, writeU32 } from '#wire';
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
import { espHeaderBytes, paddedTextBytes, payloadBytesMax } from './layout.ts';
import { sealInPlace } from './packet-protection.ts';

const ipv6FragmentHeaderBytes = 8;

/** Protects the packet in `slot`, whose fields were read. Sets the outer header's fields in the slot. */
export function encapsulate(
  context: EncapsulationContext,
  slot: PacketSlot,
  fields: PacketFields,
  sa: OutboundSa,
  at: number,
): VerdictCode {
  if (hasEnded(context, sa, at)) return Verdict.EXPIRED;
  const tunnel = sa.parameters.mode === 'tunnel';
  if (!tunnel) {
    const refusal = headerlessRefusal(slot, fields, sa);
    if (refusal !== undefined) return refusal;
  }
  const pathMtuBytes = sa.pathMtuBytes ?? context.pathMtuBytes;
  const payloadAt = tunnel ? fields.start : headerlessPayloadAt(fields);
  const keptHeaderBytes = payloadAt - fields.start;
  const payloadBytes = fields.lengthBytes - keptHeaderBytes;
  const largest = payloadBytesMax(sa.cipher, pathMtuBytes - sa.outerHeaderBytes);
  const fits = payloadBytes <= largest;
  if (!fits) {
    const verdict = oversized(slot, fields, sa, largest + keptHeaderBytes);
    if (verdict !== undefined) return verdict;
  }
  if (tunnel && context.decrementHopLimit && fields.hopLimit <= 1) return Verdict.HOP_LIMIT;
  const paddedBytes = tunnel ? withTfcPadding(sa, payloadBytes, largest) : payloadBytes;
  slot.trafficClass = tunnel
    ? outerTrafficClass(fields.trafficClass, sa.parameters.copyDscp)
    : fields.trafficClass;
  // RFC 4301 8.1, 8.2
  slot.dontFragment = fits && fields.dontFragment && (!tunnel || sa.parameters.copyDf) && !sa.fragmentable;
  slot.hopLimit = tunnel ? tunnelHopLimit : fields.hopLimit;
  if (tunnel && context.decrementHopLimit) decrementHopLimit(slot.buffer, fields.start);
  const nextHeader = tunnel ? tunnelNextHeader(fields) : headerlessNextHeader(slot.buffer, fields);
  return protectPayload(context, slot, sa, { payloadAt, payloadBytes, paddedBytes, nextHeader }, at);
}

/**
 * RFC 4303 2.6: makes a packet that says nothing, for hiding how much is said. Its text is zeros, which look like any
 * other under encryption.
 * @param slot a buffer with room for the packet behind `slot.start`
 */
export function encapsulateDummy(
  context: EncapsulationContext,
  slot: PacketSlot,
  sa: OutboundSa,
  payloadBytes: number,
  at: number,
): VerdictCode {
  if (hasEnded(context, sa, at)) return Verdict.EXPIRED;
  slot.trafficClass = 0;
  slot.dontFragment = false;
  slot.hopLimit = tunnelHopLimit;
  const nextHeader = IpProtocol.NO_NEXT_HEADER;
  const payload = { payloadAt: slot.start, payloadBytes: 0, paddedBytes: payloadBytes, nextHeader };
  return protectPayload(context, slot, sa, payload, at);
}

/** What goes into an ESP packet: octets of the slot's buffer, and how far zeros follow them. */
interface Payload {
  readonly payloadAt: number;
  readonly payloadBytes: number;
  /** With TFC padding. */
  readonly paddedBytes: number;
  readonly nextHeader: number;
}

/** Spends a sequence number on a payload. */
function protectPayload(
  context: EncapsulationContext,
  slot: PacketSlot,
  sa: OutboundSa,
  payload: Payload,
  at: number,
): VerdictCode {
  const { payloadAt, payloadBytes, paddedBytes, nextHeader } = payload;
  const { cipher, espCipher, sequence, spi, esn } = sa;
  if (payloadAt < espHeaderBytes + cipher.ivBytes) return Verdict.NO_ROOM;
  const tail = paddedTextBytes(cipher, paddedBytes) + cipher.icvBytes;
  if (payloadAt + tail > slot.buffer.length) return Verdict.NO_ROOM;
  if (sa.unverified) {
    const bytes = wireBytes(context, sa, espHeaderBytes + cipher.ivBytes + tail);
    if (sa.credit?.take(bytes, at) !== true) return Verdict.NO_CREDIT;
  }
  const refusal = spendSequenceNumber(context, sa, payloadBytes);
  if (refusal !== undefined) return refusal;
  // RFC 4303 2.7: TFC padding stands between the packet and the padding. It must not show what the buffer held before.
  if (paddedBytes > payloadBytes) slot.buffer.fill(0, payloadAt + payloadBytes, payloadAt + paddedBytes);
  writeIv(context, sa, slot.buffer, payloadAt);
  const fields = {
    cipher,
    espCipher,
    spi,
    esn,
    sequenceHigh: sequence.high,
    sequenceLow: sequence.low,
    nextHeader,
  };
  const sealed = sealInPlace(fields, slot.buffer, payloadAt, paddedBytes);
  slot.protocol = 'esp';
  slot.start = sealed.start;
  slot.length = sealed.length;
  slot.local = sa.local;
  slot.remote = sa.remote;
  // RFC 3948 3.2, 3.4: the UDP header is put on where the packet is sent.
  slot.encapsulated = sa.encapsulated;
  countUse(context, sa, payloadBytes, at);
  return Verdict.SEALED;
}

/** Octets of the IP packets that an ESP packet becomes: too large for the path, it goes in pieces with a header each. */
function wireBytes(context: EncapsulationContext, sa: OutboundSa, espBytes: number): number {
  const headerBytes = sa.outerHeaderBytes;
  const pathMtuBytes = sa.pathMtuBytes ?? context.pathMtuBytes;
  if (headerBytes + espBytes <= pathMtuBytes) return headerBytes + espBytes;
  const pieceBytes = Math.max(8, (pathMtuBytes - headerBytes - ipv6FragmentHeaderBytes) & ~7);
  const pieces = Math.ceil(espBytes / pieceBytes);
  return espBytes + pieces * (headerBytes + ipv6FragmentHeaderBytes);
}

/** RFC 4301 4.1 and 5.1, RFC 7402 B.1.4, B.1.5: what transport and BEET mode cannot carry. */
function headerlessRefusal(slot: PacketSlot, fields: PacketFields, sa: OutboundSa): VerdictCode | undefined {
  // The outer header is made anew from addresses and traffic class, so that it has no place for options.
  const { buffer } = slot;
  if (fields.fragment !== FragmentPosition.whole || fields.hasHeadersForRouters(buffer)) {
    return Verdict.UNSUPPORTED;
  }
  const same = (address: Uint8Array, at: number): boolean =>
    address.length === fields.addressLength && address.every((octet, i) => octet === buffer[at + i]);
  return same(addressBytes(sa.innerLocal), fields.sourceOffset) &&
    same(addressBytes(sa.innerRemote), fields.destinationOffset)
    ? undefined
    : Verdict.OUTSIDE_SA;
}

/** RFC 4303 3.1.1: destination options may follow ESP, so everything behind the fixed header is protected. */
function headerlessPayloadAt(fields: PacketFields): number {
  return fields.version === 6 ? fields.start + 40 : fields.payloadOffset;
}

function headerlessNextHeader(buffer: Uint8Array, fields: PacketFields): number {
  return fields.version === 6 ? buffer[fields.start + 6]! : fields.protocol;
}

function withTfcPadding(sa: OutboundSa, payloadBytes: number, largest: number): number {
  const { tfcPadding } = sa.parameters;
  if (tfcPadding === undefined) return payloadBytes;
  return Math.max(payloadBytes, tfcPadding === 'mtu' ? largest : Math.min(tfcPadding, largest));
}

/** Counter modes: the 64-bit sequence counter, which never repeats under a key (RFC 4106 3.1, RFC 7634 2.1). */
function writeIv(context: EncapsulationContext, sa: OutboundSa, buffer: Uint8Array, payloadAt: number): void {
  const { ivBytes, ivKind } = sa.cipher;
  if (ivKind === 'none' || ivBytes === 0) return;
  if (ivKind === 'random') {
    buffer.set(context.randomness.bytes(ivBytes), payloadAt - ivBytes);
    return;
  }
  if (ivBytes > 8) buffer.fill(0, payloadAt - ivBytes, payloadAt - 8);
  writeU32(buffer, payloadAt - 8, sa.sequence.high);
  writeU32(buffer, payloadAt - 4, sa.sequence.low);
}
