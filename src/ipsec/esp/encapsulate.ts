// Outbound ESP processing (RFC 4303 3.3, RFC 4301 5.1): from an IP packet and its SA to an ESP packet in place.
import type { Randomness } from '#crypto';
import { addressBytes, type DataPlaneEvent } from '#sa';
import { FragmentPosition, IpProtocol, writeU32 } from '#wire';
import { outerTrafficClass } from '../packet/congestion.ts';
import { decrementHopLimit } from '../packet/header-edit.ts';
import type { PacketFields } from '../packet/packet-fields.ts';
import { encapsulationHeadroomBytes, type PacketSlot } from '../packet-slot.ts';
import { expiryEvent, pairEvent } from '../sa-events.ts';
import type { OutboundSa } from '../security-association.ts';
import { Verdict, type VerdictCode } from '../verdicts.ts';
import { paddedTextBytes, payloadBytesMax } from './layout.ts';
import { sealInPlace } from './packet-protection.ts';

/** The smallest MTU of IPv6 (RFC 8200 5): no smaller one is ever reported to an IPv6 source. */
const ipv6MtuBytesMin = 1280;

/** RFC 4301 5.1.2.1: the outer hop limit is our own choice. */
const tunnelHopLimit = 64;

/** What encapsulation needs besides the packet and its SA. */
export interface EncapsulationContext {
  /** Source of the IVs of block modes. */
  readonly randomness: Pick<Randomness, 'bytes'>;
  /** Of the outer path, where an SA does not know better. */
  readonly pathMtuBytes: number;
  /** Whether we are the router that forwards into the tunnel; false where the host's stack has done it (RFC 4301 5.1.2). */
  readonly decrementHopLimit: boolean;
  /** Where events go. */
  readonly events: DataPlaneEvent[];
}

/** Protects the packet in `slot`, whose fields were read. Sets the outer header's fields in the slot. */
export function encapsulate(
  context: EncapsulationContext,
  slot: PacketSlot,
  fields: PacketFields,
  sa: OutboundSa,
  at: number,
): VerdictCode {
  if (sa.usage.expireByTime(at)) context.events.push(expiryEvent('hard-expired', sa));
  if (sa.usage.expired) return Verdict.EXPIRED;
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
  slot.dontFragment = fits && fields.dontFragment && (!tunnel || sa.parameters.copyDf);
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
  if (sa.usage.expireByTime(at)) context.events.push(expiryEvent('hard-expired', sa));
  if (sa.usage.expired) return Verdict.EXPIRED;
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
  const { cipher, sequence, spi, esn } = sa;
  if (payloadAt < encapsulationHeadroomBytes) return Verdict.NO_ROOM;
  const tail = paddedTextBytes(cipher, paddedBytes) + cipher.icvBytes;
  if (payloadAt + tail > slot.buffer.length) return Verdict.NO_ROOM;
  if (sa.usage.expireByVolume(payloadBytes)) {
    context.events.push(expiryEvent('hard-expired', sa));
    return Verdict.EXPIRED;
  }
  if (!sequence.advance()) {
    if (!sa.exhaustionReported) context.events.push(pairEvent('sequence-exhausted', sa));
    sa.exhaustionReported = true;
    return Verdict.SEQUENCE_EXHAUSTED;
  }
  // RFC 4303 2.7: TFC padding stands between the packet and the padding. It must not show what the buffer held before.
  slot.buffer.fill(0, payloadAt + payloadBytes, payloadAt + paddedBytes);
  writeIv(context, sa, slot.buffer, payloadAt);
  const fields = { cipher, spi, esn, sequenceHigh: sequence.high, sequenceLow: sequence.low, nextHeader };
  const sealed = sealInPlace(fields, slot.buffer, payloadAt, paddedBytes);
  slot.start = sealed.start;
  slot.length = sealed.length;
  slot.local = sa.local;
  slot.remote = sa.remote;
  slot.encapsulated = sa.encapsulated;
  const change = sa.usage.record(payloadBytes, at);
  if (change !== 'none') context.events.push(expiryEvent(`${change}-expired`, sa));
  return Verdict.SEALED;
}

function tunnelNextHeader(fields: PacketFields): number {
  return fields.version === 4 ? IpProtocol.IPV4 : IpProtocol.IPV6;
}

/** RFC 4301 4.1 and 5.1, RFC 7402 B.1.5: what transport and BEET mode cannot carry. */
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

/** RFC 4301 8.2.1: what becomes of a packet too large for the path; `undefined` sends it in outer fragments. */
function oversized(
  slot: PacketSlot,
  fields: PacketFields,
  sa: OutboundSa,
  mtuBytes: number,
): VerdictCode | undefined {
  if (fields.version === 6) {
    // RFC 2473 7.1: every IPv6 link carries 1280 octets, and a tunnel that cannot must fragment outside.
    if (fields.lengthBytes <= ipv6MtuBytesMin) return undefined;
    slot.mtuBytes = Math.max(ipv6MtuBytesMin, mtuBytes);
    return Verdict.TOO_BIG;
  }
  slot.mtuBytes = mtuBytes;
  if (fields.dontFragment) return Verdict.TOO_BIG;
  // RFC 4301 7: later fragments show no ports, so an SA that looks at them gets the packet whole.
  const mayCut = sa.parameters.mode === 'tunnel' && (sa.matcher.ignoresPorts || fields.portsOpaque);
  return mayCut && mtuBytes >= 68 ? Verdict.FRAGMENT : undefined;
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
  buffer.fill(0, payloadAt - ivBytes, payloadAt - 8);
  writeU32(buffer, payloadAt - 8, sa.sequence.high);
  writeU32(buffer, payloadAt - 4, sa.sequence.low);
}
