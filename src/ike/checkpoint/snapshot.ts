// An IKE SA as a value: everything that it takes to go on with it in another process, and nothing that only its past needs.
import { type IkeKeys, type PacketKeys, wipe } from '#crypto';
import type {
  ChildSuite,
  Endpoint,
  IkeSuite,
  IpAddress,
  SaMode,
  SaProtocol,
  SequenceNumber,
  Spi,
  TrafficSelector,
} from '#sa';
import type { IkeSpi } from '#wire';
import type { Identity } from '../configuration.ts';
import type { IkeRole } from '../ike-sa-state.ts';
import type { AddressLease } from '../interface.ts';
import type { TunnelEnds } from '../mobility.ts';
import type { NatVerdict } from '../payloads/nat-detection.ts';
import type { IkeSpis } from '../phase.ts';

/** A request of ours that waits for its answer, with the very octets to send again (RFC 7296 2.1). */
export interface RequestSnapshot {
  readonly messageId: number;
  readonly exchangeType: number;
  readonly datagrams: readonly Uint8Array[];
  readonly purpose:
    | { readonly kind: 'liveness' }
    | { readonly kind: 'notify' }
    | { readonly kind: 'request-ticket'; readonly postponements: number }
    | { readonly kind: 'delete-child'; readonly inboundSpi: Spi; readonly installed: boolean };
}

/** The octets that answered a request of the peer. */
export interface AnswerSnapshot {
  readonly messageId: number;
  readonly datagrams: readonly Uint8Array[];
}

/** One SA of a pair. */
export interface DirectionSnapshot {
  /** Secret. */
  readonly keys: PacketKeys;
  /** No number beyond this one was used or accepted. */
  readonly limit: SequenceNumber;
  readonly blockPackets: number;
}

export interface ChildSaSnapshot {
  readonly childId: number;
  readonly generation: number;
  /** Name of its `children` section. */
  readonly name: string;
  readonly protocol: SaProtocol;
  readonly mode: SaMode;
  readonly suite: ChildSuite;
  readonly inboundSpi: Spi;
  readonly outboundSpi: Spi;
  readonly local: readonly TrafficSelector[];
  readonly remote: readonly TrafficSelector[];
  readonly initiator: boolean;
  readonly phase: 'installed' | 'replaced' | 'deleting';
  readonly outboundInUse: boolean;
  /** The inbound SPI of the pair that it replaces. */
  readonly replaces?: Spi;
  readonly expiresAtMs?: number;
  readonly inbound: DirectionSnapshot;
  readonly outbound: DirectionSnapshot;
}

/** Where the two ends of an IKE SA are, if they may move. */
export interface MobilitySnapshot {
  readonly peerAddresses: readonly IpAddress[];
  /** Where the Child SAs lead, if not where the IKE SA does: the peer has yet to show that it is there. */
  readonly proven?: TunnelEnds;
  /** The peer does not know yet where we are. */
  readonly pending: boolean;
}

/**
 * Times are wall-clock milliseconds. It holds the keys of the IKE SA and of its Child SAs: whoever stores it must encrypt
 * it, and wipe it (`wipeIkeSaSnapshot`) once it is of no use.
 */
export interface IkeSaSnapshot {
  readonly connection: string;
  readonly role: IkeRole;
  readonly spis: IkeSpis;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly nat: NatVerdict;
  readonly localIdentity: Identity;
  readonly remoteIdentity: Identity;
  /** The user that EAP has authenticated. */
  readonly remoteEapIdentity?: Identity;
  readonly suite: IkeSuite;
  readonly keys: IkeKeys;
  /** Of our sending direction: the counter that no message has used yet (RFC 5282 3.1). */
  readonly nextIv: bigint;
  readonly nextRequestId: number;
  /** How many requests the peer lets us have outstanding. */
  readonly requestWindow: number;
  readonly requests: readonly RequestSnapshot[];
  readonly expectedRequestId: number;
  /** How many requests of the peer we promised to remember. */
  readonly responseWindow: number;
  readonly answers: readonly AnswerSnapshot[];
  /** RFC 6311; -1: there was none. */
  readonly highestSyncedId: number;
  readonly peer: {
    readonly fragmentation: boolean;
    readonly childless: boolean;
    readonly tickets: boolean;
    readonly messageIdSync: boolean;
  };
  /** Absent: the two ends did not agree on MOBIKE (RFC 4555). */
  readonly mobility?: MobilitySnapshot;
  readonly client: boolean;
  readonly clientMethod?: number;
  readonly clientCredential?: Uint8Array;
  readonly ticketGiven: boolean;
  readonly virtualAddresses: readonly IpAddress[];
  readonly peerVirtualAddresses: readonly IpAddress[];
  readonly lease?: AddressLease;
  readonly establishedAtMs: number;
  readonly rekeyAtMs?: number;
  readonly reauthAtMs?: number;
  readonly expiresAtMs?: number;
  readonly children: readonly ChildSaSnapshot[];
  /**
   * Our SPI of the IKE SA that replaced it. Then it only answers, until the peer deletes it: its last answer is what tells the
   * peer of the new one (RFC 7296 2.1, 2.8). Absent: it stands.
   */
  readonly successor?: IkeSpi;
}

export function wipePacketKeys({ encryption, integrity }: PacketKeys): void {
  wipe(encryption?.key, integrity?.key);
}

export function copyPacketKeys({ encryption, integrity }: PacketKeys): PacketKeys {
  return {
    ...(encryption !== undefined && { encryption: { ...encryption, key: encryption.key.slice() } }),
    ...(integrity !== undefined && { integrity: { ...integrity, key: integrity.key.slice() } }),
  };
}

export function wipeIkeSaSnapshot({ keys, children }: IkeSaSnapshot): void {
  wipe(...ikeKeyOctets(keys));
  for (const { inbound, outbound } of children) {
    wipePacketKeys(inbound.keys);
    wipePacketKeys(outbound.keys);
  }
}

/** In the order of RFC 7296 2.14. */
export function ikeKeyOctets(keys: IkeKeys): readonly Uint8Array[] {
  return [keys.skD, keys.skAi, keys.skAr, keys.skEi, keys.skEr, keys.skPi, keys.skPr];
}

export function copyIkeKeys(keys: IkeKeys): IkeKeys {
  return {
    skD: keys.skD.slice(),
    skAi: keys.skAi.slice(),
    skAr: keys.skAr.slice(),
    skEi: keys.skEi.slice(),
    skEr: keys.skEr.slice(),
    skPi: keys.skPi.slice(),
    skPr: keys.skPr.slice(),
  };
}
