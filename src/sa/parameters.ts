// What a data plane must know of an SA, and the commands and events between a keying protocol and a data plane.
import type { Endpoint, IpAddress } from './address.ts';
import type { EncryptionChoice } from './algorithms.ts';
import type { SequenceNumber, SequenceReservation } from './sequence-number.ts';
import type { Spi } from './spi.ts';
import type { TrafficSelector } from './traffic-selector.ts';

export type SaProtocol = 'esp' | 'ah';
export type SaDirection = 'inbound' | 'outbound';
export type SaMode = 'tunnel' | 'transport' | 'beet';

/** UDP encapsulation (RFC 3948): ports of the outer header of an outbound packet, from our point of view. */
export interface UdpEncapsulation {
  readonly localPort: number;
  readonly remotePort: number;
}

/** When an SA should be replaced (soft) and when it must no longer be used (hard). Absent means unlimited. */
export interface SaLifetimes {
  readonly softBytes?: number;
  readonly hardBytes?: number;
  readonly softPackets?: number;
  readonly hardPackets?: number;
  /** From installation. Soft time is kept by the keying protocol itself. */
  readonly hardTimeMs?: number;
}

/** The traffic of an SA, from our point of view: `local` is behind us. */
export interface SaSelectors {
  readonly local: readonly TrafficSelector[];
  readonly remote: readonly TrafficSelector[];
}

/** A packet has a mark if its own is the same under `mask` (Linux: SO_MARK, netfilter). 32 bits each. */
export interface PacketMark {
  readonly value: number;
  readonly mask: number;
}

/** By what else than addresses a Linux kernel looks SAs and policies up; the userspace data plane has none of it. */
export interface KernelTies {
  readonly mark?: PacketMark;
  /** The number of an XFRM interface. */
  readonly interfaceId?: number;
}

/**
 * What a network device is to do of an SA: its cryptography alone, or all of it and of its policies. `auto` takes as much as there
 * is, down to nothing; the others are not to be had by halves.
 */
export type HardwareOffload = 'auto' | OffloadKind;

/** Its cryptography alone, or all of an SA. */
export type OffloadKind = 'crypto' | 'packet';

/** One unidirectional SA. Key octets belong to the data plane once installed; it wipes them on removal. */
export interface SaParameters {
  readonly direction: SaDirection;
  readonly protocol: SaProtocol;
  /** Inbound: chosen by us. Outbound: chosen by the peer. */
  readonly spi: Spi;
  readonly mode: SaMode;
  readonly local: IpAddress;
  readonly remote: IpAddress;
  readonly encapsulation?: UdpEncapsulation;
  readonly encryption?: EncryptionChoice & {
    /** Key as taken from KEYMAT, with the salt of AES-CTR, GCM, CCM and ChaCha20 at its end. */
    readonly key: Uint8Array;
  };
  readonly integrity?: { readonly id: number; readonly key: Uint8Array };
  readonly esn: boolean;
  /** Packets; 0 turns replay protection off. Inbound only. */
  readonly replayWindow: number;
  /** Absent: a fresh SA whose numbers need not survive a crash. */
  readonly reservation?: SequenceReservation;
  readonly selectors: SaSelectors;
  readonly lifetimes: SaLifetimes;
  /** The pair of SAs this one belongs to. Stable over rekeying: traffic moves from old to new of one policy. */
  readonly childId: number;
  /** Which generation of the pair: rises by one with each rekey. */
  readonly generation: number;
  readonly copyDscp: 'out' | 'in' | 'yes' | 'no';
  readonly copyDf: boolean;
  /** What comes in by the pair is credit for an address of the peer that nobody has verified (RFC 8046 5.6). */
  readonly countsCredit?: true;
  /** Pad plaintext to this many octets (TFC); 'mtu' fills the packet. */
  readonly tfcPadding?: number | 'mtu';
  readonly kernelTies?: KernelTies & {
    /** What the packet's mark becomes once the SA is done with it. */
    readonly setMark?: PacketMark;
  };
  /** Absent: nothing. Devices are the kernel's; the userspace data plane has none, and leaves this alone. */
  readonly hardwareOffload?: HardwareOffload;
}

/** What the SPD does with traffic that matches a policy's selectors. */
export type PolicyAction = 'protect' | 'bypass' | 'discard' | 'trap';

/** An SPD entry for both directions (RFC 4301 4.4.1). Lower `priority` wins. */
export interface PolicyParameters {
  readonly policyId: number;
  readonly action: PolicyAction;
  readonly selectors: SaSelectors;
  readonly priority: number;
  readonly mode: SaMode;
  /** For `protect`: the SA pair that carries the traffic. */
  readonly childId?: number;
  readonly kernelTies?: Readonly<Record<SaDirection, KernelTies>>;
}

/**
 * What tells an SA from all others. The SPI of an outbound one is the peer's choice, and two peers may have chosen the same, also
 * behind one address: so the pair names it, wherever it leads.
 */
export interface SaName {
  readonly protocol: SaProtocol;
  readonly direction: SaDirection;
  readonly spi: Spi;
  readonly childId: number;
}

