// The HIP packet as typed values, its parameters named as RFC 7401 and its companions name them.
import type { Hit } from './hit.ts';
import type { HipParameterType } from './numbers.ts';

/** RFC 7401 5.1, but for the lengths and the checksum, which encoders compute. */
export interface HipHeader {
  readonly packetType: number;
  /** The A control: the sender's Host Identity is in no directory (RFC 7401 5.1.2). */
  readonly anonymous: boolean;
  readonly sender: Hit;
  /** Zero in an opportunistic I1. */
  readonly receiver: Hit;
  /** Absent means 59, 'no next header'. What may follow another is never read (RFC 7401 5.1). */
  readonly nextHeader?: number;
}

/** RFC 8046 4, RFC 9028 5.7. Addresses have 4 or 16 octets; the wire has IPv4 as IPv4-mapped IPv6. */
export type Locator = {
  /** What the locator is for: `TrafficType`. */
  readonly trafficType: number;
  readonly preferred: boolean;
  readonly lifetimeSeconds: number;
} & (
  | { readonly locatorType: 0; readonly address: Uint8Array }
  | { readonly locatorType: 1; readonly spi: number; readonly address: Uint8Array }
  | {
      readonly locatorType: 2;
      readonly port: number;
      /** 17: UDP. */
      readonly protocol: number;
      /** 0 host, 1 server reflexive, 2 peer reflexive, 3 relayed. */
      readonly kind: number;
      readonly priority: number;
      readonly spi: number;
      readonly address: Uint8Array;
    }
  /** A type this codec does not know; a multiple of four octets. */
  | { readonly locatorType: number; readonly body: Uint8Array }
);

/** RFC 7402 5.1.1 */
export interface EspInfoParameter {
  readonly type: 'ESP_INFO';
  /** Octets into KEYMAT; 0 only while new keying material is being agreed on. */
  readonly keymatIndex: number;
  /** 0 at the first setup. */
  readonly oldSpi: number;
  readonly newSpi: number;
}

/** RFC 7401 5.2.3 */
export interface R1CounterParameter {
  readonly type: 'R1_COUNTER';
  /** The four octets that an Initiator has to return as they are. */
  readonly reserved: number;
  readonly counter: bigint;
}

/** RFC 8046 4. Without a locator it deprecates all addresses. */
export interface LocatorSetParameter {
  readonly type: 'LOCATOR_SET';
  readonly locators: readonly Locator[];
}

/** RFC 7401 5.2.4 */
export interface PuzzleParameter {
  readonly type: 'PUZZLE';
  /** #K: how many low-order bits have to be zero. */
  readonly difficulty: number;
  /** The exponent as on the wire: valid for 2^(lifetime - 32) seconds. */
  readonly lifetime: number;
  readonly opaque: number;
  /** #I, as long as RHASH. */
  readonly random: Uint8Array;
}

/** RFC 7401 5.2.5 */
export interface SolutionParameter {
  readonly type: 'SOLUTION';
  readonly difficulty: number;
  readonly opaque: number;
  /** #I, returned. */
  readonly random: Uint8Array;
  /** #J, as long as #I. */
  readonly solution: Uint8Array;
}

/** RFC 7401 5.2.16 */
export interface SeqParameter {
  readonly type: 'SEQ';
  readonly updateId: number;
}

/** RFC 7401 5.2.17: at least one. */
export interface AckParameter {
  readonly type: 'ACK';
  readonly updateIds: readonly number[];
}

/** RFC 7401 5.2.6: `HipDhGroup`s, best first. */
export interface DhGroupListParameter {
  readonly type: 'DH_GROUP_LIST';
  readonly groups: readonly number[];
}

/** RFC 7401 5.2.7 */
export interface DiffieHellmanParameter {
  readonly type: 'DIFFIE_HELLMAN';
  readonly group: number;
  readonly publicValue: Uint8Array;
}

/** RFC 7401 5.2.8: at most six `HipCipher`s, best first. */
export interface HipCipherParameter {
  readonly type: 'HIP_CIPHER';
  readonly ciphers: readonly number[];
}

/** RFC 9028 5.4: at most six `NatTraversalMode`s, best first. */
export interface NatTraversalModeParameter {
  readonly type: 'NAT_TRAVERSAL_MODE';
  readonly modes: readonly number[];
}

/** RFC 9028 5.5 */
export interface TransactionPacingParameter {
  readonly type: 'TRANSACTION_PACING';
  readonly pacingMs: number;
}

/** RFC 7401 5.2.18: IV and ciphertext, still sealed. */
export interface EncryptedParameter {
  readonly type: 'ENCRYPTED';
  readonly body: Uint8Array;
}

/** RFC 7401 5.2.9 */
export interface HostIdParameter {
  readonly type: 'HOST_ID';
  /** `HiAlgorithm` */
  readonly algorithm: number;
  readonly hostIdentity: Uint8Array;
  /** An FQDN in the format of RFC 1035 3.1, or an NAI. */
  readonly domainIdentifier?: { readonly type: number; readonly octets: Uint8Array };
}

/** RFC 7401 5.2.10: `HitSuite`s as four-bit IDs, best first. */
export interface HitSuiteListParameter {
  readonly type: 'HIT_SUITE_LIST';
  readonly suites: readonly number[];
}

/** RFC 8002 2 */
export interface HipCertParameter {
  readonly type: 'CERT';
  readonly group: number;
  readonly count: number;
  /** 1 to `count`. */
  readonly id: number;
  /** `HipCertType` */
  readonly certType: number;
  readonly certificate: Uint8Array;
}

