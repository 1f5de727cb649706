// Unprotected word that a peer may have lost its state: whether it fits anything of ours. Pure; nothing here changes an SA.
import type { Endpoint, IpAddress } from '#sa';
import { type IkeHeader, NotifyType, type Payload } from '#wire';

/** How much a hint that fits says. `weak`: anybody near the path could have guessed it. */
export type HintWeight = 'weak' | 'strong';

export type HintMisfit =
  | 'no-such-outbound-spi'
  | 'spi-of-another-peer'
  | 'not-a-response'
  | 'no-such-request'
  | 'not-our-packet'
  | 'not-sent-recently'
  | 'malformed';

export type HintJudgement<Subject> =
  | { readonly fits: true; readonly weight: HintWeight; readonly subject: Subject }
  | { readonly fits: false; readonly reason: HintMisfit };

/** An outbound SA of ours, and where its packets go. */
export interface OutboundSa {
  readonly childId: number;
  readonly ikeId: number;
  readonly remote: Endpoint;
  /** The port counts only where NAT is in between, or ESP is in UDP for another reason. */
  readonly encapsulated: boolean;
}

function misfit(reason: HintMisfit): { readonly fits: false; readonly reason: HintMisfit } {
  return { fits: false, reason };
}

/** The SPI in an INVALID_SPI notify; `undefined` unless it is four octets (RFC 7296 1.5). */
export function invalidSpiOf(payloads: readonly Payload[]): number | undefined {
  for (const payload of payloads) {
    if (payload.type !== 'N' || payload.notifyType !== NotifyType.INVALID_SPI) continue;
    const { data } = payload;
    if (data.length !== 4) return undefined;
    return new DataView(data.buffer, data.byteOffset, 4).getUint32(0);
  }
  return undefined;
}

/**
 * INVALID_SPI outside of an IKE SA: it must name a current outbound SPI of ours to its sender. The sender's address is
 * enough: a host behind NAT that restarted may have another port.
 * @param candidates our outbound SAs with that SPI, to whomever: SPIs are the choice of each peer
 */
export function judgeInvalidSpi(
  sender: IpAddress,
  candidates: readonly OutboundSa[],
): HintJudgement<OutboundSa> {
  if (candidates.length === 0) return misfit('no-such-outbound-spi');
  const subject = candidates.find(({ remote }) => remote.address === sender);
  return subject === undefined ? misfit('spi-of-another-peer') : { fits: true, weight: 'strong', subject };
}

/** A request of ours that waits for its answer. */
export interface OutstandingRequest {
  readonly exchangeType: number;
  readonly messageId: number;
}

/**
 * INVALID_IKE_SPI or INVALID_MAJOR_VERSION for an IKE SA that both SPIs of the header name: a response to a request that
 * is outstanding. That request is a liveness probe already.
 */
export function judgeRefusal(
  header: IkeHeader,
  weAreInitiator: boolean,
  outstanding: readonly OutstandingRequest[],
): HintJudgement<OutstandingRequest> {
  if (!header.response || header.initiator === weAreInitiator) return misfit('not-a-response');
  const subject = outstanding.find(
    ({ exchangeType, messageId }) => exchangeType === header.exchangeType && messageId === header.messageId,
  );
  return subject === undefined ? misfit('no-such-request') : { fits: true, weight: 'strong', subject };
}

/** What an ICMP error quotes of one of our packets, as far as it goes. */
export interface QuotedPacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Of UDP. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Of ESP or AH; absent if the quote ends before it. */
  readonly spi?: number;
  readonly sequence?: number;
}

/** What we know of the SA that a quote may be about. */
export interface QuotedSa extends OutboundSa {
  readonly local: Endpoint;
  readonly spi: number;
  /** The highest sequence number sent (its low 32 bits), where the data plane tells. */
  readonly sentSequence?: number;
}

/** Sequence numbers that are not older than this were sent recently. */
export const recentSequences = 65_536;

/** Serial number arithmetic over 32 bits, since a quote has no high half of an extended sequence number. */
function sentRecently(sequence: number, sentSequence: number): boolean {
  return (sentSequence - sequence) >>> 0 <= recentSequences && sequence !== 0;
}

/** Whether a packet from and to there could be of this SA. */
export function fitsQuote(
  { source, sourcePort, destination, destinationPort }: QuotedPacket,
  { local, remote, encapsulated }: Pick<QuotedSa, 'local' | 'remote' | 'encapsulated'>,
): boolean {
  return (
    source === local.address &&
    destination === remote.address &&
    (!encapsulated || (sourcePort === local.port && destinationPort === remote.port))
  );
}

/**
 * An ICMP error about one of our packets. With SPI and sequence number it weighs as much as an INVALID_SPI, without them
 * next to nothing.
 * @param named our outbound SAs with the SPI of the quote, to whomever
 * @param toPeer our outbound SAs to its destination; only the first that fits is looked at
 */
export function judgeIcmpQuote(
  quote: QuotedPacket,
  named: Iterable<QuotedSa>,
  toPeer: Iterable<QuotedSa>,
): HintJudgement<QuotedSa> {
  const subject = firstThatFits(quote, named);
  if (subject === undefined) {
    const other = firstThatFits(quote, toPeer);
    if (other === undefined) return misfit('not-our-packet');
    if (quote.spi !== undefined) return misfit('no-such-outbound-spi');
    return { fits: true, weight: 'weak', subject: other };
  }
  if (quote.sequence === undefined || subject.sentSequence === undefined) {
    return { fits: true, weight: 'weak', subject };
  }
  return sentRecently(quote.sequence, subject.sentSequence)
    ? { fits: true, weight: 'strong', subject }
    : misfit('not-sent-recently');
}

function firstThatFits(quote: QuotedPacket, sas: Iterable<QuotedSa>): QuotedSa | undefined {
  for (const sa of sas) if (fitsQuote(quote, sa)) return sa;
  return undefined;
}
