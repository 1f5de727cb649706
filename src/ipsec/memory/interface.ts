// What goes into a data plane in memory, and what comes out.
import type { Randomness } from '#crypto';
import type { DataPlaneEvent, Endpoint, SaProtocol } from '#sa';
import type { UnmatchedAction } from '../policy/spd.ts';
import type { ReceivedMarks } from '../received-marks.ts';
import type { PacketCipherFactory } from '../security-association.ts';

export interface MemoryDataPlaneOptions {
  /** Source of the IVs of block modes. */
  readonly randomness: Pick<Randomness, 'bytes'>;
  /** Where the SAs' ciphers come from; from the crypto room by default. */
  readonly makeCipher?: PacketCipherFactory;
  /** Where it is written down what inbound SAs have received; nowhere by default. */
  readonly receivedMarks?: ReceivedMarks;
  /** What happens to traffic without a policy; `discard` by default. */
  readonly unmatched?: UnmatchedAction;
  /** What the way to the wire can carry: SAs of another protocol are refused with `unsupported`. All by default. */
  readonly protocols?: readonly SaProtocol[];
  /** MTU of the outer path; 1500 by default. */
  readonly pathMtuBytes?: number;
  /** Whether this data plane is the router between the networks (RFC 4301 5.1.2.1, note 2); no by default. */
  readonly decrementHopLimit?: boolean;
  /** Unknown SPIs that wait for `poll` at once; 64 by default. */
  readonly unknownSpisMax?: number;
  /** Unknown SPIs that `poll` gives per second; any number by default. */
  readonly unknownSpisPerSecondMax?: number;
  /** Packets kept per trap policy; 4 by default. */
  readonly heldPacketsMax?: number;
  /** How long they are kept; 10 s by default. */
  readonly holdMs?: number;
  /** Least time between two `acquire` events of one policy; 1 s by default. */
  readonly acquireIntervalMs?: number;
  /** Whether sources learn that a discard policy stopped their packets (RFC 4301 5.1.1); no by default. */
  readonly answerDiscarded?: boolean;
  /** ICMP errors per second (RFC 4443 2.4(f)); 1000 by default. */
  readonly icmpErrorsPerSecondMax?: number;
}

/** A packet from the unprotected side: the payload of IP protocol 50 or of a UDP datagram to an ESP port, or AH. */
export interface ReceivedPacket {
  /** Ports are ignored for native ESP. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly protocol: 'esp' | 'udp' | 'ah';
  /** With `ah` the whole IP packet, as AH covers its header (RFC 4302 3.4). */
  readonly octets: Uint8Array;
  /** DSCP and ECN of the outer header, 0 if unknown. */
  readonly trafficClass?: number;
  /** Of the outer header; only transport and BEET mode pass it on. */
  readonly hopLimit?: number;
  /** For evidence about unknown SPIs. */
  readonly flowLabel?: number;
  readonly interfaceName?: string;
}

/** What comes out of a data plane. */
export type DataPlaneOutput =
  /**
   * Send `octets` as the payload of IP protocol 50 (ports are 0) or of a UDP datagram; with `ah` as the IP packet that
   * they are, whose immutable fields (RFC 4302 3.3.3.1) nobody must change.
   */
  | {
      readonly kind: 'transmit';
      readonly protocol: 'esp' | 'udp' | 'ah';
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly octets: Uint8Array;
      readonly trafficClass: number;
      readonly hopLimit: number;
      /** For an outer IPv4 header. */
      readonly dontFragment: boolean;
    }
  /** An IP packet for the protected side. */
  | { readonly kind: 'deliver'; readonly packet: Uint8Array }
  /** An IP packet that a policy lets out without protection. */
  | { readonly kind: 'bypass'; readonly packet: Uint8Array }
  /** An IP packet for the data plane that seals what the pair sends. It is the taker's own. */
  | { readonly kind: 'hand-over'; readonly childId: number; readonly packet: Uint8Array }
  | { readonly kind: 'event'; readonly event: DataPlaneEvent };

/** Sums over the life of a data plane. */
export interface DataPlaneStatistics {
  /** Packets per verdict, by its name in lower case: `not-authentic`. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly unknownSpisDropped: number;
  readonly heldPacketsDropped: number;
}
