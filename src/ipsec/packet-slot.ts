// One packet on its way through the data path, in a buffer that belongs to the caller.
import type { Endpoint, PolicyParameters, SaProtocol } from '#sa';
import { ahBytesMax } from './ah/layout.ts';
import type { InboundSa, OutboundSa } from './security-association.ts';
import { Verdict, type VerdictCode } from './verdicts.ts';

/** Octets that must be free before an outbound packet: an IPv6 header and the longest AH. */
export const encapsulationHeadroomBytes: number = 40 + ahBytesMax;
/** Octets that must be free behind an outbound packet, besides those of TFC padding: padding, trailer, ICV. */
export const encapsulationTailroomBytes = 64;
/** Octets that must be free before an inbound ESP packet: transport and BEET mode put an IP header there. */
export const decapsulationHeadroomBytes = 40;

/**
 * A batch is an array of slots, which the caller makes once and uses again and again. The data path works in place:
 * afterwards `start` and `length` tell where the result lies.
 */
export class PacketSlot {
  buffer: Uint8Array;
  start: number;
  length: number;
  verdict: VerdictCode = Verdict.MALFORMED;
  /**
   * Outbound result, inbound input. ESP is what an IP packet or UDP datagram carries; AH covers the IP header too, so
   * the slot then holds the packet with its header, and the fields below only repeat it.
   */
  protocol: SaProtocol = 'esp';

  /** Outbound result, inbound input: the outer addresses; ports are 0 without UDP encapsulation. */
  local: Endpoint | undefined;
  remote: Endpoint | undefined;
  encapsulated = false;
  /** DSCP and ECN of the outer header. */
  trafficClass = 0;
  /** Inbound input for transport and BEET mode, where the outer header becomes the inner one. */
  hopLimit = 64;
  /** Inbound input, for evidence about unknown SPIs. */
  flowLabel: number | undefined;
  interfaceName: string | undefined;
  /** The same: of 32 bits, from protocol, SPI and source; absent, it is made of their texts. */
  evidenceHash: number | undefined;
  /** Outbound result: DF of an outer IPv4 header. */
  dontFragment = false;

  /** The SA used, once it is known. */
  outboundSa: OutboundSa | undefined;
  inboundSa: InboundSa | undefined;
  /** The policy that decided, for outbound packets. */
  policy: PolicyParameters | undefined;
  /** With `TOO_BIG` and `FRAGMENT`: the largest packet that fits. */
  mtuBytes = 0;
  /** Inbound: as received, for evidence. */
  spi = 0;
  sequence = 0;

  constructor(buffer: Uint8Array = new Uint8Array(0), start = 0, length = 0) {
    this.buffer = buffer;
    this.start = start;
    this.length = length;
  }

  /** A view on the packet. */
  get octets(): Uint8Array {
    return this.buffer.subarray(this.start, this.start + this.length);
  }
}
