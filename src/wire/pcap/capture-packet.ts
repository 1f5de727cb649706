// One packet of a capture file, whatever the format, and the limits that both formats share.

export interface CapturePacket {
  /** Since 1970-01-01 UTC; absent from a Simple Packet Block. */
  readonly timestampNs?: bigint;
  /** What `octets` begin with, `LinkType`. */
  readonly linkType: number;
  /** A copy of the captured octets. */
  readonly octets: Uint8Array;
  /** Octets of the packet on the wire, which may be more than were captured. */
  readonly originalLength: number;
  /** Index of the interface within its section; always 0 in a pcap file. */
  readonly interfaceId: number;
  readonly interfaceName?: string;
  /** The first comment on the packet (pcapng only). */
  readonly comment?: string;
  /** Position of the packet's record in the file. */
  readonly fileOffset: number;
}

/** Records of more octets are refused: 256 KiB of packet, where libpcap stops too, and room for comments. */
export const captureRecordLengthMax: number = 320 * 1024;

/** More interfaces than this in one pcapng section are refused. */
export const captureInterfacesMax = 4096;

/** Longer interface names are refused: names are kept for as long as their section lasts. */
export const captureInterfaceNameLengthMax = 256;
