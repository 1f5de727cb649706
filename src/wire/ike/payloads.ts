// The IKEv2 message as typed values, named as RFC 7296 section 1.2 abbreviates its payloads.

/** A 64-bit IKE SPI as 16 lower-case hexadecimal digits: never a number, which could not hold it. */
export type IkeSpi = string & { readonly ikeSpi: unique symbol };

/** The responder's SPI in the first message of IKE_SA_INIT. */
export const zeroIkeSpi: IkeSpi = '0000000000000000' as IkeSpi;

/** RFC 7296 3.1 */
export const ExchangeType = {
  IKE_SA_INIT: 34,
  IKE_AUTH: 35,
  CREATE_CHILD_SA: 36,
  INFORMATIONAL: 37,
  IKE_SESSION_RESUME: 38,
  IKE_INTERMEDIATE: 43,
} as const;

/** RFC 7296 3.2 */
export const PayloadType = {
  none: 0,
  SA: 33,
  KE: 34,
  IDi: 35,
  IDr: 36,
  CERT: 37,
  CERTREQ: 38,
  AUTH: 39,
  Nonce: 40,
  N: 41,
  D: 42,
  V: 43,
  TSi: 44,
  TSr: 45,
  SK: 46,
  CP: 47,
  EAP: 48,
  SKF: 53,
} as const;

/** RFC 7296 3.3.1 */
export const ProtocolId = { none: 0, IKE: 1, AH: 2, ESP: 3 } as const;

/** RFC 7296 3.3.2 */
export const TransformType = { ENCR: 1, PRF: 2, INTEG: 3, KE: 4, ESN: 5 } as const;

/** RFC 7296 3.5 */
export const IdType = {
  IPV4_ADDR: 1,
  FQDN: 2,
  RFC822_ADDR: 3,
  IPV6_ADDR: 5,
  DER_ASN1_DN: 9,
  DER_ASN1_GN: 10,
  KEY_ID: 11,
  NULL: 13,
} as const;

/** RFC 7296 3.6 */
export const CertEncoding = { X509_SIGNATURE: 4, CRL: 7, HASH_AND_URL_X509: 12, OCSP: 14 } as const;

/** RFC 7296 3.8, RFC 7427, RFC 7619 */
export const AuthMethod = {
  RSA_SIGNATURE: 1,
  SHARED_KEY: 2,
  ECDSA_P256: 9,
  ECDSA_P384: 10,
  ECDSA_P521: 11,
  NULL: 13,
  DIGITAL_SIGNATURE: 14,
} as const;

