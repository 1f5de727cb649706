// What the control thread and the packet thread say to each other.
import type { KnownPath, TooBig } from '#ipsec';
import type {
  DataPlaneEvent,
  Endpoint,
  IpAddress,
  LsiTable,
  SaCommand,
  SaCounters,
  SaDirection,
  SaProtocol,
  SaResult,
  Spi,
} from '#sa';
import type { IcmpError } from '../../sockets/icmp-errors.ts';

/** How a packet thread is set up. */
export interface PacketThreadOptions {
  /** Addresses to bind; the unspecified one of a family serves all of that family. */
  readonly addresses: readonly IpAddress[];
  readonly ikePort: number;
  readonly natTraversalPort: number;
  /** Native ESP, and AH, besides UDP encapsulation; needs the capability for raw sockets. */
  readonly nativeEsp: boolean;
  /** Name of the TUN device; absent: IKE only, ESP is dropped. */
  readonly tunName?: string;
  /** SO_MARK of our own packets; 0 for none. */
  readonly mark: number;
  readonly pathMtuBytes: number;
  /** HIP's sockets too (RFC 7401, RFC 9028); needs the capability for raw sockets. */
  readonly hip?: boolean;
  /** Where it is written down what inbound SAs have received. */
  readonly receivedMarks?: { readonly path: string; readonly bootId: string };
  /** The kernel is the data plane, and there is no device. Absent: this thread is. */
  readonly kernel?: KernelPlaneOptions;
}

export interface KernelPlaneOptions {
  /** Tells our SAs from others': the same at each start of this daemon, and no other's of this network namespace. */
  readonly ownerName: string;
  /** How long SAs of a process before us wait to be taken up, from when we receive. */
  readonly keepEarlierMs: number;
  /** UDP sockets that a process before us had, IKE's and then HIP's; absent: they are opened. */
  readonly sockets?: readonly number[];
}

/** File descriptors of a packet thread, which it does not take along when it dies. */
export interface HeldDescriptors {
  /** Of no use to the next one. */
  readonly own: readonly number[];
  /** The next one goes on with them, as far as they have been opened, in this order. */
  readonly sockets: readonly number[];
  readonly tun?: { readonly fd: number; readonly name: string };
}

/** What one of several packet threads has in common with the others. */
export interface OtherThreadsSetup {
  /** Its own number. The first one, 0, has IKE besides. */
  readonly thread: number;
  /** Eventfds of all of them, by number. */
  readonly wakeFds: readonly number[];
  /** Memory of a `PacketRing` to each, by number; its own stays empty. */
  readonly to: readonly SharedArrayBuffer[];
  readonly from: readonly SharedArrayBuffer[];
}

/** The first message to a packet thread. After it both threads send what each has to say at a time in one message. */
export interface PacketThreadSetup {
  /** An eventfd of the control thread, to wake the packet thread. */
  readonly wakeFd: number;
  readonly controlQueue: SharedArrayBuffer;
  readonly options: PacketThreadOptions;
  /** What a thread that died has left. */
  readonly left: HeldDescriptors;
  /** Absent: it is alone. */
  readonly others?: OtherThreadsSetup;
}

/** Counters of one SA, as told while they move. */
export interface SaReport {
  readonly protocol: SaProtocol;
  readonly direction: SaDirection;
  readonly spi: Spi;
  readonly childId: number;
  readonly counters: SaCounters;
}

export type ToPacketThread =
  /** Bind the sockets. Nothing but `close` comes before it. */
  | { readonly kind: 'listen' }
  | {
      readonly kind: 'transmit';
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly octets: Uint8Array;
    }
  /** A HIP packet: to protocol 139 if the ports are 0, else into UDP. */
  | {
      readonly kind: 'hip-transmit';
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly octets: Uint8Array;
    }
  /** Of a packet that another thread may have sent. */
  | { readonly kind: 'too-big'; readonly error: TooBig }
  /** What another thread has learned of the path to a peer. */
  | { readonly kind: 'path'; readonly remote: IpAddress; readonly path: KnownPath }
  /** How IPv4 applications reach HIP peers from now on. */
  | { readonly kind: 'lsis'; readonly table: LsiTable }
  | {
      readonly kind: 'icmp';
      readonly local: IpAddress;
      readonly remote: IpAddress;
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
  /** Packets of a pair are another thread's to seal, or none's. */
  | { readonly kind: 'sealed-elsewhere'; readonly childId: number; readonly by: number | undefined }
  /** An inbound SA of another thread, and where its packets come from; without an address it is gone. */
  | {
      readonly kind: 'received-elsewhere';
      readonly protocol: SaProtocol;
      readonly spi: Spi;
      readonly childId: number;
      readonly by: number;
      readonly remote: IpAddress | undefined;
    }
  /** An SA is gone, of whose packets this thread may still have some. */
  | { readonly kind: 'wipe' }
  /** Read what sockets and device have, from now on. */
  | { readonly kind: 'receive' }
  | { readonly kind: 'close' };

export type FromPacketThread =
  /** Told with each that is opened, since it may die before the next one. */
  | { readonly kind: 'holds'; readonly held: HeldDescriptors }
  /** The device is there; no socket is. */
  | { readonly kind: 'opened' }
  /** The sockets are bound; nothing is read from them. */
  | { readonly kind: 'listening' }
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string }
  | {
      readonly kind: 'datagram';
      /** It came from where one of our SAs leads. */
      readonly ofPeer: boolean;
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly octets: Uint8Array;
    }
  /** A HIP packet, out of IP or of UDP and then without its marker. */
  | {
      readonly kind: 'hip-packet';
      readonly ofPeer: boolean;
      readonly local: Endpoint;
      readonly remote: Endpoint;
      readonly octets: Uint8Array;
    }
  /** Addresses or routes of this machine came or went. */
  | { readonly kind: 'addresses-changed' }
  /** About a packet to one of our peers, by whoever says so. */
  | { readonly kind: 'icmp-error'; readonly error: IcmpError }
  /** The same of a packet too large, which one of the other threads has sent. */
  | { readonly kind: 'too-big'; readonly error: TooBig }
  | { readonly kind: 'event'; readonly event: DataPlaneEvent }
  /** Commands that were carried out, in their order. */
  | { readonly kind: 'sa-done'; readonly ids: number[] }
  | { readonly kind: 'sa-result'; readonly id: number; readonly result: SaResult }
  | { readonly kind: 'reports'; readonly reports: readonly SaReport[] }
  /** Of the thread as a whole, told while the first of them move. */
  | {
      readonly kind: 'statistics';
      readonly verdicts: Readonly<Record<string, number>>;
      readonly heapBytes: number;
    }
  /** SPIs in the kernel's SAD that other key managers hold, after each change. */
  | { readonly kind: 'foreign-spis'; readonly spis: readonly number[] }
  /** What goes on without something that it should have. */
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'closed' };
