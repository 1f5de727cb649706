// What outbound ESP and AH processing have in common: lifetimes, sequence numbers, packets too large (RFC 4301 5.1).
import type { Randomness } from '#crypto';
import type { DataPlaneEvent } from '#sa';
import { IpProtocol } from '#wire';
import type { PacketFields } from './packet/packet-fields.ts';
import type { PacketSlot } from './packet-slot.ts';
import { expiryEvent, pairEvent, reservationLow } from './sa-events.ts';
import type { OutboundSa } from './security-association.ts';
import { Verdict, type VerdictCode } from './verdicts.ts';

/** The smallest MTU of IPv6 (RFC 8200 5): no smaller one is ever reported to an IPv6 source. */
const ipv6MtuBytesMin = 1280;

/** RFC 4301 5.1.2.1, 5.1.2.2: the outer hop limit is our own choice. */
export const tunnelHopLimit = 64;

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

/** Whether a hard lifetime of the SA is over. */
export function hasEnded(context: EncapsulationContext, sa: OutboundSa, at: number): boolean {
  if (sa.usage.expireByTime(at)) context.events.push(expiryEvent('hard-expired', sa));
  return sa.usage.expired;
}

/** Moves the SA on to the next sequence number, if it may carry this many octets more. */
export function spendSequenceNumber(
  context: EncapsulationContext,
  sa: OutboundSa,
  payloadBytes: number,
): VerdictCode | undefined {
  if (sa.usage.expireByVolume(payloadBytes)) {
    context.events.push(expiryEvent('hard-expired', sa));
    return Verdict.EXPIRED;
  }
  const { sequence, reservation } = sa;
  // Never at or beyond what a restart would go on with: a number used twice breaks counter modes (RFC 4106 3.1).
  if (reservation?.reaches(sequence.high, sequence.low)) return Verdict.UNRESERVED;
  if (sequence.advance()) {
    if (reservation?.asks(sequence.high, sequence.low)) {
      context.events.push(reservationLow(sa, sa.lastSequence));
    }
    return undefined;
  }
  if (!sa.exhaustionReported) context.events.push(pairEvent('sequence-exhausted', sa));
  sa.exhaustionReported = true;
  return Verdict.SEQUENCE_EXHAUSTED;
}

/** Counts a packet that leaves. */
export function countUse(
  context: EncapsulationContext,
  sa: OutboundSa,
  payloadBytes: number,
  at: number,
): void {
  const change = sa.usage.record(payloadBytes, at);
  if (change !== 'none') context.events.push(expiryEvent(`${change}-expired`, sa));
}

/** RFC 4303 3.1.2, 2.6: the whole packet is protected, and its version is the next header. */
export function tunnelNextHeader(fields: PacketFields): number {
  return fields.version === 4 ? IpProtocol.IPV4 : IpProtocol.IPV6;
}

/** RFC 4301 8.2.1: what becomes of a packet too large for the path; `undefined` sends it in outer fragments. */
export function oversized(
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
  // RFC 4303 3.3.4: fragments are made before ESP, in tunnel mode only.
  // RFC 4301 7: later fragments show no ports, so an SA that looks at them gets the packet whole.
  const mayCut = sa.parameters.mode === 'tunnel' && (sa.matcher.ignoresPorts || fields.portsOpaque);
  return mayCut && mtuBytes >= 68 ? Verdict.FRAGMENT : undefined;
}
