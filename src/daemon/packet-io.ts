// What the driver needs of the outside world: datagrams and a data plane. One is made of a packet thread, one of dgram.
import type { IcmpError, SaReport } from '#linux';
import type { DataPlaneEvent, Endpoint, IpAddress, LsiTable, SaCommand, SaResult } from '#sa';

/** What comes in. */
export interface PacketIoListener {
  datagram(local: Endpoint, remote: Endpoint, octets: Uint8Array): void;
  /** Ports are 0 if it came right in IP. */
  hipPacket(local: Endpoint, remote: Endpoint, octets: Uint8Array): void;
  /** Addresses or routes of this machine came or went. */
  addressesChanged(): void;
  icmpError(error: IcmpError): void;
  event(event: DataPlaneEvent): void;
  saResult(id: number, result: SaResult): void;
  reports(reports: readonly SaReport[]): void;
  /**
   * @param verdicts packets by what became of them
   * @param heapBytes of a thread of its own
   */
  statistics(verdicts: Readonly<Record<string, number>>, heapBytes?: number): void;
  /** SPIs that other key managers hold in the kernel's SAD, after each change. */
  foreignSpis?(spis: readonly number[]): void;
  /** For whoever reads the log: something goes on without what it should have. */
  warning?(text: string): void;
  /** What carries packets died, and goes on in a new thread with so many SAs. */
  restarted(error: Error, sas: number): void;
  /** Nothing is received any more. */
  died(error: Error): void;
}

/** Sockets and a data plane. */
export interface PacketIo {
  /** Name of the tunnel device, if there is one. */
  readonly tunName: string | undefined;
  /** Binds the sockets; the kernel keeps what comes. @throws an error with a `code` if that cannot be done */
  listen(): Promise<void>;
  /** From now on what comes is read and told. */
  receive(): void;
  /** Moves at least twice a second while packets can be handled; absent where they have no thread of their own. */
  readonly beats?: number;
  transmit(local: Endpoint, remote: Endpoint, octets: Uint8Array): void;
  /** To protocol 139 if the ports are 0, else into UDP. */
  transmitHip(local: Endpoint, remote: Endpoint, octets: Uint8Array): void;
  sendIcmp(local: IpAddress, remote: IpAddress, octets: Uint8Array): void;
  /** How IPv4 applications reach HIP peers. */
  loadLsis(table: LsiTable): void;
  /** Answered by `saResult`. */
  apply(id: number, command: SaCommand): void;
  close(): Promise<void>;
}