/** RFC 7296 3.10.1 and its extensions */
export const NotifyType = {
  UNSUPPORTED_CRITICAL_PAYLOAD: 1,
  INVALID_IKE_SPI: 4,
  INVALID_MAJOR_VERSION: 5,
  INVALID_SYNTAX: 7,
  INVALID_MESSAGE_ID: 9,
  INVALID_SPI: 11,
  NO_PROPOSAL_CHOSEN: 14,
  INVALID_KE_PAYLOAD: 17,
  AUTHENTICATION_FAILED: 24,
  SINGLE_PAIR_REQUIRED: 34,
  NO_ADDITIONAL_SAS: 35,
  INTERNAL_ADDRESS_FAILURE: 36,
  FAILED_CP_REQUIRED: 37,
  TS_UNACCEPTABLE: 38,
  INVALID_SELECTORS: 39,
  UNACCEPTABLE_ADDRESSES: 40,
  UNEXPECTED_NAT_DETECTED: 41,
  TEMPORARY_FAILURE: 43,
  CHILD_SA_NOT_FOUND: 44,
  INITIAL_CONTACT: 16384,
  SET_WINDOW_SIZE: 16385,
  ADDITIONAL_TS_POSSIBLE: 16386,
  IPCOMP_SUPPORTED: 16387,
  NAT_DETECTION_SOURCE_IP: 16388,
  NAT_DETECTION_DESTINATION_IP: 16389,
  COOKIE: 16390,
  USE_TRANSPORT_MODE: 16391,
  HTTP_CERT_LOOKUP_SUPPORTED: 16392,
  REKEY_SA: 16393,
  ESP_TFC_PADDING_NOT_SUPPORTED: 16394,
  NON_FIRST_FRAGMENTS_ALSO: 16395,
  MOBIKE_SUPPORTED: 16396,
  ADDITIONAL_IP4_ADDRESS: 16397,
  ADDITIONAL_IP6_ADDRESS: 16398,
  NO_ADDITIONAL_ADDRESSES: 16399,
  UPDATE_SA_ADDRESSES: 16400,
  COOKIE2: 16401,
  NO_NATS_ALLOWED: 16402,
  AUTH_LIFETIME: 16403,
  MULTIPLE_AUTH_SUPPORTED: 16404,
  ANOTHER_AUTH_FOLLOWS: 16405,
  REDIRECT_SUPPORTED: 16406,
  REDIRECT: 16407,
  REDIRECTED_FROM: 16408,
  TICKET_LT_OPAQUE: 16409,
  TICKET_REQUEST: 16410,
  TICKET_ACK: 16411,
  TICKET_NACK: 16412,
  TICKET_OPAQUE: 16413,
  USE_WESP_MODE: 16415,
  ROHC_SUPPORTED: 16416,
  EAP_ONLY_AUTHENTICATION: 16417,
  CHILDLESS_IKEV2_SUPPORTED: 16418,
  QUICK_CRASH_DETECTION: 16419,
  IKEV2_MESSAGE_ID_SYNC_SUPPORTED: 16420,
  IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED: 16421,
  IKEV2_MESSAGE_ID_SYNC: 16422,
  IPSEC_REPLAY_COUNTER_SYNC: 16423,
  IKEV2_FRAGMENTATION_SUPPORTED: 16430,
  SIGNATURE_HASH_ALGORITHMS: 16431,
  USE_PPK: 16435,
  PPK_IDENTITY: 16436,
  NO_PPK_AUTH: 16437,
  INTERMEDIATE_EXCHANGE_SUPPORTED: 16438,
} as const;

/** Notify types below this are errors, the others carry status (RFC 7296 3.10.1). */
export const firstStatusNotify = 16384;

/** RFC 7296 3.13.1 */
export const TsType = { IPV4_ADDR_RANGE: 7, IPV6_ADDR_RANGE: 8 } as const;

/** RFC 7296 3.15 */
export const CfgType = { REQUEST: 1, REPLY: 2, SET: 3, ACK: 4 } as const;

/** RFC 7296 3.15.1 */
export const CfgAttribute = {
  INTERNAL_IP4_ADDRESS: 1,
  INTERNAL_IP4_NETMASK: 2,
  INTERNAL_IP4_DNS: 3,
  INTERNAL_IP4_NBNS: 4,
  INTERNAL_IP4_DHCP: 6,
  APPLICATION_VERSION: 7,
  INTERNAL_IP6_ADDRESS: 8,
  INTERNAL_IP6_DNS: 10,
  INTERNAL_IP6_DHCP: 12,
  INTERNAL_IP4_SUBNET: 13,
  SUPPORTED_ATTRIBUTES: 14,
  INTERNAL_IP6_SUBNET: 15,
} as const;

/** RFC 7296 3.1. `length` is what the header claims; encoders compute it. */
export interface IkeHeader {
  readonly initiatorSpi: IkeSpi;
  readonly responderSpi: IkeSpi;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly exchangeType: number;
  /** I flag: the sender is the original initiator of the IKE SA. */
  readonly initiator: boolean;
  /** R flag: this is a response. */
  readonly response: boolean;
  /** V flag: the sender can speak a higher major version. */
  readonly higherVersion: boolean;
  readonly messageId: number;
}

/** RFC 7296 3.3.5: a number for the short (AF = 1) form, octets for the long form. */
export interface TransformAttribute {
  readonly type: number;
  readonly value: number | Uint8Array;
}

/** RFC 7296 3.3.2, as on the wire. */
export interface WireTransform {
  readonly type: number;
  readonly id: number;
  readonly attributes: readonly TransformAttribute[];
}

/** RFC 7296 3.3.1, as on the wire. */
export interface WireProposal {
  readonly number: number;
  readonly protocolId: number;
  /** 0, 4 or 8 octets. */
  readonly spi: Uint8Array;
  readonly transforms: readonly WireTransform[];
}