/** What a keying protocol asks of a data plane; each gets exactly one result. */
export type SaCommand =
  | { readonly kind: 'install'; readonly sa: SaParameters }
  /** From now on, traffic of the pair leaves through this outbound SA; the older one only receives. */
  | {
      readonly kind: 'use-outbound';
      readonly protocol: SaProtocol;
      readonly spi: Spi;
      readonly childId: number;
    }
  | {
      readonly kind: 'update-addresses';
      readonly protocol: SaProtocol;
      readonly direction: SaDirection;
      readonly spi: Spi;
      readonly childId: number;
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly encapsulated: boolean;
      /** Outbound: nobody has answered from `remote` yet, so that only credit leaves for it (RFC 8046 5.6.1). */
      readonly unverified?: true;
    }
  /** A restart would know of all numbers up to `limit`: they may be used, or accepted, from now on. */
  | {
      readonly kind: 'extend-reservation';
      readonly protocol: SaProtocol;
      readonly direction: SaDirection;
      readonly spi: Spi;
      readonly childId: number;
      readonly limit: SequenceNumber;
    }
  | {
      readonly kind: 'remove';
      readonly protocol: SaProtocol;
      readonly direction: SaDirection;
      readonly spi: Spi;
      /** An SA of another pair is not meant: it may have the same SPI, and be why the one of this pair was refused. */
      readonly childId: number;
      /** Of an inbound SA that another one has replaced: how long what is on its way is still received. */
      readonly lingerMs?: number;
    }
  | { readonly kind: 'install-policy'; readonly policy: PolicyParameters }
  | { readonly kind: 'remove-policy'; readonly policyId: number };

/**
 * The `lingerMs` of an inbound SA whose pair was replaced. The network orders nothing: the Delete of the old pair, or the first
 * packet on the new one, overtakes what was sent before, and that is as good for so long as packets may be on their way.
 */
export const replacedLingerMs = 5_000;

/** `exists` is EEXIST: the SPI is taken, choose again. */
export type SaResult =
  | {
      readonly ok: true;
      /** What a network device does of the SA that was installed or moved. Absent: nothing. */
      readonly offloaded?: OffloadKind;
    }
  | {
      readonly ok: false;
      readonly code: 'exists' | 'missing' | 'unsupported' | 'failed';
      readonly detail: string;
    };

/** Counters of one SA. */
export interface SaCounters {
  readonly bytes: number;
  readonly packets: number;
  /** Monotonic milliseconds of the last packet; absent if there was none. */
  readonly lastUsedAt?: number;
  readonly integrityFailures: number;
  readonly replays: number;
  /** Packets that decrypted but broke the SA's selectors or padding. */
  readonly malformed: number;
}

/** What was seen of a packet that no SA of ours matches (RFC 4303 3.4.2 asks for most of it in an audit record). */
export interface UnknownSpiEvidence {
  readonly protocol: SaProtocol;
  readonly spi: number;
  readonly sequence?: number;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly encapsulated: boolean;
  readonly flowLabel?: number;
  /** From the ESP or AH header on; of the first packet if several were merged. */
  readonly lengthBytes: number;
  /** Seen by a sniffer before reassembly: what stands where an SPI should be is something else. */
  readonly nonFirstFragment?: boolean;
  readonly interfaceName?: string;
  /** How many packets of this SPI and source were merged into this one. */
  readonly count: number;
  /** From the ESP or AH header on, of all of them together. */
  readonly mergedBytes: number;
}

/** What a data plane reports without having been asked. */
export type DataPlaneEvent =
  | {
      readonly kind: 'acquire';
      readonly policyId: number;
      readonly local: TrafficSelector;
      readonly remote: TrafficSelector;
    }
  | {
      readonly kind: 'soft-expired' | 'hard-expired';
      readonly protocol: SaProtocol;
      readonly direction: SaDirection;
      readonly spi: Spi;
      readonly childId: number;
    }
  /** A fresh authenticated packet came from another address or port (RFC 7296 2.23, RFC 3948). */
  | {
      readonly kind: 'mapping-changed';
      readonly protocol: SaProtocol;
      readonly spi: Spi;
      readonly childId: number;
      readonly remote: Endpoint;
    }
  /** First authenticated inbound packet on an SA: the peer uses it (RFC 7296 2.8: rekeying is complete). */
  | {
      readonly kind: 'first-inbound';
      readonly protocol: SaProtocol;
      readonly spi: Spi;
      readonly childId: number;
    }
  /** The reserved sequence numbers come to their end: the peer or we have got to `last`. */
  | {
      readonly kind: 'reservation-low';
      readonly protocol: SaProtocol;
      readonly direction: SaDirection;
      readonly spi: Spi;
      readonly childId: number;
      readonly last: SequenceNumber;
    }
  | { readonly kind: 'unknown-spi'; readonly evidence: UnknownSpiEvidence }
  /** Packets to `remote` have to be smaller, as is said of one that the SA had just sent (RFC 4301 8.2). */
  | {
      readonly kind: 'path-mtu';
      readonly protocol: SaProtocol;
      readonly spi: Spi;
      readonly childId: number;
      readonly remote: IpAddress;
      /** Who said so; absent: this host, of its own device. */
      readonly from?: IpAddress;
      /** Nobody can say what fits, or less than a path has to carry: packets may be cut on their way. */
      readonly fragmentable: boolean;
      /** Octets of the outer IP packet. */
      readonly pathMtuBytes?: number;
      /** Of the packets that this SA carries then. Absent: what the path carries was learned by the kernel, which carries them. */
      readonly innerMtuBytes?: number;
    }
  | {
      readonly kind: 'sequence-exhausted';
      readonly protocol: SaProtocol;
      readonly spi: Spi;
      readonly childId: number;
    };
