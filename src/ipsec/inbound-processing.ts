// What inbound ESP and AH processing have in common: replay, lifetimes, selectors, tunnel exit (RFC 4301 5.2).
import { type DataPlaneEvent, formatEndpoint } from '#sa';
import { IpProtocol } from '#wire';
import { innerTrafficClass } from './packet/congestion.ts';
import { decrementHopLimit, setTrafficClass } from './packet/header-edit.ts';
import type { PacketFields } from './packet/packet-fields.ts';
import type { PacketSlot } from './packet-slot.ts';
import { expiryEvent, pairEvent, reservationLow } from './sa-events.ts';
import type { Sad } from './sad.ts';
import type { InboundSa } from './security-association.ts';
import { Verdict, type VerdictCode } from './verdicts.ts';

/** What decapsulation needs besides the packet. */
export interface DecapsulationContext {
  readonly sad: Sad;
  /** Whether we are the router that forwards out of the tunnel (RFC 4301 5.1.2.1, note 2). */
  readonly decrementHopLimit: boolean;
  /** Scratch space for the inner packet's fields, which the caller finds filled after `OPENED`. */
  readonly fields: PacketFields;
  /** RFC 4301 5.2, steps 4 and 5: why a packet is none for which this SA was made, or that the SPD lets through for it. */
  refusal(buffer: Uint8Array, fields: PacketFields, sa: InboundSa): VerdictCode | undefined;
  /** Where events go. */
  readonly events: DataPlaneEvent[];
}

/**
 * What refuses a packet before its ICV is looked at: an SA that has ended, and the replay window.
 * @param high the high word of the sequence number as `ReplayWindow.inferHigh` gives it
 */
export function refuseBeforeIntegrity(
  context: DecapsulationContext,
  slot: PacketSlot,
  sa: InboundSa,
  high: number,
  at: number,
): VerdictCode | undefined {
  if (sa.usage.expireByTime(at)) context.events.push(expiryEvent('hard-expired', sa));
  if (sa.usage.expired) return Verdict.EXPIRED;
  const check = sa.window.check(high, slot.sequence);
  if (check === 'new') return undefined;
  sa.usage.replays++;
  return check === 'seen' ? Verdict.REPLAYED : Verdict.LEFT_OF_WINDOW;
}

/**
 * What an authentic packet tells of its SA. `UNRESERVED`: a restart would not know that its number was used, so that the
 * packet could be replayed then; it is dropped, and room asked for.
 */
export function acceptAuthentic(
  context: DecapsulationContext,
  slot: PacketSlot,
  sa: InboundSa,
  high: number,
): VerdictCode | undefined {
  const { reservation } = sa;
  if (reservation?.asks(high, slot.sequence)) {
    context.events.push(reservationLow(sa, { high, low: slot.sequence }));
  }
  if (reservation?.covers(high, slot.sequence) === false) return Verdict.UNRESERVED;
  const newest = sa.window.accept(high, slot.sequence);
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

/** Counts an authentic packet with what became of it; `EXPIRED` if it is one more than a lifetime allows. */
export function countUse(
  context: DecapsulationContext,
  sa: InboundSa,
  verdict: VerdictCode,
  bytes: number,
  at: number,
): VerdictCode {
  if (verdict !== Verdict.OPENED && verdict !== Verdict.DUMMY) sa.usage.malformed++;
  if (sa.usage.expireByVolume(bytes)) {
    context.events.push(expiryEvent('hard-expired', sa));
    return Verdict.EXPIRED;
  }
  const change = sa.usage.record(bytes, at);
  if (change !== 'none') context.events.push(expiryEvent(`${change}-expired`, sa));
  return verdict;
}

/**
 * The inner packet of a tunnel, which lies in the slot with what follows it, at the tunnel's exit. The addresses of the
 * outer header do not matter (RFC 3948 3.1.1, 3.5).
 */
export function unpackTunnel(
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
  const refusal = context.refusal(buffer, fields, sa);
  if (refusal !== undefined) return refusal;
  const trafficClass = innerTrafficClass(fields.trafficClass, slot.trafficClass, sa.parameters.copyDscp);
  if (trafficClass < 0) return Verdict.CONGESTION;
  if (context.decrementHopLimit && fields.hopLimit <= 1) return Verdict.HOP_LIMIT;
  if (trafficClass !== fields.trafficClass) setTrafficClass(buffer, slot.start, trafficClass);
  if (context.decrementHopLimit) decrementHopLimit(buffer, slot.start);
  return Verdict.OPENED;
}