/** RFC 7296 3.13.1; a type this codec does not know keeps its octets in `body`. */
export type WireTrafficSelector =
  | {
      readonly tsType: 7 | 8;
      readonly protocol: number;
      readonly startPort: number;
      readonly endPort: number;
      /** 4 or 16 octets, as `tsType` says. */
      readonly startAddress: Uint8Array;
      readonly endAddress: Uint8Array;
    }
  | {
      readonly tsType: number;
      /** The octet after the type, if it is not zero; RFC 9478 reserves it where RFC 7296 has the protocol. */
      readonly protocol?: number;
      readonly body: Uint8Array;
    };

/** RFC 7296 3.15.1 */
export interface CfgAttributeValue {
  readonly type: number;
  readonly value: Uint8Array;
}

interface Common {
  /** The critical bit of the generic payload header; absent means 0. */
  readonly critical?: true;
}

export type SaPayload = Common & { readonly type: 'SA'; readonly proposals: readonly WireProposal[] };
export type KePayload = Common & { readonly type: 'KE'; readonly group: number; readonly data: Uint8Array };
export type IdPayload = Common & {
  readonly type: 'IDi' | 'IDr';
  readonly idType: number;
  readonly data: Uint8Array;
};
export type CertPayload = Common & {
  readonly type: 'CERT';
  readonly encoding: number;
  readonly data: Uint8Array;
};
export type CertreqPayload = Common & {
  readonly type: 'CERTREQ';
  readonly encoding: number;
  /** For X.509: SHA-1 hashes of the authorities' SubjectPublicKeyInfo, 20 octets each, end to end. */
  readonly authorities: Uint8Array;
};
export type AuthPayload = Common & {
  readonly type: 'AUTH';
  readonly method: number;
  readonly data: Uint8Array;
};
export type NoncePayload = Common & { readonly type: 'Nonce'; readonly data: Uint8Array };
export type NotifyPayload = Common & {
  readonly type: 'N';
  readonly protocolId: number;
  readonly spi: Uint8Array;
  readonly notifyType: number;
  readonly data: Uint8Array;
};
export type DeletePayload = Common & {
  readonly type: 'D';
  readonly protocolId: number;
  readonly spiSize: number;
  readonly spis: readonly Uint8Array[];
};
export type VendorPayload = Common & { readonly type: 'V'; readonly data: Uint8Array };
export type TsPayload = Common & {
  readonly type: 'TSi' | 'TSr';
  readonly selectors: readonly WireTrafficSelector[];
};
/** RFC 7296 3.14: IV, ciphertext and ICV, still sealed. Always the last payload. */
export type SkPayload = Common & {
  readonly type: 'SK';
  /** Type of the first payload inside. */
  readonly firstPayload: number;
  readonly body: Uint8Array;
};
/** RFC 7383 2.5. Always the last payload. */
export type SkfPayload = Common & {
  readonly type: 'SKF';
  /** Type of the first payload inside; 0 in all fragments but the first. */
  readonly firstPayload: number;
  readonly fragmentNumber: number;
  readonly totalFragments: number;
  readonly body: Uint8Array;
};
export type CpPayload = Common & {
  readonly type: 'CP';
  readonly cfgType: number;
  readonly attributes: readonly CfgAttributeValue[];
};
export type EapPayload = Common & { readonly type: 'EAP'; readonly message: Uint8Array };
export type UnknownPayload = Common & {
  readonly type: 'unknown';
  readonly payloadType: number;
  readonly body: Uint8Array;
};

export type Payload =
  | SaPayload
  | KePayload
  | IdPayload
  | CertPayload
  | CertreqPayload
  | AuthPayload
  | NoncePayload
  | NotifyPayload
  | DeletePayload
  | VendorPayload
  | TsPayload
  | SkPayload
  | SkfPayload
  | CpPayload
  | EapPayload
  | UnknownPayload;

/** A decoded message; `octets` are exactly those received, for AUTH (RFC 7296 2.15). */
export interface IkeMessage {
  readonly header: IkeHeader;
  readonly payloads: readonly Payload[];
  readonly octets: Uint8Array;
}