/** RFC 7401 5.2.19 */
export interface NotificationParameter {
  readonly type: 'NOTIFICATION';
  readonly notifyType: number;
  readonly data: Uint8Array;
}

/** RFC 7401 5.2.20 to 5.2.23 */
export interface EchoParameter {
  readonly type:
    | 'ECHO_REQUEST_SIGNED'
    | 'ECHO_REQUEST_UNSIGNED'
    | 'ECHO_RESPONSE_SIGNED'
    | 'ECHO_RESPONSE_UNSIGNED';
  readonly data: Uint8Array;
}

/** RFC 8003 4.2. Lifetimes are the exponents of RFC 8003 4.1. */
export interface RegInfoParameter {
  readonly type: 'REG_INFO';
  readonly minimumLifetime: number;
  readonly maximumLifetime: number;
  readonly registrationTypes: readonly number[];
}

/** RFC 8003 4.3 and 4.4. The lifetime is an exponent (4.1); 0 cancels. */
export interface RegistrationParameter {
  readonly type: 'REG_REQUEST' | 'REG_RESPONSE';
  readonly lifetime: number;
  readonly registrationTypes: readonly number[];
}

/** RFC 8003 4.5 */
export interface RegFailedParameter {
  readonly type: 'REG_FAILED';
  /** `RegistrationFailure` */
  readonly failureType: number;
  readonly registrationTypes: readonly number[];
}

/** RFC 9028 5.6 and 5.12: a transport address; protocol 0 and port 0 mean plain IP. */
export interface TransportAddressParameter {
  readonly type: 'REG_FROM' | 'RELAY_FROM' | 'RELAY_TO' | 'RELAYED_ADDRESS' | 'MAPPED_ADDRESS';
  readonly port: number;
  readonly protocol: number;
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
}

/** RFC 7401 5.2.11: parameter types of transport formats, best first. */
export interface TransportFormatListParameter {
  readonly type: 'TRANSPORT_FORMAT_LIST';
  readonly formats: readonly number[];
}

/** RFC 7402 5.1.2: at most six `HipEspSuite`s, best first. */
export interface EspTransformParameter {
  readonly type: 'ESP_TRANSFORM';
  readonly suites: readonly number[];
}

/** RFC 9028 5.13 */
export interface PeerPermissionParameter {
  readonly type: 'PEER_PERMISSION';
  readonly relayPort: number;
  readonly peerPort: number;
  readonly protocol: number;
  /** 4 or 16 octets, as the peer's. */
  readonly relayAddress: Uint8Array;
  readonly peerAddress: Uint8Array;
  readonly outboundSpi: number;
  readonly inboundSpi: number;
}

/** RFC 9028 5.14 */
export interface CandidatePriorityParameter {
  readonly type: 'CANDIDATE_PRIORITY';
  readonly priority: number;
}

/** RFC 9028 5.15 */
export interface NominateParameter {
  readonly type: 'NOMINATE';
}

/** RFC 7401 5.2.12 and 5.2.13, RFC 8004 4.2.1, RFC 9028 5.8 */
export interface HipMacParameter {
  readonly type: 'HIP_MAC' | 'HIP_MAC_2' | 'RVS_HMAC' | 'RELAY_HMAC';
  readonly mac: Uint8Array;
}

/** RFC 7401 5.2.14 and 5.2.15 */
export interface HipSignatureParameter {
  readonly type: 'HIP_SIGNATURE' | 'HIP_SIGNATURE_2';
  /** `HiAlgorithm` */
  readonly algorithm: number;
  readonly signature: Uint8Array;
}

/** RFC 8004 4.2.2: 4 or 16 octets. */
export interface FromParameter {
  readonly type: 'FROM';
  readonly address: Uint8Array;
}

/** RFC 8004 4.2.3 */
export interface ViaRvsParameter {
  readonly type: 'VIA_RVS';
  readonly addresses: readonly Uint8Array[];
}

export type KnownHipParameter =
  | EspInfoParameter
  | R1CounterParameter
  | LocatorSetParameter
  | PuzzleParameter
  | SolutionParameter
  | SeqParameter
  | AckParameter
  | DhGroupListParameter
  | DiffieHellmanParameter
  | HipCipherParameter
  | NatTraversalModeParameter
  | TransactionPacingParameter
  | EncryptedParameter
  | HostIdParameter
  | HitSuiteListParameter
  | HipCertParameter
  | NotificationParameter
  | EchoParameter
  | RegInfoParameter
  | RegistrationParameter
  | RegFailedParameter
  | TransportAddressParameter
  | TransportFormatListParameter
  | EspTransformParameter
  | PeerPermissionParameter
  | CandidatePriorityParameter
  | NominateParameter
  | HipMacParameter
  | HipSignatureParameter
  | FromParameter
  | ViaRvsParameter;

/** The name of a parameter that this codec reads. */
export type HipParameterName = keyof typeof HipParameterType;

/** A parameter of any other type; critical if its number is odd (RFC 7401 5.2.1). */
export interface UnknownHipParameter {
  readonly type: 'unknown';
  readonly parameterType: number;
  readonly contents: Uint8Array;
}

export type HipParameter = KnownHipParameter | UnknownHipParameter;

/** The parameters of one type, for example `HipParameterOf<'PUZZLE'>`. */
export type HipParameterOf<Name extends HipParameterName> = KnownHipParameter & { readonly type: Name };

/** A decoded packet; `octets` are exactly those received, for MACs and signatures (RFC 7401 6.4). */
export interface HipPacket {
  readonly header: HipHeader;
  readonly parameters: readonly HipParameter[];
  /** Without what may follow the packet in its datagram. */
  readonly octets: Uint8Array;
}
