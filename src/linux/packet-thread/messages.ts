// What the control thread and the packet thread say to each other.
import type {
  DataPlaneEvent,
  Endpoint,
  IpAddress,
  SaCommand,
  SaCounters,
  SaDirection,
  SaProtocol,
  SaResult,
  Spi,
} from '#sa';

/** How a packet thread is set up. */
export interface PacketThreadOptions {
  /** Addresses to bind; the unspecified one of a family serves all of that family. */
  readonly addresses: readonly IpAddress[];
  readonly ikePort: number;
  readonly natTraversalPort: number;
  /** Native ESP besides UDP encapsulation; needs the capability for raw sockets. */
  readonly nativeEsp: boolean;
  /** Name of the TUN device; absent: IKE only, ESP is dropped. */
  readonly tunName?: string;
  /** SO_MARK of our own packets; 0 for none. */
  readonly mark: number;
  readonly pathMtuBytes: number;
}

/** File descriptors of a packet thread, which it does not take along when it dies: the next one goes on with them. */
export interface HeldDescriptors {
  readonly epoll: number;
  /** In the order in which they are opened. */
  readonly sockets: readonly number[];
  readonly tun?: { readonly fd: number; readonly name: string };
}

/** The first message to a packet thread. */
export interface PacketThreadSetup {
  /** An eventfd of the control thread, to wake the packet thread. */
  readonly wakeFd: number;
  readonly controlQueue: SharedArrayBuffer;
  readonly options: PacketThreadOptions;
  /** What a thread that died has left. */
  readonly adopted?: HeldDescriptors;
}

/** Counters of one SA, as told once a second while they move. */
export interface SaReport {
  readonly protocol: SaProtocol;
  readonly direction: SaDirection;
  readonly spi: Spi;
  readonly childId: number;
  readonly counters: SaCounters;
}

export type ToPacketThread =
  | {
      readonly kind: 'transmit';
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly octets: Uint8Array;
    }
  | {
      readonly kind: 'apply';
      /** Without one nobody waits for the result. */
      readonly id?: number;
      readonly command: SaCommand;
      /** Of an SA to be installed: memory of an `SaProgress`. */
      readonly progress?: SharedArrayBuffer;
    }
  | { readonly kind: 'close' };

export type FromPacketThread =
  | { readonly kind: 'ready'; readonly held: HeldDescriptors }
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string }
  | {
      readonly kind: 'datagram';
      /** It came from where one of our SAs leads. */
      readonly ofPeer: boolean;
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly octets: Uint8Array;
    }
  | { readonly kind: 'event'; readonly event: DataPlaneEvent }
  | { readonly kind: 'sa-result'; readonly id: number; readonly result: SaResult }
  | {
      readonly kind: 'reports';
      readonly reports: readonly SaReport[];
      readonly verdicts: Readonly<Record<string, number>>;
      readonly heapBytes: number;
    }
  | { readonly kind: 'closed' };
